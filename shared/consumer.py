"""Hears the topics: one fetch is one transaction, then its offsets; no record stops the others."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared import dead_letters, inbox
from shared.database import Database
from shared.handlers import Handlers, run_waves
from shared.inbox import Heard, Line, Parking, Record, Subject, read, trouble_of
from shared.transaction import Tx

FETCH_RECORDS_MAX: Final = 2_000
FETCH_BYTES_MAX: Final = 16 * 1024 * 1024
FETCH_TIMEOUT_MS: Final = 10
# The least that a broker grants by default: so long its partitions wait for a member that died.
SESSION_TIMEOUT_MS: Final = 6_000
HEARTBEAT_INTERVAL_MS: Final = 1_000
# A line to a broker that fell silent is given up after this; a group is joined in far less.
REQUEST_TIMEOUT_MS: Final = 20_000
REBALANCE_TIMEOUT_MS: Final = 60_000
# A topic that is made later is found after this time.
METADATA_AGE_MAX_MS: Final = 30_000
COMMIT_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 15.0
RETRY_DELAY_S: Final = 0.1
RETRY_DELAY_S_MAX: Final = 5.0
_LOG = logging.getLogger("consumer")


@dataclass(frozen=True, slots=True)
class Guards:
    """What keeps a record from taking effect twice; tests switch it off to prove its need."""

    inbox: bool = True
    sequence: bool = True
    # False: offsets are committed before the effects, as most consumers do.
    effect_first: bool = True


GUARDED: Final = Guards()


class Intake:
    """Applies fetches of records to a service's database."""

    def __init__(self, db: Database, handlers: Handlers, guards: Guards = GUARDED) -> None:
        self.db = db
        self.handlers = handlers
        self.guards = guards

    async def take(self, records: Sequence[Record]) -> None:
        """Let records take effect or park them; raises only what is no record's fault."""
        await self._settle([read(self.handlers, record) for record in records])

    async def _settle(self, heard: Sequence[Heard]) -> None:
        """Commit all at once; when the data is at fault, by partition, then by halves, to one."""
        try:
            async with self.db.transaction(role="worker") as tx:
                await self._apply(tx, heard)
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is None or (len(heard) == 1 and heard[0].trouble):
                raise
            if len(heard) > 1:
                for part in _parts(heard):
                    await self._settle(part)
                return
            ours = error if trouble.reason == "handler_error" else None
            _LOG.warning("refused: %s %s", *trouble, exc_info=ours)
            heard[0].trouble = trouble
            await self._settle(heard)

    async def _apply(self, tx: Tx, heard: Sequence[Heard]) -> None:
        ids = [one.envelope.id for one in heard if one.envelope]
        fresh = await inbox.claim(tx, ids) if self.guards.inbox else set(ids)
        subjects = {(one.envelope.source, one.envelope.subject) for one in heard if one.envelope}
        lines: dict[Subject, Line] = {}
        if self.guards.sequence:
            lines = await inbox.load_lines(tx, subjects)
        before = {subject: line.last for subject, line in lines.items()}
        applied, parkings = self._placed(heard, lines, fresh)
        await run_waves(tx, self.handlers, inbox.received(applied))
        # What is parked, or was parked before, has yet to take effect.
        await inbox.unclaim(tx, fresh - {one.envelope.id for one in applied if one.envelope})
        await dead_letters.park(tx, parkings)
        await inbox.save_lines(tx, [(s, x.last) for s, x in lines.items() if x.last != before[s]])
        if queues := [s for s, line in lines.items() if line.parked]:
            await dead_letters.release(tx, self.handlers, queues)

    def _placed(
        self, heard: Sequence[Heard], lines: Mapping[Subject, Line], fresh: Collection[UUID]
    ) -> tuple[list[Heard], list[Parking]]:
        """Decide about each record in turn: what is applied or passed over, and what is parked."""
        applied: list[Heard] = []
        parkings: list[Parking] = []
        unheard = set(fresh)
        for one in heard:
            envelope = one.envelope
            if envelope and envelope.id in unheard and lines:
                place = lines[envelope.source, envelope.subject].place(one, envelope.sequence)
            elif one.trouble:
                place = Parking(one, one.trouble)
            else:
                place = envelope is not None and envelope.id in unheard
            if isinstance(place, Parking):
                parkings.append(place)
            elif place:
                applied.append(one)
                if envelope and self.guards.inbox:
                    unheard.discard(envelope.id)
        return applied, parkings


