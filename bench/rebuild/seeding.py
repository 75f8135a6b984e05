"""Fills the topics with the events of many invented journeys, as their services' relays would."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaProducer

from bench.monitor.telling import STEPS, Person
from contracts import Envelope, Event
from shared.clock import real_now
from shared.ids import Ids

#: So many persons' ways are told at the same time, step by step.
TOGETHER: Final = 500
#: Most get to the end of their way; the others stand somewhere on it.
TO_THE_END: Final = 0.7
BATCH_BYTES_MAX: Final = 512 * 1024
LINGER_MS: Final = 20
_IDS: Final = Ids()


def told(count: int, offices: Sequence[UUID], enterprises: Sequence[UUID]) -> Iterator[Event]:
    """Give at least `count` events, each thing's in its order."""
    dice, given = random.Random(count), 0
    while given < count:
        pairs = [(dice.choice(offices), dice.choice(enterprises)) for _ in range(TOGETHER)]
        people = [
            Person.invented(_IDS, {"office_id": office, "enterprise_id": enterprise})
            for office, enterprise in pairs
        ]
        ends = [
            len(STEPS) if dice.random() < TO_THE_END else dice.randint(1, len(STEPS))
            for _ in people
        ]
        for step in range(len(STEPS)):
            for person, end in zip(people, ends, strict=True):
                if step < end:
                    given += 1
                    yield person.event(step)


async def seed(bootstrap_servers: str, events: Iterator[Event]) -> int:
    """Send events to their topics, sequences and all; give how many."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, linger_ms=LINGER_MS, max_batch_size=BATCH_BYTES_MAX
    )
    await producer.start()
    count, sent = 0, []
    sequences: Counter[str] = Counter()
    try:
        for event in events:
            sequences[event.subject] += 1
            headers = _envelope(event, sequences[event.subject]).to_headers()
            key = event.aggregate_id.encode()
            topic = f"{event.service}.events"
            sent.append(await producer.send(topic, event.to_body(), key, headers=headers))
            count += 1
            if len(sent) == TOGETHER:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return count


def _envelope(event: Event, sequence: int) -> Envelope:
    return Envelope(
        id=_IDS.uuid7(), type=event.wire_type, source=f"/{event.service}", subject=event.subject,
        sequence=sequence, tenant_id=event.office_id, correlation_id=event.nomination_id,  # type: ignore[attr-defined]
        causation_id=None, time=real_now(),
    )  # fmt: skip
