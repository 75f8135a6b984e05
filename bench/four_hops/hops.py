"""The four hops that every version makes: who hears what, and what it says then."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts import Event
from contracts.lodging import StayConfirmed
from contracts.recruitment import PlacementConfirmed
from contracts.registry import WorkerNominated
from contracts.samples import sample
from contracts.transport import SeatBooked
from shared.ids import Ids


def _teller(kind: type[Event]) -> Callable[[UUID, UUID, UUID], Event]:
    rest = dict(sample(kind, full=False))

    def tell(own_id: UUID, worker_id: UUID, nomination_id: UUID) -> Event:
        fields: dict[str, Any] = {
            **rest, "worker_id": worker_id, "nomination_id": nomination_id, kind.key: own_id,
        }  # fmt: skip
        return kind(**fields)

    return tell


@dataclass(frozen=True)
class Hop:
    """A service hears one type, notes it down, and says another about an aggregate of its own."""

    service: str
    hears: type[Event]
    says: type[Event] | None

    @property
    def source(self) -> str:
        """The service whose topic is heard."""
        return self.hears.service

    def teller(self) -> Callable[[Event, Ids], Event]:
        """Give what makes the next event from the one that was heard."""
        assert self.says
        tell = _teller(self.says)
        return lambda heard, ids: tell(ids.uuid7(), heard.worker_id, heard.nomination_id)  # type: ignore[attr-defined]


HOPS = (
    Hop("recruitment", WorkerNominated, PlacementConfirmed),
    Hop("transport", PlacementConfirmed, SeatBooked),
    Hop("lodging", SeatBooked, StayConfirmed),
    Hop("console", StayConfirmed, None),
)
FIRST, LAST = HOPS[0], HOPS[-1]


def nominated(ids: Ids) -> Event:
    """Make the event that a journey begins with."""
    own_id = ids.uuid7()
    return _NOMINATED(own_id, UUID(bytes=os.urandom(16), version=4), own_id)


_NOMINATED = _teller(WorkerNominated)


@dataclass(frozen=True)
class Place:
    """Where a hop runs: its database, the brokers, and what its version's topics begin with."""

    hop: Hop
    database_url: str
    bootstrap_servers: str
    prefix: str

    def topic(self, service: str) -> str:
        """Give the topic of a service in this version."""
        return f"{self.prefix}{service}.events"