class Reader(AIOKafkaConsumer):  # type: ignore[misc]
    """Reads what the client's own unpacking stops at for ever: a header's name that is not UTF-8.

    There a whole read fails, and what was unpacked before is forgotten. So it is made again
    from what was committed, and this process unpacks leniently, more slowly, from then on.
    """

    _torn = False

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """Give the next records by partition."""
        limits: dict[str, Any] = {"timeout_ms": timeout_ms, "max_records": max_records}
        try:
            if self._torn:
                await self._rewind()
            return dict(await super().getmany(*partitions, **limits))
        except UnicodeDecodeError:
            _LOG.warning("a header's name is not UTF-8: unpacking leniently from now on")
            fetcher.MemoryRecords = _LenientRecords
            self._torn = True
            return {}

    async def _rewind(self) -> None:
        for partition, offset in (await self.seek_to_committed()).items():
            if not offset:
                await self.seek_to_beginning(partition)
        self._torn = False


class _LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self, *_: int) -> Any:  # noqa: ANN401 (the client's own batches)
        unpacked = self._next_slice
        batch = super().next_batch()
        is_newest = isinstance(batch, DefaultRecordBatch) and unpacked is not None
        return _LenientBatch(unpacked) if is_newest else batch


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _LenientBuffer(self._buffer)


