"""Brings what was said to Kafka: each event at least once, each aggregate's events in order."""

import asyncio
import logging
import time
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.database import OUTBOX_CHANNEL, Database
from shared.outbox import SLOT_COUNT, Floor

if TYPE_CHECKING:
    import asyncpg

ROUND_ROWS_MAX: Final = 1_000
ROUND_BYTES_MAX: Final = 8 * 1024 * 1024
BATCH_BYTES_MAX: Final = 512 * 1024
# Shorter than the producer's own limit: it gives up single batches, which would break their order.
SEND_TIMEOUT_S: Final = 20.0
REQUEST_TIMEOUT_MS: Final = 40_000
START_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 5.0
TOPIC_TIMEOUT_S: Final = 3.0
# So long is a topic left alone that wasn't there.
ABSENT_S: Final = 15.0
QUERY_TIMEOUT_S: Final = 15.0
POLL_DELAY_S: Final = 0.01
POLL_DELAY_S_MAX: Final = 1.0
# Looking takes long while a large transaction fills the outbox: so many times as long is waited.
LOOK_PAUSE: Final = 10
SHARE_INTERVAL_S: Final = 2.0
RETRY_DELAY_S: Final = 0.2
RETRY_DELAY_S_MAX: Final = 5.0
# Any fixed numbers: the class of the slots' advisory locks, and of the one that tells who is here.
SLOT_LOCK: Final = 0x5348_0001
MEMBER_LOCK: Final = 0x5348_0002
_NEVER: Final = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTopicError)
_NOT_YET: Final = object()
# Almost all keys are ids; their length is a multiple of the four bytes that murmur2 takes at once.
_ID_BYTES: Final = 36
_LOG = logging.getLogger("relay")


