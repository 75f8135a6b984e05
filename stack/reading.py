"""Reads topics from their start, or on and on, without being a member of any group."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from stack.topics import event_topics

READ_TIMEOUT_MS: Final = 500
FETCH_BYTES_MAX: Final = 8 * 1024 * 1024


async def records(
    bootstrap_servers: str, topics: Sequence[str] | None = None
) -> AsyncGenerator[ConsumerRecord, None]:
    """Give every record of these topics (all event topics) from the start up to now.

    In order within a partition only.
    """
    consumer = await _assigned(bootstrap_servers, topics)
    try:
        await consumer.seek_to_beginning()
        ends: dict[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
        left = {partition for partition, end in ends.items() if end}
        while left:
            for partition, batch in (await consumer.getmany(timeout_ms=READ_TIMEOUT_MS)).items():
                for record in batch:
                    yield record
                if await consumer.position(partition) >= ends[partition]:
                    left.discard(partition)
    finally:
        await consumer.stop()


async def following(
    bootstrap_servers: str, topics: Sequence[str], *, from_start: bool
) -> AsyncGenerator[ConsumerRecord, None]:
    """Give the records of these topics as they come, without an end; also those there already."""
    consumer = await _assigned(bootstrap_servers, topics)
    try:
        if from_start:
            await consumer.seek_to_beginning()
        else:
            await consumer.seek_to_end()
        while True:
            for batch in (await consumer.getmany(timeout_ms=READ_TIMEOUT_MS)).values():
                for record in batch:
                    yield record
    finally:
        await consumer.stop()


async def _assigned(bootstrap_servers: str, topics: Sequence[str] | None) -> AIOKafkaConsumer:
    names = topics or [t.name for t in event_topics()]
    # Without a group a consumer has all partitions from its start on, and commits nothing.
    consumer = AIOKafkaConsumer(
        *names,
        bootstrap_servers=bootstrap_servers,
        group_id=None,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
    )
    await consumer.start()
    return consumer
