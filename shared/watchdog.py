"""How far a service is behind, and the end of a process that stalls though nothing is away."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.database import Database

MEASURE_INTERVAL_S: Final = 5.0
MEASURE_TIMEOUT_S: Final = 20.0
STALL_S: Final = 60.0
PEEK_BYTES: Final = 64 * 1024
PEEK_TIMEOUT_MS: Final = 300
PEEKS_MAX: Final = 5
_LOG = logging.getLogger("watchdog")


class Lag(NamedTuple):
    """How many records of a topic wait for this service, and for how long the oldest has."""

    waiting: int
    oldest_s: float


class StalledError(Exception):
    """Records wait and nothing moves, though Kafka and PostgreSQL can be reached: start anew."""


class Watchdog:
    """Measures a group's lag with a connection of its own; a stalled client is no witness."""

    def __init__(
        self,
        db: Database,
        kafka: Mapping[str, Any],
        topics: Sequence[str],
        stall_s: float = STALL_S,
    ) -> None:
        self.lag: dict[str, Lag] = {}
        self._db = db
        self._kafka = kafka
        self._topics = topics
        self._stall_s = stall_s
        self._committed = -1
        self._moved_at = time.monotonic()
        self._stopped = asyncio.Event()

    @property
    def still_s(self) -> float:
        """For how long records have waited without any progress of the group, in seconds."""
        return time.monotonic() - self._moved_at

    async def run(self) -> None:
        """Measure until `stop`; raises `StalledError`."""
        while not self._stopped.is_set():
            try:
                await self._watch()
            except (KafkaError, OSError) as error:
                # What is away is somebody else's trouble, and will come back.
                self._moved_at = time.monotonic()
                _LOG.warning("lag unknown: %s", type(error).__name__)
            await self._ending()

    async def stop(self) -> None:
        """Let `run` end."""
        self._stopped.set()

    async def _ending(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), MEASURE_INTERVAL_S)

    async def _watch(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._kafka,
            client_id=f"shanhai-{self._db.service}-watchdog",
            group_id=self._db.service,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=PEEK_BYTES,
        )
        try:
            await asyncio.wait_for(consumer.start(), MEASURE_TIMEOUT_S)
            while not self._stopped.is_set():
                await asyncio.wait_for(self._measure(consumer), MEASURE_TIMEOUT_S)
                await self._judge()
                await self._ending()
        finally:
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(consumer.stop(), MEASURE_TIMEOUT_S)

    async def _measure(self, consumer: AIOKafkaConsumer) -> None:
        # Nothing public tells a topic's partitions to who does not subscribe to it.
        known = await consumer._client.fetch_all_metadata()  # noqa: SLF001
        partitions = [
            TopicPartition(t, n) for t in self._topics for n in known.partitions_for_topic(t) or ()
        ]
        # What the client drops with an assignment, buffers among it, lies in cycles for hours.
        if consumer.assignment() != set(partitions):
            consumer.assign(partitions)
            consumer.pause(*partitions)
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        stored = await asyncio.gather(*(consumer.committed(p) for p in partitions))
        offsets = {p: s or begins[p] for p, s in zip(partitions, stored, strict=True)}
        behind = {p: ends[p] - offset for p, offset in offsets.items() if ends[p] > offset}
        ages = await _oldest(consumer, {p: offsets[p] for p in behind})
        self.lag = {
            topic: Lag(sum(n for p, n in behind.items() if p.topic == topic), ages.get(topic, 0.0))
            for topic in self._topics
        }
        committed = sum(offsets.values())
        if committed != self._committed or not behind:
            self._committed, self._moved_at = committed, time.monotonic()

    async def _judge(self) -> None:
        if self.still_s < self._stall_s:
            return
        async with self._db.transaction(role="worker", read_only=True):
            waiting = {topic: lag.waiting for topic, lag in self.lag.items() if lag.waiting}
        raise StalledError(f"nothing was heard for {self.still_s:.0f} s, waiting: {waiting}")


async def _oldest(
    consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]
) -> dict[str, float]:
    """Give by topic the age in seconds of the first of the records that wait."""
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)
    consumer.resume(*offsets)
    ages: dict[str, float] = {}
    unread = set(offsets)
    for _ in range(PEEKS_MAX):
        found = await consumer.getmany(*unread, timeout_ms=PEEK_TIMEOUT_MS) if unread else {}
        # At once, before the client fetches what nobody will read.
        consumer.pause(*found)
        for partition, records in found.items():
            age = max(0.0, time.time() - records[0].timestamp / 1000)
            ages[partition.topic] = max(age, ages.get(partition.topic, 0.0))
        unread -= found.keys()
    consumer.pause(*unread)
    return ages