class Relay:
    """Sends the outbox's rows to Kafka and moves them into the event log, until it is stopped.

    Several relays of one database share its slots. `kafka` are aiokafka's arguments for a
    connection. `sent_count` counts what this one got acknowledged, `slots` are held.
    """

    def __init__(self, db: Database, kafka: Mapping[str, Any]) -> None:
        self.db = db
        self.sent_count = 0
        self._kafka = kafka
        self.slots: set[int] = set()
        self._shared_at = 0.0
        self._rows_max = ROUND_ROWS_MAX
        self._floor = Floor()
        self._absent: dict[str, float] = {}
        self._producer: AIOKafkaProducer | None = None
        self._woken = asyncio.Event()
        self._stopped = False

    async def run(self) -> None:
        """Relay until `stop`; whatever breaks is thrown away and made anew, later and later."""
        delay = RETRY_DELAY_S
        while not self._stopped:
            sent_before = self.sent_count
            try:
                async with self.db.session() as conn:
                    await self._serve(conn)
            # The relay's loop: without it nobody would ever hear of anything again.
            except Exception as error:  # noqa: BLE001
                delay = RETRY_DELAY_S if self.sent_count > sent_before else delay
                _LOG.warning("relaying again in %.1f s", delay, exc_info=error)
                await self._wait(delay)
                delay = min(2 * delay, RETRY_DELAY_S_MAX)
            finally:
                self.slots = set()
                await self._throw_away()

    async def stop(self) -> None:
        """Let `run` end after the round in flight."""
        self._stopped = True
        self._woken.set()

    async def _serve(self, conn: "asyncpg.Connection") -> None:
        await conn.execute(ALONG_THE_INDEX)
        await conn.execute("SELECT pg_advisory_lock_shared($1, 0)", MEMBER_LOCK)
        await conn.add_listener(OUTBOX_CHANNEL, lambda *_: self._woken.set())
        self._shared_at = 0.0
        delay = POLL_DELAY_S
        while not self._stopped:
            await self._share(conn)
            self._woken.clear()
            looked_at = time.monotonic()
            if rows := await self._unsent(conn):
                await self._rounds(conn, rows)
                delay = POLL_DELAY_S
                continue
            delay = max(delay, LOOK_PAUSE * (time.monotonic() - looked_at))
            delay = POLL_DELAY_S if await self._wait(delay) else min(2 * delay, POLL_DELAY_S_MAX)

    async def _unsent(
        self, conn: "asyncpg.Connection", on_their_way: Sequence["asyncpg.Record"] = ()
    ) -> list["asyncpg.Record"]:
        """Look for rows to send, beside those that are on their way already."""
        now = time.monotonic()
        self._absent = {topic: until for topic, until in self._absent.items() if until > now}
        passed = [row["outbox_id"] for row in on_their_way]
        limits = (self._rows_max, ROUND_BYTES_MAX, self._floor.id)
        wanted = ([*self.slots], [*self._absent], *limits, passed)
        return await conn.fetch(UNSENT, *wanted, timeout=QUERY_TIMEOUT_S)

    async def _wait(self, delay: float) -> bool:
        """Wait until woken (True) or for so long."""
        with suppress(TimeoutError):
            return await asyncio.wait_for(self._woken.wait(), delay)
        return False

    async def _share(self, conn: "asyncpg.Connection") -> None:
        """Hold a fair share of the slots: take what is free, give back what is too much."""
        if not self._share_is_due():
            return
        self._shared_at = time.monotonic()
        self._floor = Floor() if self._floor.is_old() else self._floor
        await conn.execute("SELECT make_event_log_partitions()", timeout=QUERY_TIMEOUT_S)
        members = await conn.fetchval(_MEMBERS, MEMBER_LOCK, timeout=QUERY_TIMEOUT_S)
        share = -(-SLOT_COUNT // max(members, 1))
        if len(self.slots) < share:
            missing = [*set(range(SLOT_COUNT)) - self.slots]
            taken = {r["slot"] for r in await conn.fetch(_TAKE, SLOT_LOCK, missing)}
            self.slots |= taken
            # Others may have left something below it in what is ours now.
            self._floor = Floor() if taken else self._floor
        surplus = sorted(self.slots)[share:]
        await conn.execute(_GIVE_BACK, SLOT_LOCK, surplus)
        self.slots -= set(surplus)

    def _share_is_due(self) -> bool:
        return time.monotonic() - self._shared_at >= SHARE_INTERVAL_S

    async def _rounds(self, conn: "asyncpg.Connection", rows: Sequence["asyncpg.Record"]) -> None:
        """Send rows in their order, then move what Kafka has, and so on with the next ones.

        While a round is on its way, the one before is moved and the next one looked for. That is
        sent only if Kafka took this one whole: so nothing overtakes what was refused or left over.
        No transaction is open meanwhile.
        """
        done: list[int] = []
        failed = None
        while rows:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._answers(rows))
                await self._move(conn, done)
                await self._floor.rise(conn, self.slots, rows[-1]["outbox_id"])
                ahead = await self._ahead(conn, rows)
            done, failed = _acknowledged(rows, sending.result())
            if failed:
                break
            rows = ahead if len(done) == len(rows) else []
            self._rows_max = min(2 * self._rows_max, ROUND_ROWS_MAX)
        await self._move(conn, done)
        if failed:
            await self._throw_away()
            await self._give_up_or_raise(conn, *failed)

    async def _ahead(
        self, conn: "asyncpg.Connection", rows: Sequence["asyncpg.Record"]
    ) -> list["asyncpg.Record"]:
        """Look for the next round if there may well be one; slots change hands between rounds."""
        if len(rows) < self._rows_max or self._stopped or self._share_is_due():
            return []
        return await self._unsent(conn, rows)

    async def _answers(self, rows: Sequence["asyncpg.Record"]) -> Sequence[object]:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await self._send(rows)
        except TimeoutError:
            return [TimeoutError("not acknowledged in time")] * len(rows)

    async def _move(self, conn: "asyncpg.Connection", done: Sequence[int]) -> None:
        if done:
            await conn.execute(_MOVE, done, timeout=QUERY_TIMEOUT_S)
            self.sent_count += len(done)

    async def _give_up_or_raise(
        self, conn: "asyncpg.Connection", row: "asyncpg.Record", error: BaseException
    ) -> None:
        """Park the aggregate of a row that can never be sent; which one it is shows alone."""
        if not isinstance(error, _NEVER):
            raise error
        if self._rows_max == 1:
            _LOG.error("outbox row %d can't be sent: %s", row["outbox_id"], type(error).__name__)
            await conn.execute(_PARK, row["outbox_id"], type(error).__name__)
        else:
            self._rows_max = 1

    async def _send(self, rows: Sequence["asyncpg.Record"]) -> list[object]:
        """Send a batch per partition, each row behind the one before; give each row's result."""
        producer = await self._ready({row["topic"] for row in rows})
        results: list[object] = [_NOT_YET] * len(rows)
        sent: list[Any] = []
        batches = await self._batches(producer, rows)
        for batch in batches:
            try:
                sent.append(
                    await producer.send_batch(batch.builder, batch.topic, partition=batch.partition)
                )
            except KafkaError as error:
                results[batch.places[0]] = error
                break
        answers = await asyncio.gather(*sent, return_exceptions=True)
        for batch, answer in zip(batches, answers, strict=False):
            for place in batch.places:
                results[place] = answer
        return results

    async def _batches(
        self, producer: AIOKafkaProducer, rows: Sequence["asyncpg.Record"]
    ) -> list["PartitionBatch"]:
        """Put rows into one batch a partition; what is behind a full one waits for the next round.

        A second batch could be taken after the first was refused, and its rows overtake.
        """
        batches: dict[tuple[str, int], PartitionBatch] = {}
        counts: dict[str, int] = {}
        keys = [row["record_key"].encode() for row in rows]
        for place, (row, key, hash_) in enumerate(zip(rows, keys, hashes_of(keys), strict=True)):
            topic = row["topic"]
            if topic in self._absent:
                break
            if topic not in counts:
                counts[topic] = len(await producer.partitions_for(topic))
            # As every client of Kafka finds a key's partition: the hash without its sign.
            partition = (hash_ & 0x7FFF_FFFF) % counts[topic]
            batch = batches.get((topic, partition))
            if batch is None:
                batch = PartitionBatch(topic, partition, producer.create_batch())
                batches[topic, partition] = batch
            batch.add(place, key, row)
        for batch in batches.values():
            batch.builder.close()
        return [*batches.values()]

    async def _ready(self, topics: set[str]) -> AIOKafkaProducer:
        """Give a started producer; a topic that isn't there waits, and doesn't stop the others."""
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                **self._kafka,
                client_id=f"shanhai-{self.db.service}-relay",
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES_MAX,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
            )
            await asyncio.wait_for(self._producer.start(), START_TIMEOUT_S)
        for topic in topics:
            try:
                await asyncio.wait_for(self._producer.partitions_for(topic), TOPIC_TIMEOUT_S)
            except (TimeoutError, UnknownTopicOrPartitionError):
                _LOG.error("there is no topic %s", topic)
                self._absent[topic] = time.monotonic() + ABSENT_S
        return self._producer

    async def _throw_away(self) -> None:
        """End the producer for good: `stop` alone can hang, and its sender would go on."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), STOP_TIMEOUT_S)
        except (TimeoutError, KafkaError):
            sender = producer._sender.sender_task  # noqa: SLF001 (nothing public ends it)
            if sender:
                sender.cancel()
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(producer.client.close(), STOP_TIMEOUT_S)


@dataclass(slots=True)
class PartitionBatch:
    """Rows of one partition on their way; `places` are theirs in the round."""

    topic: str
    partition: int
    builder: BatchBuilder
    places: list[int] = field(default_factory=list)

    def add(self, place: int, key: bytes, row: "asyncpg.Record | Mapping[str, Any]") -> None:
        """Take a row if there is room, as for a first one there always is.

        The builder closes itself for want of it: no smaller row overtakes.
        """
        headers = [(name, value.encode()) for name, value in row["headers"].items()]
        if self.builder.append(timestamp=None, key=key, value=row["body"], headers=headers):
            self.places.append(place)


def _acknowledged(
    rows: Sequence["asyncpg.Record"], results: Sequence[object]
) -> tuple[list[int], tuple["asyncpg.Record", BaseException] | None]:
    """Give the rows that Kafka has, up to each aggregate's first failure, and the first failure."""
    done: list[int] = []
    failed: tuple[asyncpg.Record, BaseException] | None = None
    broken: set[str] = set()
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, BaseException):
            broken.add(row["subject"])
            failed = failed or (row, result)
        elif result is _NOT_YET:
            broken.add(row["subject"])
        elif row["subject"] not in broken:
            done.append(row["outbox_id"])
    return done, failed


