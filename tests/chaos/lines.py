"""Lines from services to PostgreSQL and Kafka, each through a proxy: they hang, drag, break."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from stack.plan import Plan
from tests.support.proxy import Line

#: Where the proxies listen, above the stack's first port: one to PostgreSQL for each service, one
#: to each broker; and where a broker listens to what comes through its proxy.
POSTGRES_LINES, KAFKA_LINES, BROKERS_BEHIND = 40, 50, 55
SLOW_S: Final = 0.1
#: So long a line is silent before the systems at its ends notice.
UNNOTICED_S: Final = 40.0


def postgres_port(plan: Plan, service: str) -> int:
    """Give the port of a service's line to PostgreSQL."""
    return plan.ports.http_port + POSTGRES_LINES + plan.services.index(service)


def kafka_ports(plan: Plan) -> list[tuple[int, int]]:
    """Give for each broker the port of its line, and the one where it listens behind it."""
    first = plan.ports.http_port
    return [(first + KAFKA_LINES + n, first + BROKERS_BEHIND + n) for n in range(plan.brokers)]


def environment_over_lines(plan: Plan, service: str, env: Mapping[str, str]) -> dict[str, str]:
    """Give a service's environment with all its ways over its lines."""
    servers = ",".join(f"127.0.0.1:{line}" for line, _ in kafka_ports(plan))
    urls = {
        k: _over(v, postgres_port(plan, service)) for k, v in env.items() if "DATABASE_URL" in k
    }
    return {**env, **urls, "KAFKA_BOOTSTRAP_SERVERS": servers}


def _over(url: str, port: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}"))


def broker_settings(plan: Plan, node: int) -> str:
    """Give what a broker's settings have to say besides: whoever comes by the line stays on it."""
    kafka = plan.ports.kafka(plan.brokers)
    straight, controller = kafka.brokers[node - 1], kafka.controllers[node - 1]
    line, behind = kafka_ports(plan)[node - 1]
    here = "127.0.0.1"
    return (
        f"listeners=PLAINTEXT://{here}:{straight},LINE://{here}:{behind},"
        f"CONTROLLER://{here}:{controller}\n"
        f"advertised.listeners=PLAINTEXT://{here}:{straight},LINE://{here}:{line}\n"
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LINE:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
        "inter.broker.listener.name=PLAINTEXT\n"
    )


class Lines:
    """All lines of a stack by name: `lodging` is its line to PostgreSQL, `kafka-1` one to a broker.

    They run in a thread of their own, so that who waits for the stack doesn't stop them.
    """

    def __init__(self, plan: Plan) -> None:
        ends = {s: (postgres_port(plan, s), plan.ports.postgres) for s in plan.services}
        ends |= {f"kafka-{n}": pair for n, pair in enumerate(kafka_ports(plan), 1)}
        self._ports = {name: port for name, (port, _) in ends.items()}
        self._lines = {name: Line("127.0.0.1", target) for name, (_, target) in ends.items()}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Listen on all of them."""
        self._thread.start()
        for name, line in self._lines.items():
            self._wait(line.start(self._ports[name]))

    def stop(self) -> None:
        """Break all of them off."""
        for line in self._lines.values():
            self._loop.call_soon_threadsafe(line.go_on)
            self._wait(line.break_off())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def trouble(self, name: str, how: str) -> None:
        """Let a line `hang` or be `slow`; `reset` what runs over it now, or `strand` it."""
        line = self._lines[name]
        acts: dict[str, Callable[[], None]] = {
            "hang": line.hang,
            "strand": partial(line.strand, UNNOTICED_S),
            "slow": lambda: line.slow(SLOW_S),
            "reset": line.reset,
        }
        self._loop.call_soon_threadsafe(acts[how])

    def mend(self, name: str) -> None:
        """Let everything through again, at once."""
        self._loop.call_soon_threadsafe(self._lines[name].go_on)

    def _wait(self, work: "asyncio._CoroutineLike[None]") -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def lines_of(plan: Plan) -> Iterator[Lines]:
    """Hold the lines of a stack that runs over them."""
    lines = Lines(plan)
    lines.start()
    try:
        yield lines
    finally:
        lines.stop()
