"""Through real Kafka: placements in, seats out, stopped half-way, with records that come twice."""

import time
from collections import Counter, defaultdict
from typing import Any

from aiokafka import AIOKafkaConsumer

from contracts import Envelope, Event, decode
from services.transport.consumers import HANDLERS
from services.transport.handlers.trips import cancel_trip, delay, open_trip, schedule_trip
from services.transport.store.trips import load_trips
from shared.consumer import Consumer
from shared.database import Database
from shared.inbox import Record
from shared.relay import Relay
from tests.integration.transport.world import (
    a_group,
    a_placement,
    a_trip,
    cancelled,
    settle,
    states,
)
from tests.support.events import received
from tests.support.flow import DEADLINE_S, eventually, produce, running
from tests.support.kafka import Broker
from tests.support.postgres import ServiceDb

FROM = "recruitment.events"
TO = "transport.events"


def as_records(*events: Event) -> list[Record]:
    """Give events as recruitment would have said them, in order per placement."""
    counts: Counter[str] = Counter()
    found = []
    for event in events:
        counts[event.subject] += 1
        one = received(event, counts[event.subject])
        headers: list[tuple[str, bytes | None]] = [*one.envelope.to_headers()]
        key = event.aggregate_id.encode()
        found.append(Record(FROM, 0, 0, key, headers, event.to_body()))
    return found


async def heard_in(kafka: Broker, topic: str) -> list[tuple[Envelope, Event]]:
    """Read a topic from the start to its present end; every record is valid."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[tuple[Envelope, Event]] = []
        end = time.monotonic() + DEADLINE_S
        while sum(ends.values()) > len(found):
            assert time.monotonic() < end, f"{len(found)} of {ends} read"
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    envelope = Envelope.from_headers(record.headers)
                    found.append((envelope, decode(envelope, record.value)))
        return found
    finally:
        await consumer.stop()


async def seated(db: Database) -> int:
    await settle(db)
    return (await states(db)).get("booked", 0)


async def test_seats_survive_a_stop_half_way_and_records_that_come_twice(
    service_db: ServiceDb, fresh_kafka: Broker
) -> None:
    db = await service_db("transport")
    at: dict[str, Any] = {"bootstrap_servers": fresh_kafka.bootstrap_servers}
    trip, sister = a_trip(capacity=60), a_trip(capacity=60, minimum_load=60)
    async with db.transaction(role="worker") as tx:
        await schedule_trip(tx, trip)
    placements = [*a_group(3), *(a_placement() for _ in range(42))]
    gone = placements[-5:]
    records = as_records(*placements, *(cancelled(p) for p in gone))

    await produce(at["bootstrap_servers"], records[:20], FROM)
    async with running(Consumer(db, HANDLERS, at)):
        await eventually(lambda: seated(db), lambda n: n >= 1)
    await produce(at["bootstrap_servers"], [*records[:20], *records[20:]], FROM)
    async with running(Consumer(db, HANDLERS, at), Relay(db, at)):
        await eventually(lambda: seated(db), lambda n: n == 40)

    # The days: a delay of six hours, then a cancellation with a sister trip.
    async with db.transaction(role="worker") as tx:
        await delay(tx, trip.trip_id, 360, "snow")
    async with db.transaction(role="worker") as tx:
        await schedule_trip(tx, sister)
        await open_trip(tx, sister)
    async with db.transaction(role="worker") as tx:
        seen = await load_trips(tx, [trip.trip_id])
        await cancel_trip(tx, seen[trip.trip_id], "breakdown")
    async with running(Relay(db, at)):
        await eventually(lambda: unsent(db), lambda n: n == 0)

    said = await heard_in(fresh_kafka, TO)
    kinds = Counter(e.wire_type.split(".")[1] for _, e in said)
    assert kinds["seat-changed"] == 40
    assert kinds["trip-cancelled"] == 1
    rebooked = {e.rebooked_as for _, e in said if e.wire_type == "transport.seat-released.v1"}
    moved = {
        e.booking_id
        for _, e in said
        if e.wire_type == "transport.seat-booked.v1" and e.trip_id == sister.trip_id
    }
    assert len(moved) == 40
    assert moved == rebooked - {None}
    sequences: dict[str, list[int]] = defaultdict(list)
    for envelope, _ in said:
        if envelope.sequence not in sequences[envelope.subject]:
            sequences[envelope.subject].append(envelope.sequence)
        assert envelope.tenant_id
        assert envelope.correlation_id
        assert envelope.causation_id
    assert all(s == list(range(1, len(s) + 1)) for s in sequences.values())


async def unsent(db: Database) -> int:
    async with db.transaction(role="worker") as tx:
        return int(await tx.fetchval("SELECT count(*) FROM outbox"))
