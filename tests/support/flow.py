"""A rig for the way of events: a service that writes down what it heard, records good and bad."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from contracts.registry import WorkerErased
from shared.consumer import GUARDED, Consumer, Guards
from shared.database import Database
from shared.handlers import Handlers, Received, Refused
from shared.inbox import Record
from shared.relay import Relay
from shared.transaction import Tx
from stack.databases import at_database
from tests.support.events import received
from tests.support.postgres import Templates

T = TypeVar("T")
DEADLINE_S = 180.0
POLL_INTERVAL_S = 0.02
TOPIC = "registry.events"


async def eventually(
    look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], deadline_s: float = DEADLINE_S
) -> T:
    """Look again and again until it is as wanted; fail with what was seen last."""
    end = time.monotonic() + deadline_s
    while True:
        seen = await look()
        if wanted(seen):
            return seen
        assert time.monotonic() < end, f"not in {deadline_s} s; last seen: {seen!r}"
        await asyncio.sleep(POLL_INTERVAL_S)


class Listener:
    """A service whose only effect is a line per event that it heard; it refuses as told."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.handlers = Handlers(db.service)
        self.handlers.on(WorkerErased)(self.on_worker_erased)
        self.refused: set[UUID] = set()
        self.calls = 0

    async def on_worker_erased(self, tx: Tx, heard: Sequence[Received[WorkerErased]]) -> None:
        self.calls += 1
        for one in heard:
            if one.event.worker_id in self.refused:
                raise Refused("not_wanted", "the test said so")
        await tx.execute(
            "INSERT INTO effect (event_id, subject, sequence)"
            " SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])",
            [one.envelope.id for one in heard],
            [one.envelope.subject for one in heard],
            [one.envelope.sequence for one in heard],
        )

    async def effects(self) -> list[tuple[str, int]]:
        """Give (subject, sequence) of each effect in the order in which they happened."""
        rows = await self._fetch("SELECT subject, sequence FROM effect ORDER BY effect_id")
        return [(r["subject"], r["sequence"]) for r in rows]

    async def effect_count(self) -> int:
        return len(await self.effects())

    async def parked(self) -> list[tuple[str, int | None]]:
        """Give (reason, sequence) of each parked record, in the order of parking."""
        rows = await self._fetch(
            "SELECT reason, sequence FROM dead_letter WHERE state = 'parked'"
            " ORDER BY dead_letter_id"
        )
        return [(r["reason"], r["sequence"]) for r in rows]

    async def _fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        async with self.db.transaction(role="worker") as tx:
            return await tx.fetch(sql, *args)


async def a_listener(db: Database, templates: Templates) -> Listener:
    """Make the listener's table in its database."""
    async with db.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    conn = await asyncpg.connect(at_database(templates.server.superuser_url(), name))
    await conn.execute(
        "CREATE TABLE effect (effect_id bigint GENERATED ALWAYS AS IDENTITY, event_id uuid,"
        f" subject text, sequence bigint); GRANT ALL ON effect TO {db.service}_worker"
    )
    await conn.close()
    return Listener(db)


@dataclass(frozen=True)
class Story:
    """Events of one worker, in their sequence, as records."""

    worker_id: UUID
    records: tuple[Record, ...]

    @property
    def subject(self) -> str:
        return f"worker/{self.worker_id}"


def a_record(worker_id: UUID, sequence: int, **changes: Any) -> Record:
    """Make a good record; `changes` are headers (ce_type="..."), or `body` and `key`."""
    one = received(WorkerErased(worker_id=worker_id), sequence)
    headers: dict[str, bytes | None] = {**dict(one.envelope.to_headers())}
    body = changes.pop("body", one.event.to_body())
    key = changes.pop("key", str(worker_id).encode())
    for name, value in changes.items():
        headers[name] = value.encode() if isinstance(value, str) else value
    return Record(TOPIC, 0, 0, key, list(headers.items()), body)


def a_story(length: int, worker_id: UUID | None = None) -> Story:
    """Make a worker's first `length` events."""
    worker_id = worker_id or uuid4()
    return Story(worker_id, tuple(a_record(worker_id, n) for n in range(1, length + 1)))


def in_a_row(records: Iterable[Record], start: int = 0) -> list[Record]:
    """Give records as they would lie one after the other in one partition."""
    return [replace(record, offset=start + n) for n, record in enumerate(records)]


async def produce(bootstrap_servers: str, records: Iterable[Record], topic: str = TOPIC) -> None:
    """Write records into a topic, each after the other."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", linger_ms=5, max_request_size=1_100_000
    )
    await producer.start()
    try:
        sent = [await producer.send(topic, r.body, r.key, headers=list(r.headers)) for r in records]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


@asynccontextmanager
async def running(*parts: Consumer | Relay) -> AsyncIterator[None]:
    """Run consumers and relays; stop them in the end and see that none of them failed."""
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        yield
    finally:
        for part in parts:
            await part.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE_S)


def a_consumer(listener: Listener, bootstrap_servers: str, guards: Guards = GUARDED) -> Consumer:
    """Make a consumer of the registry's topic."""
    return Consumer(
        listener.db, listener.handlers, {"bootstrap_servers": bootstrap_servers}, guards=guards
    )


def twice(effects: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Give what happened more than once."""
    return [effect for effect, n in Counter(effects).items() if n > 1]
