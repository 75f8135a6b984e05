"""Which ports a local stack uses: all follow from one, and each can be set by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stack.kafka import Ports as KafkaPorts

HTTP_PORT: Final = 8100
_HTTP_OFFSETS: Final[Mapping[str, int]] = {
    "console": 0,
    "registry": 1,
    "recruitment": 2,
    "transport": 3,
    "lodging": 4,
}
_REPLICA_STEP: Final = 10
_POSTGRES_OFFSET: Final = 91
_KAFKA_OFFSET: Final = 92
REPLICAS_MAX: Final = 8
PORT_MAX: Final = 65_535 - _KAFKA_OFFSET - 6


@dataclass(frozen=True)
class PortPlan:
    """The ports of a stack: services 8100 to 8104, their further replicas ten higher each.

    PostgreSQL is at 8191, Kafka's brokers at 8192 to 8194, its controllers at 8195 to 8197, when
    `http_port` is 8100. `chosen` sets single ones: a service's name, `postgres`, `kafka`.
    """

    http_port: int = HTTP_PORT
    chosen: Mapping[str, int] | None = None

    def service(self, name: str, replica: int = 1) -> int:
        """Give the HTTP port of a service's replica (1 is the one that others call)."""
        first = self._chosen(name) or self.http_port + _HTTP_OFFSETS[name]
        return first + _REPLICA_STEP * (replica - 1)

    @property
    def postgres(self) -> int:
        """PostgreSQL's port."""
        return self._chosen("postgres") or self.http_port + _POSTGRES_OFFSET

    def kafka(self, brokers: int) -> KafkaPorts:
        """Kafka's ports."""
        return KafkaPorts.from_base(
            self._chosen("kafka") or self.http_port + _KAFKA_OFFSET, brokers
        )

    def url(self, name: str) -> str:
        """Give the URL of a service on this machine."""
        return f"http://127.0.0.1:{self.service(name)}"

    def _chosen(self, name: str) -> int | None:
        return (self.chosen or {}).get(name)
