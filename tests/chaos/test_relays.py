"""Relays that are built as one often sees them: each loses or reorders what ours does not."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError

from contracts import Envelope
from contracts.registry import WorkerErased
from shared import outbox, relay
from shared.database import Database
from shared.relay import Relay
from stack.reading import records
from tests.support.flow import TOPIC, eventually, running
from tests.support.kafka import Broker
from tests.support.postgres import ServiceDb

RELAYS = 3
_ROWS = "SELECT outbox_id, topic, record_key, subject, headers, body FROM outbox"


@pytest_asyncio.fixture
async def speaker(service_db: ServiceDb) -> Database:
    """A service that has something to say."""
    return await service_db("registry")


class Skipping(Relay):
    """Takes for sent what was refused: it goes on, and nobody ever hears of it."""

    async def _send(self, rows: Sequence[Any]) -> list[object]:
        results = await super()._send(rows)
        return [None if isinstance(r, BaseException) else r for r in results] or [None] * len(rows)


class SkipLocked(Relay):
    """Shares the work by SKIP LOCKED instead of slots: others overtake a locked row."""

    #: Alone it would keep the order: none begins before all of them serve.
    together = asyncio.Barrier(RELAYS)
    has_begun = False

    async def _serve(self, conn: Any) -> None:
        if not self.has_begun:
            self.has_begun = True
            await self.together.wait()
        while not self._stopped:
            async with conn.transaction():
                rows = await conn.fetch(
                    f"{_ROWS} ORDER BY outbox_id LIMIT 3 FOR UPDATE SKIP LOCKED"
                )
                if rows:
                    await self._rounds(conn, rows)
            if not rows:
                await self._wait(0.01)


class Cursor(Relay):
    """Asks for what is behind the last it saw: a row that is committed later is never seen."""

    last = 0

    async def _unsent(self, conn: Any, on_their_way: Sequence[Any] = ()) -> list[Any]:
        assert not on_their_way
        rows: list[Any] = await conn.fetch(
            f"{_ROWS} WHERE outbox_id > $1 ORDER BY outbox_id LIMIT 1000", self.last
        )
        self.last = max([self.last, *(r["outbox_id"] for r in rows)])
        return rows


class Hasty(Relay):
    """Goes on with what it looked for ahead, though the round before was refused."""

    async def _rounds(self, conn: Any, rows: Sequence[Any]) -> None:
        try:
            await super()._rounds(conn, rows)
        except KafkaError:
            await super()._rounds(conn, await self._unsent(conn, rows))
            raise


def refusing_once(kind: type[Relay]) -> type[Relay]:
    """Make a relay whose first round Kafka refuses."""

    class Refused(kind):  # type: ignore[misc,valid-type]
        refusals = 0

        async def _ready(self, topics: set[str]) -> Any:
            producer = await super()._ready(topics)
            if not self.refusals:
                self.refusals += 1
                return _Deaf(producer)
            return producer

    return Refused


class _Deaf:
    def __init__(self, producer: Any) -> None:
        self.partitions_for, self.create_batch = producer.partitions_for, producer.create_batch

    async def send_batch(self, *_: Any, **__: Any) -> None:
        raise KafkaError("not now")


def say(tx: Any, workers: Sequence[UUID]) -> None:
    for worker_id in workers:
        tx.say(WorkerErased(worker_id=worker_id), tenant_id=None)


async def pending(db: Database) -> int:
    async with db.transaction(role="worker") as tx:
        return int(await tx.fetchval("SELECT count(*) FROM outbox"))


async def lying(kafka: Broker) -> list[Envelope]:
    found = [r async for r in records(kafka.bootstrap_servers, [TOPIC])]
    return [Envelope.from_headers(r.headers) for r in found]


def inversions(found: Sequence[Envelope]) -> int:
    """Count first occurrences that come before an earlier one of their subject."""
    last: Counter[str] = Counter()
    seen: set[UUID] = set()
    count = 0
    for one in found:
        if one.id not in seen:
            seen.add(one.id)
            count += one.sequence != last[one.subject] + 1
            last[one.subject] = max(one.sequence, last[one.subject])
    return count


async def relayed(kind: type[Relay], speaker: Database, kafka: Broker) -> list[Envelope]:
    """Let three relays of a kind bring out what many writers say about few aggregates."""
    workers = [uuid4() for _ in range(4)]

    async def write() -> None:
        for _ in range(25):
            async with speaker.transaction(role="worker") as tx:
                say(tx, workers)

    at = {"bootstrap_servers": kafka.bootstrap_servers}
    async with running(*(kind(speaker, at) for _ in range(RELAYS))):
        await asyncio.gather(*(write() for _ in range(4)))
        await eventually(partial(pending, speaker), lambda n: n == 0)
    return await lying(kafka)


async def test_our_relays_keep_the_order_of_each_aggregate(
    speaker: Database, fresh_kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Their looks begin behind what was moved, as after thousands of events.
    monkeypatch.setattr(outbox, "FLOOR_STEP", 1)
    found = await relayed(Relay, speaker, fresh_kafka)
    assert len({e.id for e in found}) == 400
    assert inversions(found) == 0


async def test_relays_with_skip_locked_break_it(speaker: Database, fresh_kafka: Broker) -> None:
    found = await relayed(SkipLocked, speaker, fresh_kafka)
    assert inversions(found) > 0


@pytest.mark.parametrize(("kind", "heard"), [(Relay, 2), (Cursor, 1)])
async def test_only_a_cursor_over_ids_misses_what_is_committed_late(
    speaker: Database, fresh_kafka: Broker, kind: type[Relay], heard: int
) -> None:
    """A transaction takes its ids first and commits last."""
    at = {"bootstrap_servers": fresh_kafka.bootstrap_servers}

    async def arrived() -> int:
        return len([r async for r in records(fresh_kafka.bootstrap_servers, [TOPIC])])

    async with running(kind(speaker, at)):
        async with speaker.transaction(role="worker") as early:
            await early.execute(_EARLY, uuid4())
            async with speaker.transaction(role="worker") as late:
                say(late, [uuid4()])
            await eventually(arrived, lambda n: n == 1)
        async with speaker.transaction(role="worker") as after:
            say(after, [uuid4()])
        await eventually(arrived, lambda n: n >= heard + 1)
        await eventually(partial(pending, speaker), lambda n: n == 2 - heard)


@pytest.mark.parametrize(("kind", "lost"), [(Relay, 0), (Skipping, 1)])
async def test_only_a_relay_that_skips_loses_what_kafka_refused(
    speaker: Database, fresh_kafka: Broker, kind: type[Relay], lost: int
) -> None:
    async with speaker.transaction(role="worker") as tx:
        say(tx, [uuid4() for _ in range(3)])
    at = {"bootstrap_servers": fresh_kafka.bootstrap_servers}
    async with running(refusing_once(kind)(speaker, at)):
        await eventually(partial(pending, speaker), lambda n: n == 0)
    assert len(await lying(fresh_kafka)) == 3 - lost


@pytest.mark.parametrize(("kind", "in_order"), [(Relay, True), (Hasty, False)])
async def test_only_a_hasty_relay_lets_the_next_round_overtake_one_that_was_refused(
    speaker: Database,
    fresh_kafka: Broker,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Relay],
    *,
    in_order: bool,
) -> None:
    monkeypatch.setattr(relay, "ROUND_ROWS_MAX", 4)
    async with speaker.transaction(role="worker") as tx:
        say(tx, [uuid4()] * 12)
    at = {"bootstrap_servers": fresh_kafka.bootstrap_servers}
    async with running(refusing_once(kind)(speaker, at)):
        await eventually(partial(pending, speaker), lambda n: n == 0)
    found = await lying(fresh_kafka)
    assert len({e.id for e in found}) == 12
    assert (inversions(found) == 0) is in_order


async def test_what_no_longer_fits_into_a_batch_is_not_overtaken_by_the_next_round(
    speaker: Database, fresh_kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ROUND_ROWS_MAX", 4)
    monkeypatch.setattr(relay, "BATCH_BYTES_MAX", 1)
    async with speaker.transaction(role="worker") as tx:
        say(tx, [uuid4()] * 12)
    async with running(Relay(speaker, {"bootstrap_servers": fresh_kafka.bootstrap_servers})):
        await eventually(partial(pending, speaker), lambda n: n == 0)
    assert [e.sequence for e in await lying(fresh_kafka)] == list(range(1, 13))


#: What a transaction writes that has not committed yet: a finished row.
_EARLY = """
INSERT INTO outbox (event_id, slot, topic, record_key, subject, sequence, headers, body)
SELECT $1, 0, 'registry.events', 'x', 'worker/x', 1, '{}', ''
"""
