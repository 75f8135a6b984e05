"""Looks at this machine's loopback ports."""

import contextlib
import socket


def free_ports(count: int) -> list[int]:
    """Give loopback ports that nobody listens on just now, all different."""
    with contextlib.ExitStack() as opened:
        probes = [opened.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
