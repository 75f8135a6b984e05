"""Lodging on a real Kafka: events of several topics in every order of arrival, one final state."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from contracts import Event
from services.lodging.consumers import HANDLERS
from services.lodging.handlers.tickers import TICKERS
from shared.consumer import Consumer
from shared.inbox import Record
from shared.relay import Relay
from shared.ticker import Tickers
from tests.integration.lodging.test_orders import (
    STORIES,
    Keys,
    end_of,
    interleavings,
    of_another_person,
)
from tests.integration.lodging.world import NANXIANG, World
from tests.support.events import received
from tests.support.flow import eventually, produce, running
from tests.support.kafka import Broker

TOPICS = ("registry.events", "recruitment.events", "transport.events", "lodging.events")


@pytest.mark.parametrize("story", STORIES[:3], ids=lambda s: s.__name__)
async def test_through_kafka_every_order_ends_the_same(
    world: World, fresh_kafka: Broker, story: Any
) -> None:
    await fresh_kafka.create(*TOPICS)
    await world.inn([8] * 4, name="嘉定店")
    await world.inn([8] * 4, place=NANXIANG, name="南翔店")
    keys: Keys = story(world)
    # What they end as without Kafka is what they have to end as with it.
    alone = of_another_person([event for key in keys for event in key])
    await world.hear(*alone)
    wanted = await end_of(world, alone[0].worker_id)
    orders = [of_another_person(order) for order in interleavings(keys)]
    workers: list[UUID] = [order[0].worker_id for order in orders]
    kafka = {"bootstrap_servers": fresh_kafka.bootstrap_servers}
    consumer, relay = Consumer(world.db, HANDLERS, kafka), Relay(world.db, kafka)
    parts = (consumer, Tickers(world.db, TICKERS), relay)
    told = sum(len(order) for order in orders)

    async def left() -> int:
        """Count what isn't heard, settled or said yet."""
        rest = await world.count("unsettled") + await world.count("outbox")
        return told - consumer.record_count + rest

    async def ends() -> set[Any]:
        return {await end_of(world, worker_id) for worker_id in workers}

    async with running(*parts):  # type: ignore[arg-type]
        for step in range(len(orders[0])):
            await tell(fresh_kafka, [(order, step) for order in orders])
        await eventually(left, lambda count: count == 0)
        await eventually(ends, lambda seen: seen == {wanted})
    assert await world.count("dead_letter") == 0


async def tell(kafka: Broker, steps: Sequence[tuple[list[Any], int]]) -> None:
    """Tell each order's next event, with its place in its subject's sequence."""
    by_topic: dict[str, list[Record]] = {}
    for order, step in steps:
        event: Event = order[step]
        sequence = sum(e.subject == event.subject for e in order[: step + 1])
        one = received(event, sequence)
        headers = list(one.envelope.to_headers())
        topic = f"{event.service}.events"
        record = Record(topic, 0, 0, event.aggregate_id.encode(), headers, event.to_body())
        by_topic.setdefault(topic, []).append(record)
    for topic, records in by_topic.items():
        await produce(kafka.bootstrap_servers, records, topic)
