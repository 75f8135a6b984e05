"""Whole journeys over services' real databases and handlers, with a broker that plays tricks.

It repeats rounds that a relay had sent and not put away, gives each service its partitions in any
order and in any portions, forgets offsets, and lets services start anew; per key it keeps the
order, as Kafka does.
"""

import zlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import services.console.consumers
import services.lodging.consumers
import services.recruitment.consumers
import services.transport.consumers
from contracts import Event
from contracts.registry import NominationEnded, WorkerErased, WorkerNominated
from services.lodging.handlers.settle import settle as settle_beds
from services.recruitment.handlers.houserules import DEFAULT
from services.recruitment.handlers.rounds import match_due
from services.transport.handlers.seats import run_seats
from services.transport.handlers.trips import delay, schedule_trip
from shared import tenants
from shared.consumer import GUARDED, Guards, Intake
from shared.database import Database
from shared.handlers import Handlers
from shared.inbox import Record
from shared.transaction import Tx
from stack.topics import HEARS
from tests.integration.lodging.world import World as Lodging
from tests.integration.recruitment import world as jobs
from tests.integration.transport import world as trips
from tests.support.events import received
from tests.support.http import a_coordinator, app_client
from tests.support.postgres import ServiceDb

PARTITIONS = 3
NAMES = ("recruitment", "transport", "lodging", "console")
Partition = tuple[str, int]
_HANDLERS = {
    "recruitment": services.recruitment.consumers.HANDLERS,
    "transport": services.transport.consumers.HANDLERS,
    "lodging": services.lodging.consumers.HANDLERS,
    "console": services.console.consumers.HANDLERS,
}
_TICKS: dict[str, Callable[[Tx], Awaitable[int]]] = {
    "recruitment": partial(match_due, DEFAULT),
    "transport": run_seats,
    "lodging": settle_beds,
}


@dataclass
class Broker:
    """Topics of three partitions each."""

    lying: dict[Partition, list[Record]] = field(default_factory=lambda: defaultdict(list))
    #: All of it, in the order in which it was said.
    told: list[Record] = field(default_factory=list)

    def put(self, topic: str, key: str, headers: Sequence[tuple[str, bytes]], body: bytes) -> None:
        place = topic, zlib.crc32(key.encode()) % PARTITIONS
        offset = len(self.lying[place])
        self.told.append(Record(*place, offset, key.encode(), list(headers), body))
        self.lying[place].append(self.told[-1])

    def heard_by(self, service: str) -> list[Partition]:
        return [
            (f"{source}.events", n) for source in sorted(HEARS[service]) for n in range(PARTITIONS)
        ]


@dataclass
class Member:
    """A service: its database, and how far it has read and committed."""

    db: Database
    intake: Intake
    read: dict[Partition, int] = field(default_factory=lambda: defaultdict(int))
    committed: dict[Partition, int] = field(default_factory=lambda: defaultdict(int))


