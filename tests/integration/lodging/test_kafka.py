"""Lodging on a real Kafka: events of several topics in every order of arrival, one final state."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts import Event
from services.lodging.consumers import HANDLERS
from services.lodging.handlers import guests
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
from tests.integration.lodging.world import NANXIANG, World, at
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


@pytest.mark.parametrize("steps", [("delay", "check in"), ("check in", "delay")], ids="-".join)
async def test_through_kafka_a_delay_before_or_after_the_check_in_ends_the_same(
    world: World, fresh_kafka: Broker, steps: Sequence[str]
) -> None:
    await fresh_kafka.create(*TOPICS)
    await world.inn([2])
    placement = world.placement()
    seat = world.seat(placement)
    late = world.seat_changed(seat, arrives_at=seat.arrives_at + timedelta(days=1))
    order: list[Any] = [placement, seat, late]
    kafka = {"bootstrap_servers": fresh_kafka.bootstrap_servers}
    consumer, relay = Consumer(world.db, HANDLERS, kafka), Relay(world.db, kafka)
    parts = (consumer, Tickers(world.db, TICKERS), relay)

    async def state() -> Any:
        stays = await world.stays(placement.worker_id)
        return stays[-1]["state"] if stays else None

    async def heard_and_settled() -> int:
        return consumer.record_count - await world.count("unsettled")

    async with running(*parts):  # type: ignore[arg-type]
        for step in range(2):
            await tell(fresh_kafka, [(order, step)])
        await eventually(state, lambda seen: seen == "confirmed")
        for step in steps:
            if step == "delay":
                await tell(fresh_kafka, [(order, 2)])
                await eventually(heard_and_settled, lambda count: count == len(order))
            else:
                stay = await world.stay(placement.worker_id)
                # The inn tells it in the evening of the first night.
                world.now = at(world.first_night, 20)
                await world.act(guests.check_in, stay["stay_id"], None)
    stay = await world.stay(placement.worker_id)
    assert (stay["state"], stay["check_in_on"]) == ("checked_in", world.first_night)
    assert stay["check_out_on"] == world.first_night + timedelta(days=5)
    assert await world.count("dead_letter") == 0


async def test_with_its_own_tickers_a_no_shows_bed_is_the_nexts_within_sixty_seconds(
    world: World,
) -> None:
    await world.inn([1])
    first = world.placement(needs_seat=False, starts_on=world.today + timedelta(days=1))
    second = world.placement(needs_seat=False, starts_on=world.today + timedelta(days=1))
    await world.hear(first)
    await world.hear(second)
    assert (await world.stay(second.worker_id))["state"] == "waitlisted"

    async def next_in_line() -> str:
        return str((await world.stay(second.worker_id))["state"])

    async with running(Tickers(world.db, TICKERS)):  # type: ignore[arg-type]
        async with world.tx() as tx:
            await tx.execute("UPDATE stay SET cut_off_at = now() WHERE state = 'confirmed'")
        await eventually(next_in_line, lambda state: state == "confirmed", deadline_s=60)
    assert (await world.stay(first.worker_id))["state"] == "missed"