def hashes_of(keys: Sequence[bytes]) -> Sequence[int]:
    """Give each key's murmur2; if all are as long as an id is, in a tenth of the library's time.

    They are hashed side by side in one long number, in which each has a lane of 64 bits: wide
    enough for a product of two words.
    """
    if {*map(len, keys)} != {_ID_BYTES}:
        return [murmur2(key) for key in keys]
    ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * len(keys), "little")
    low, factor = 0xFFFF_FFFF * ones, 0x5BD1_E995
    words = array("I", b"".join(keys))
    hashes = (0x9747_B28C ^ _ID_BYTES) * ones
    for n in range(_ID_BYTES // 4):
        word = int.from_bytes(array("Q", words[n :: _ID_BYTES // 4]).tobytes(), "little")
        word = word * factor & low
        hashes = (hashes * factor ^ (word ^ (word >> 24 & low)) * factor) & low
    hashes = (hashes ^ (hashes >> 13 & low)) * factor & low
    return array("Q", (hashes ^ (hashes >> 15 & low)).to_bytes(8 * len(keys), "little"))


_MEMBERS: Final = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = 0
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_TAKE: Final = """
SELECT slot FROM (
    SELECT slot, pg_try_advisory_lock($1, slot) AS taken FROM unnest($2::int[]) AS slot OFFSET 0
) t WHERE taken
"""
_GIVE_BACK: Final = "SELECT pg_advisory_unlock($1, slot) FROM unnest($2::int[]) AS slot"
# The outbox is empty, then full, then empty: any statistics of it are wrong. So a session of the
# relay knows one way to look for rows, along the index, and stops after those that it takes.
ALONG_THE_INDEX: Final = """
SELECT set_config(name, 'off', false)
FROM unnest('{enable_seqscan,enable_bitmapscan,enable_sort}'::text[]) AS name
"""
# Rows behind a parked one of the same aggregate stay; a round is bounded in rows and in bytes.
UNSENT: Final = """
SELECT outbox_id, topic, record_key, subject, headers, body FROM (
    SELECT *, sum(octet_length(body)) OVER ahead - octet_length(body) AS before FROM (
        SELECT outbox_id, topic, record_key, subject, headers, body FROM outbox
        WHERE slot = ANY($1::smallint[]) AND topic <> ALL($2::text[]) AND subject <> ALL(
            ARRAY(SELECT p.subject FROM outbox p WHERE p.parked_reason IS NOT NULL))
            AND outbox_id > $5 AND outbox_id NOT IN (SELECT unnest($6::bigint[]))
        ORDER BY outbox_id LIMIT $3
    ) head WINDOW ahead AS (ORDER BY outbox_id ROWS UNBOUNDED PRECEDING)
) sized WHERE before < $4 ORDER BY outbox_id
"""
# Nobody else has these rows; if somebody had after all, the log's key would refuse them twice.
_MOVE: Final = """
WITH gone AS (DELETE FROM outbox WHERE outbox_id = ANY($1::bigint[]))
INSERT INTO event_log (event_id, topic, record_key, subject, sequence, headers, body, recorded_at,
    outbox_id)
SELECT event_id, topic, record_key, subject, sequence, headers, body, recorded_at, outbox_id
FROM outbox WHERE outbox_id = ANY($1::bigint[])
"""
_PARK: Final = "UPDATE outbox SET parked_reason = $2 WHERE outbox_id = $1"