class Shuffled:
    """All services but the registry, which is played; `step` does one thing to one of them."""

    def __init__(self, members: dict[str, Member]) -> None:
        self.broker = Broker()
        self.members = members
        self.people: dict[UUID, WorkerNominated] = {}
        self.cancelled: set[UUID] = set()
        self.erased: set[UUID] = set()
        self.tricks: dict[str, int] = defaultdict(int)
        self._drive = UUID(int=0)
        self._trip = trips.a_trip(minimum_load=1, capacity=200)

    @classmethod
    async def open(cls, service_db: ServiceDb, guards: Guards = GUARDED) -> "Shuffled":
        """Make a world with room for everybody: openings, seats and beds."""
        members = {}
        for name in NAMES:
            handlers = Handlers(name)
            handlers.merge(_HANDLERS[name])
            if name != "console":
                handlers.merge(tenants.HANDLERS)
            db = await service_db(name)
            members[name] = Member(db, Intake(db, handlers, guards))
        one = cls(members)
        await one._furnish()
        return one

    async def _furnish(self) -> None:
        recruitment = jobs.World(self.members["recruitment"].db, "")
        self._drive = await recruitment.open_drive({"openings": 200}, acceptance="on_nomination")
        async with self.members["transport"].db.transaction(role="worker") as tx:
            await schedule_trip(tx, self._trip)
        lodging = Lodging(self.members["lodging"].db, enterprise_id=jobs.ENTERPRISE)
        await lodging.open()
        await lodging.inn([4] * 50, ("南翔镇", "310114"))

    async def step(self, kind: str, pick: int) -> None:
        """Do one thing: a command, or a trick of the broker; a command that can't be is skipped."""
        steps: dict[str, Callable[[int], Awaitable[None]]] = {
            "nominate": self._nominate,
            "cancel": self._cancel,
            "erase": self._erase,
            "delay": self._delay,
            "publish": self._publish,
            "publish twice": partial(self._publish, forgets=True),
            "hear": self._hear,
            "hear and forget": partial(self._hear, forgets=True),
            "rewind": self._rewind,
            "tick": self._tick,
        }
        self.tricks[kind] += 1
        await steps[kind](pick)

    async def rest(self) -> None:
        """Let everybody do all there is to do."""
        while True:
            before = await self._done()
            for n, name in enumerate(NAMES):
                await self._publish(n)
                await self._all_heard(name)
                await self._tick(n)
            if await self._done() == before:
                return

    async def _done(self) -> tuple[int, ...]:
        waiting = [await self.count(name, "SELECT count(*) FROM outbox") for name in NAMES]
        due = [
            await self.count("recruitment", "SELECT count(*) FROM match_due"),
            sum(len(records) for records in self.broker.lying.values()),
        ]
        return (*waiting, *due, *(sum(m.read.values()) for m in self.members.values()))

    def say(self, event: Event, sequence: int = 1, journey_id: UUID | None = None) -> None:
        """Say something as the registry."""
        one = received(event, sequence, journey_id)
        key = event.aggregate_id
        self.broker.put("registry.events", key, one.envelope.to_headers(), event.to_body())

    async def _nominate(self, pick: int) -> None:
        people = [jobs.a_nomination(self._drive) for _ in range(1 + pick % 4)]
        batch = jobs.IDS.uuid7()
        for person in people:
            one = person.model_copy(update={"batch_id": batch})
            self.people[one.nomination_id] = one
            self.say(one)
        self.say(jobs.a_validation(batch, len(people)))

    async def _cancel(self, pick: int) -> None:
        db = self.members["recruitment"].db
        live = await self.rows(
            "recruitment",
            "SELECT placement_id, nomination_id FROM placement WHERE state = 'confirmed'"
            " ORDER BY placement_id",
        )
        if live:
            placement_id, nomination_id = live[pick % len(live)]
            async with app_client("recruitment", db, await a_coordinator(db)) as client:
                path = f"/v1/placements/{placement_id}/cancel"
                answer = await client.post(path, json={"reason": "other"})
            assert answer.status_code == 200, answer.text
            self.cancelled.add(nomination_id)

    async def _erase(self, pick: int) -> None:
        alive = sorted(set(self.people) - self.erased)
        if alive:
            nomination_id = alive[pick % len(alive)]
            person = self.people[nomination_id]
            self.erased.add(nomination_id)
            self.say(WorkerErased(worker_id=person.worker_id))
            fields = person.model_dump() | {"reason": "erased"}
            self.say(NominationEnded.model_validate(fields), 2, nomination_id)

    async def _delay(self, pick: int) -> None:
        async with self.members["transport"].db.transaction(role="worker") as tx:
            await delay(tx, self._trip.trip_id, 30 * (pick % 3), "weather")

    async def _publish(self, pick: int, *, forgets: bool = False) -> None:
        """Send what a service has said, in order; who forgets sends it once more the next time."""
        name = NAMES[pick % len(NAMES)]
        async with self.members[name].db.transaction(role="worker") as tx:
            rows = await tx.fetch("SELECT * FROM outbox ORDER BY outbox_id")
            for row in rows:
                headers = [(n, v.encode()) for n, v in row["headers"].items()]
                self.broker.put(row["topic"], row["record_key"], headers, row["body"])
            if not forgets:
                await tx.execute(
                    "DELETE FROM outbox WHERE outbox_id = ANY($1)", [r["outbox_id"] for r in rows]
                )

    async def _hear(self, pick: int, *, forgets: bool = False) -> None:
        """Let a service take a portion of some partitions, and commit, or die before that."""
        name = NAMES[pick % len(NAMES)]
        member, portion = self.members[name], 1 + pick // 7 % 5
        chosen = [p for n, p in enumerate(self.broker.heard_by(name)) if pick >> n & 1]
        await self._take(member, dict.fromkeys(chosen, portion))
        if forgets:
            member.read = member.committed.copy()
        else:
            member.committed = member.read.copy()

    async def _rewind(self, pick: int) -> None:
        """Let a service begin again at any offset before its own."""
        name = NAMES[pick % len(NAMES)]
        member, places = self.members[name], self.broker.heard_by(name)
        place = places[pick // 5 % len(places)]
        member.read[place] = member.committed[place] = pick % (member.committed[place] + 1)

    async def _tick(self, pick: int) -> None:
        name = NAMES[pick % len(NAMES)]
        if run := _TICKS.get(name):
            async with self.members[name].db.transaction(role="worker") as tx:
                if name == "recruitment":
                    await tx.execute("UPDATE match_due SET due_at = clock_timestamp()")
                await run(tx)

    async def _all_heard(self, name: str) -> None:
        member = self.members[name]
        await self._take(member, dict.fromkeys(self.broker.heard_by(name), 1_000_000))
        member.committed = member.read.copy()

    async def _take(self, member: Member, portions: dict[Partition, int]) -> None:
        records: list[Record] = []
        for place, portion in portions.items():
            found = self.broker.lying[place][member.read[place] :][:portion]
            member.read[place] += len(found)
            records += found
        if records:
            await member.intake.take(records)

    async def rows(self, name: str, sql: str) -> list[Any]:
        async with self.members[name].db.transaction(role="worker") as tx:
            return list(await tx.fetch(sql))

    async def count(self, name: str, sql: str) -> int:
        return int((await self.rows(name, sql))[0][0])