class _LenientBuffer(bytearray):
    """Bytes that become a text whatever they are; only names of headers are asked to."""

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 (as any sequence's)
        found = super().__getitem__(key)
        return _LenientBuffer(found) if isinstance(key, slice) else found

    def decode(self, encoding: str = "utf-8", _errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


def _parts(heard: Sequence[Heard]) -> list[Sequence[Heard]]:
    partitions: dict[tuple[str, int], list[Heard]] = defaultdict(list)
    for one in heard:
        partitions[one.record.topic, one.record.partition].append(one)
    if len(partitions) > 1:
        return list(partitions.values())
    middle = len(heard) // 2
    return [heard[:middle], heard[middle:]]


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """A service's member of its consumer group: hears all its topics until it is stopped.

    `kafka` are aiokafka's arguments for a connection. One subscription serves all topics: one
    transaction at a time writes a process's effects, and an idle service costs one loop.
    """

    def __init__(
        self,
        db: Database,
        handlers: Handlers,
        kafka: Mapping[str, Any],
        *,
        guards: Guards = GUARDED,
        topics: Sequence[str] = (),
    ) -> None:
        self.group = handlers.service
        self.topics = list(topics) or [f"{source}.events" for source in handlers.sources()]
        self.last_commit = time.monotonic()
        self.record_count = 0
        self._intake = Intake(db, handlers, guards)
        self._kafka = kafka
        self._busy = asyncio.Lock()
        self._yielding = asyncio.Event()
        self._stopped = asyncio.Event()
        self._subscriber: Any = None

    async def run(self) -> None:
        """Hear until `stop`; without Kafka or PostgreSQL, wait for them."""
        await self._patiently(self._release, self._stopped)
        await self._patiently(self._listen, self._stopped)

    async def stop(self) -> None:
        """Finish the fetch in flight and leave the group."""
        self._stopped.set()
        self._yielding.set()

    async def _release(self) -> None:
        async with self._intake.db.transaction(role="worker") as tx:
            await dead_letters.release_all(tx, self._intake.handlers)

    async def _listen(self) -> None:
        broker = self._broker()
        try:
            await broker.connect()
            config = broker.config.broker_config
            made: Any = config.builder
            config.builder = partial(Reader, **made.keywords)
            await broker.start()
            await self._stopped.wait()
        finally:
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(broker.stop(), STOP_TIMEOUT_S)

    async def _patiently(self, work: Callable[[], Awaitable[None]], end: asyncio.Event) -> bool:
        """Try again, later and later, until it is done (True) or has to be given up."""
        delay = RETRY_DELAY_S
        while not end.is_set():
            try:
                await work()
            # The consume edge: whatever it is, the records stay in Kafka and nothing is skipped.
            except Exception as error:  # noqa: BLE001
                _LOG.warning("trying again in %.1f s", delay, exc_info=error)
            else:
                return True
            with suppress(TimeoutError):
                await asyncio.wait_for(end.wait(), delay)
            delay = min(2 * delay, RETRY_DELAY_S_MAX)
        return False

    def _broker(self) -> KafkaBroker:
        broker = KafkaBroker(
            # FastStream takes one text for one address, unlike aiokafka.
            self._kafka["bootstrap_servers"].split(","),
            client_id=f"shanhai-{self.group}",
            consumer_only=True,
            allow_auto_create_topics=False,
            metadata_max_age_ms=METADATA_AGE_MAX_MS,
            graceful_timeout=STOP_TIMEOUT_S,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            security=_security(self._kafka),
            apply_types=False,
            logger=None,
        )
        self._subscriber = broker.subscriber(
            *self.topics,
            batch=True,
            batch_timeout_ms=FETCH_TIMEOUT_MS,
            max_records=FETCH_RECORDS_MAX,
            fetch_max_bytes=FETCH_BYTES_MAX,
            group_id=self.group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
            listener=self,
            parser=_parsed,
            decoder=_raw,
            no_reply=True,
        )
        self._subscriber(self._on_fetch)
        return broker

    async def _on_fetch(self, fetched: Sequence[Any]) -> None:
        # FastStream's context holds the fetch; a line opened in it would hold it for its life, too.
        await asyncio.create_task(self._hear(fetched), context=Context())

    async def _hear(self, fetched: Sequence[Any]) -> None:
        found = [Record(r.topic, r.partition, r.offset, r.key, r.headers, r.value) for r in fetched]
        async with self._busy:
            if not self._intake.guards.effect_first:
                await self._commit(fetched)
            if await self._patiently(partial(self._intake.take, found), self._yielding):
                self.record_count += len(found)
                await self._commit(fetched)

    async def _commit(self, fetched: Sequence[Any]) -> None:
        """Store the offsets behind a fetch; if that fails, the records come again in vain."""
        offsets = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in fetched}
        try:
            await asyncio.wait_for(self._subscriber.consumer.commit(offsets), COMMIT_TIMEOUT_S)
            self.last_commit = time.monotonic()
        except (KafkaError, TimeoutError) as error:
            _LOG.info("offsets not stored: %s", type(error).__name__)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:  # noqa: ARG002
        """Let the fetch in flight end before another member gets its partitions."""
        self._yielding.set()
        async with self._busy:
            if not self._stopped.is_set():
                self._yielding.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Note the new share."""
        _LOG.info("%s hears %d partitions", self.group, len(assigned))


def _parsed(fetched: tuple[Any, ...]) -> KafkaMessage:
    # Whatever the records hold: nothing of it is looked at here, so nothing can fail.
    return KafkaMessage(raw_message=fetched, body=b"", consumer=FAKE_CONSUMER)


def _raw(message: KafkaMessage) -> Any:  # noqa: ANN401 (FastStream's signature)
    return message.raw_message


def _security(kafka: Mapping[str, Any]) -> BaseSecurity:
    context = kafka.get("ssl_context")
    mechanism = kafka.get("sasl_mechanism")
    if mechanism is None:
        return BaseSecurity(context)
    kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    return kinds[mechanism](kafka["sasl_plain_username"], kafka["sasl_plain_password"], context)
