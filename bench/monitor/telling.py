"""Tells the events of invented journeys at a steady pace, through outboxes and real relays."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from contracts import Event
from contracts.lodging import GuestCheckedIn, StayConfirmed, StayHeld
from contracts.recruitment import PlacementConfirmed, PlacementStarted
from contracts.registry import WorkerNominated
from contracts.samples import sample
from contracts.transport import PassengerBoarded, SeatBooked
from shared.database import Database
from shared.ids import Ids
from shared.relay import Relay

#: What is told of each person, in this order.
STEPS: Final[Sequence[type[Event]]] = (
    WorkerNominated, PlacementConfirmed, SeatBooked, StayHeld, StayConfirmed, PassengerBoarded,
    GuestCheckedIn, PlacementStarted,
)  # fmt: skip
SPEAKERS: Final = ("registry", "recruitment", "transport", "lodging")
BEAT_S: Final = 0.05
_LEFT_OUT: Final = frozenset({"reason", "outcome", "stay_request_id", "hire_id", "group_id"})


@dataclass(frozen=True, slots=True)
class Person:
    """The ids of one invented person's way."""

    ids: Mapping[str, UUID]

    @classmethod
    def invented(cls, ids: Ids, tenants: Mapping[str, UUID]) -> "Person":
        """Invent one of an office, for an enterprise."""
        own = ("nomination_id", "placement_id", "booking_id", "stay_id")
        return cls({"worker_id": ids.uuid4(), **{n: ids.uuid7() for n in own}, **tenants})

    @property
    def journey_id(self) -> UUID:
        """The journey's id: the nomination's."""
        return self.ids["nomination_id"]

    def event(self, step: int) -> Event:
        """Give the event of a step."""
        kind = STEPS[step]
        known = {name: value for name, value in self.ids.items() if name in kind.model_fields}
        return kind.model_construct(None, **_fields(kind), **known)


def _fields(kind: type[Event], made: dict[type[Event], dict[str, Any]] = {}) -> dict[str, Any]:  # noqa: B006 (it is the memory)
    """Give a sample's fields but for ids of persons and what would make its story another one."""
    if kind not in made:
        given = dict(sample(kind))
        own = Person.invented(Ids(), {"office_id": Ids().uuid7(), "enterprise_id": Ids().uuid7()})
        made[kind] = {k: v for k, v in given.items() if k not in _LEFT_OUT and k not in own.ids}
    return made[kind]


@dataclass
class Teller:
    """Lets the services say `rate` events a second, a step of each person a beat."""

    databases: Mapping[str, Database]
    rate: int
    tenants: Sequence[Mapping[str, UUID]]
    ids: Ids = field(default_factory=Ids)
    told: int = 0

    async def run(self, kafka: Mapping[str, Any], seconds: float) -> int:
        """Tell for so long, and wait until the relays have brought it all out; give how many."""
        relays = [Relay(db, kafka) for db in self.databases.values()]
        running = [asyncio.create_task(relay.run()) for relay in relays]
        try:
            await self._tell(seconds)
            await self._until_sent()
        finally:
            for relay in relays:
                await relay.stop()
            await asyncio.gather(*running)
        return self.told

    async def _tell(self, seconds: float) -> None:
        cohorts: list[list[Person]] = []
        began = time.monotonic()
        for beat in itertools.count(1):
            cohorts = [list(self._newcomers(beat)), *cohorts[: len(STEPS) - 1]]
            await asyncio.gather(*(self._say(db, cohorts) for db in self.databases.values()))
            ahead = began + beat * BEAT_S - time.monotonic()
            if beat * BEAT_S >= seconds:
                return
            await asyncio.sleep(max(0.0, ahead))

    def _newcomers(self, beat: int) -> Iterator[Person]:
        each = self.rate * BEAT_S / len(STEPS)
        for n in range(int(beat * each) - int((beat - 1) * each)):
            yield Person.invented(self.ids, self.tenants[(beat + n) % len(self.tenants)])

    async def _say(self, db: Database, cohorts: Sequence[Sequence[Person]]) -> None:
        async with db.transaction(role="worker") as tx:
            for step, people in enumerate(cohorts):
                for person in people if STEPS[step].service == db.service else ():
                    event = person.event(step)
                    tenant_id = person.ids["office_id"]
                    tx.say(event, tenant_id=tenant_id, journey_id=person.journey_id)
                    self.told += 1

    async def _until_sent(self) -> None:
        for db in self.databases.values():
            while True:
                if not await _unsent(db):
                    break
                await asyncio.sleep(BEAT_S)


async def _unsent(db: Database) -> int:
    async with db.transaction(role="worker") as tx:
        found: int = await tx.fetchval("SELECT count(*) FROM outbox")
    return found
