"""Ports for the servers of tests: each is given once, and none is lent to a client meanwhile.

A port that the system chose may be any client's as soon as it is closed, before the server that it
was for listens there, or while it is started anew.
"""

import random
import socket

#: Below those that systems lend to clients.
FIRST_PORT, CLIENTS_PORT = 12_000, 32_000
_GIVEN: set[int] = set()


def free_port() -> int:
    """Give a loopback port that nobody listens on, nor will unless told to."""
    return ports_in_a_row(1)


def free_ports(count: int) -> list[int]:
    """Give so many of them."""
    return [free_port() for _ in range(count)]


def ports_in_a_row(count: int) -> int:
    """Give the first of so many that follow each other."""
    while True:
        first = random.randrange(FIRST_PORT, CLIENTS_PORT - count)
        wanted = set(range(first, first + count))
        if _GIVEN.isdisjoint(wanted) and all(_is_free(port) for port in wanted):
            _GIVEN.update(wanted)
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
