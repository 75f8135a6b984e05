"""From one service's transaction through Kafka into another's: nothing lost, nothing twice."""

import asyncio
import gc
import os
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from contracts import Envelope
from contracts.registry import WorkerErased
from shared import watchdog
from shared.consumer import Consumer, Guards
from shared.database import Database
from shared.inbox import Record
from shared.relay import Relay
from shared.watchdog import StalledError, Watchdog
from tests.support.flow import (
    DEADLINE_S,
    TOPIC,
    Listener,
    a_consumer,
    a_listener,
    a_record,
    a_story,
    eventually,
    produce,
    running,
    twice,
)
from tests.support.kafka import PARTITIONS, Broker
from tests.support.ports import free_port
from tests.support.postgres import ServiceDb, Templates


@pytest_asyncio.fixture
async def speaker(service_db: ServiceDb) -> Database:
    return await service_db("registry")


@pytest_asyncio.fixture
async def listener(service_db: ServiceDb, templates: Templates) -> Listener:
    return await a_listener(await service_db("lodging"), templates)


async def say(db: Database, workers: Sequence[UUID]) -> None:
    async with db.transaction(role="worker") as tx:
        for worker_id in workers:
            tx.say(WorkerErased(worker_id=worker_id), tenant_id=None)


def at(kafka: Broker) -> dict[str, Any]:
    return {"bootstrap_servers": kafka.bootstrap_servers}


async def rewind(kafka: Broker, group: str) -> None:
    """Put a group whose members are gone back to the beginning of the topic."""
    consumer = AIOKafkaConsumer(**at(kafka), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(TOPIC, n) for n in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
    finally:
        await consumer.stop()


async def committed(kafka: Broker, group: str) -> int:
    consumer = AIOKafkaConsumer(**at(kafka), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(TOPIC, n) for n in range(PARTITIONS)]
        consumer.assign(partitions)
        return sum([await consumer.committed(p) or 0 for p in partitions])
    finally:
        await consumer.stop()


async def lying_in(kafka: Broker, topic: str) -> list[Envelope]:
    """Read a whole topic."""
    consumer = AIOKafkaConsumer(topic, **at(kafka), auto_offset_reset="earliest")
    await consumer.start()
    try:
        wanted = sum((await consumer.end_offsets(consumer.assignment())).values())
        found: list[Envelope] = []
        while len(found) < wanted:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [Envelope.from_headers(r.headers) for r in records]
        return found
    finally:
        await consumer.stop()


async def test_what_is_said_is_heard_once_and_in_order(
    speaker: Database, listener: Listener, fresh_kafka: Broker
) -> None:
    relay = Relay(speaker, at(fresh_kafka))
    workers = [uuid4() for _ in range(40)]
    async with running(relay, a_consumer(listener, fresh_kafka.bootstrap_servers)):
        await asyncio.gather(*(say(speaker, workers) for _ in range(25)))
        effects = await eventually(listener.effects, lambda e: len(e) >= 1000)
    assert twice(effects) == []
    for worker_id in workers:
        assert [n for s, n in effects if s == f"worker/{worker_id}"] == list(range(1, 26))
    assert await listener.parked() == []
    assert relay.sent_count == 1000


async def test_a_cluster_is_reached_when_its_first_address_is_dead(
    speaker: Database, listener: Listener, fresh_kafka: Broker
) -> None:
    addresses = f"127.0.0.1:{free_port()},{fresh_kafka.bootstrap_servers}"
    relay = Relay(speaker, {"bootstrap_servers": addresses})
    async with running(relay, a_consumer(listener, addresses)):
        await say(speaker, [uuid4()])
        await eventually(listener.effect_count, lambda n: n == 1)


async def test_three_relays_share_the_slots_and_break_no_aggregates_order(
    speaker: Database, fresh_kafka: Broker
) -> None:
    relays = [Relay(speaker, at(fresh_kafka)) for _ in range(3)]
    workers = [uuid4() for _ in range(60)]

    async def shares() -> list[int]:
        return sorted(len(relay.slots) for relay in relays)

    async with running(*relays):
        for _ in range(20):
            await say(speaker, workers)
        await eventually(shares, lambda held: held == [4, 6, 6])
        for _ in range(20):
            await say(speaker, workers)
        await eventually(partial(pending, speaker), lambda n: n == 0)
    found = await lying_in(fresh_kafka, TOPIC)
    assert len(found) == 2400
    for worker_id in workers:
        mine = [e.sequence for e in found if e.subject == f"worker/{worker_id}"]
        assert mine == list(range(1, 41))
    async with speaker.transaction(role="worker") as tx:
        logged = await tx.fetch(
            "SELECT tableoid::regclass::text AS part, count(*) FROM event_log GROUP BY 1"
        )
    assert sum(r["count"] for r in logged) == 2400
    assert "event_log_default" not in {r["part"] for r in logged}


async def pending(db: Database) -> int:
    async with db.transaction(role="worker") as tx:
        count: int = await tx.fetchval("SELECT count(*) FROM outbox")
        return count


async def test_a_row_that_no_topic_takes_parks_its_aggregate_and_nobody_else(
    speaker: Database, fresh_kafka: Broker
) -> None:
    heavy, light = uuid4(), uuid4()
    await say(speaker, [heavy, light, heavy])
    async with speaker.transaction(role="worker") as tx:
        await tx.execute(
            "UPDATE outbox SET body = convert_to(repeat('x', 1100000), 'UTF8')"
            " WHERE subject = $1 AND sequence = 1",
            f"worker/{heavy}",
        )
    async with running(Relay(speaker, at(fresh_kafka))):
        await eventually(partial(pending, speaker), lambda n: n == 2)
        await say(speaker, [light])
        await eventually(partial(pending, speaker), lambda n: n == 2)
    async with speaker.transaction(role="worker") as tx:
        parked = await tx.fetchval("SELECT parked_reason FROM outbox WHERE sequence = 1")
    assert parked == "MessageSizeTooLargeError"
    assert [e.sequence for e in await lying_in(fresh_kafka, TOPIC)] == [1, 2]


async def test_a_topic_that_is_not_there_stops_no_other_topic(
    speaker: Database, fresh_kafka: Broker
) -> None:
    await say(speaker, [uuid4()])
    async with speaker.transaction(role="worker") as tx:
        await tx.execute("UPDATE outbox SET topic = 'nowhere'")
    await say(speaker, [uuid4()])
    async with running(Relay(speaker, at(fresh_kafka))):
        await eventually(partial(pending, speaker), lambda n: n == 1)
    assert len(await lying_in(fresh_kafka, TOPIC)) == 1


async def test_restarts_and_a_topic_read_again_from_its_start_change_nothing(
    listener: Listener, fresh_kafka: Broker
) -> None:
    stories = [a_story(5) for _ in range(60)]
    await produce(fresh_kafka.bootstrap_servers, [r for s in stories for r in s.records])
    for wanted in (1, 300):
        async with running(a_consumer(listener, fresh_kafka.bootstrap_servers)):
            await eventually(listener.effect_count, lambda n, w=wanted: n >= w)
    await rewind(fresh_kafka, "lodging")
    again = a_consumer(listener, fresh_kafka.bootstrap_servers)
    async with running(again):
        await eventually(partial(_count, again), lambda n: n >= 300)
    effects = await listener.effects()
    assert len(effects) == 300
    assert twice(effects) == []


async def _count(consumer: Consumer) -> int:
    return consumer.record_count


async def test_with_both_guards_off_a_topic_read_again_doubles_its_effects(
    listener: Listener, fresh_kafka: Broker
) -> None:
    """Control of the test above: without the guards it would fail."""
    await produce(fresh_kafka.bootstrap_servers, a_story(5).records)
    guards = Guards(inbox=False, sequence=False)
    for wanted in (5, 10):
        await rewind(fresh_kafka, "lodging")
        async with running(a_consumer(listener, fresh_kafka.bootstrap_servers, guards)):
            await eventually(listener.effect_count, lambda n, w=wanted: n >= w)
    assert len(twice(await listener.effects())) == 5


class Unplugged(Listener):
    """A listener whose database goes away in the middle of each first attempt."""

    attempts = 0

    async def on_worker_erased(self, tx: Any, heard: Any) -> None:
        await super().on_worker_erased(tx, heard)
        self.attempts += 1
        raise ConnectionResetError


async def _attempts(listener: Unplugged) -> int:
    return listener.attempts


@pytest.mark.parametrize("effect_first", [True, False])
async def test_a_crash_before_the_effect_loses_it_only_when_offsets_are_stored_first(
    listener: Listener, fresh_kafka: Broker, *, effect_first: bool
) -> None:
    guards = Guards(effect_first=effect_first)
    await produce(fresh_kafka.bootstrap_servers, a_story(5).records)
    unplugged = Unplugged(listener.db)
    async with running(a_consumer(unplugged, fresh_kafka.bootstrap_servers, guards)):
        await eventually(partial(_attempts, unplugged), lambda n: n >= 1)
    await produce(fresh_kafka.bootstrap_servers, a_story(1).records)
    async with running(a_consumer(listener, fresh_kafka.bootstrap_servers, guards)):
        await eventually(partial(committed, fresh_kafka, "lodging"), lambda n: n >= 6)
    assert await listener.effect_count() == (6 if effect_first else 1)


async def test_members_that_come_and_go_apply_nothing_twice(
    speaker: Database, listener: Listener, fresh_kafka: Broker
) -> None:
    relay = Relay(speaker, at(fresh_kafka))
    workers = [uuid4() for _ in range(50)]
    members = [a_consumer(listener, fresh_kafka.bootstrap_servers) for _ in range(3)]
    said = 0

    async def said_on(until_heard_by: Consumer) -> int:
        nonlocal said
        await say(speaker, workers)
        said += 1
        return until_heard_by.record_count

    async with running(relay, members[0]):
        for joining in members[1:]:
            async with running(joining):
                await eventually(partial(said_on, joining), lambda n: n > 0)
        effects = await eventually(listener.effects, lambda e: len(e) >= 50 * said)
    assert twice(effects) == []
    assert await listener.parked() == []
    for worker_id in workers:
        assert [n for s, n in effects if s == f"worker/{worker_id}"] == list(range(1, said + 1))


async def test_garbage_of_every_kind_is_parked_once_while_its_neighbours_go_on(
    listener: Listener, fresh_kafka: Broker
) -> None:
    good = [a_story(3) for _ in range(20)]
    garbage = [
        a_record(uuid4(), 1, ce_id=None),
        a_record(uuid4(), 1, ce_subject=b"\xff\xfe"),
        a_record(uuid4(), 1, body=b"no JSON"),
        a_record(uuid4(), 1, body=b'{"worker_id": 7}'),
        a_record(uuid4(), 1, ce_type="registry.worker-praised.v1"),
        a_record(uuid4(), 1, ce_type="registry.worker-erased.v7"),
        a_record(uuid4(), 1, body=b"x" * 1_040_000),
        a_record(uuid4(), 1, body=b"[" * 400_000),
        a_record(uuid4(), 1, body=b'{"worker_id": 1, "worker_id": 2}'),
        Record(TOPIC, 0, 0, None, [], b"no key, no headers"),
        Record(TOPIC, 0, 0, b"no body", [("\U0001f9a4", None)], None),
        *(
            Record(TOPIC, 0, 0, os.urandom(9), [("x", os.urandom(9))], os.urandom(99))
            for _ in "abc"
        ),
    ]
    records = [*garbage, *(r for story in good for r in story.records)]
    # Stories stay in their order, garbage falls anywhere between.
    slots = sorted(random.Random(7).random() for _ in records)
    order = sorted(zip(slots, records, strict=True), key=lambda pair: pair[0])
    relay = Relay(listener.db, at(fresh_kafka))
    consumer = a_consumer(listener, fresh_kafka.bootstrap_servers)
    async with running(consumer, relay):
        await produce(fresh_kafka.bootstrap_servers, [record for _, record in order])
        await eventually(listener.effect_count, lambda n: n >= 60)
        parked = await eventually(listener.parked, lambda p: len(p) >= len(garbage))
        await eventually(partial(committed, fresh_kafka, "lodging"), lambda n: n == len(records))
        await eventually(partial(pending, listener.db), lambda n: n == 0)
    # Each was delivered once: nothing goes round in a loop.
    assert consumer.record_count == len(records)
    assert len(parked) == len(garbage)
    assert {reason for reason, _ in parked} == {
        "broken_envelope", "bad_body", "unknown_type", "unknown_version",
    }  # fmt: skip


async def test_without_kafka_it_waits_and_then_goes_on(
    speaker: Database, listener: Listener, tmp_path: Path
) -> None:
    broker = Broker(tmp_path)
    consumer = a_consumer(listener, broker.bootstrap_servers)
    relay = Relay(speaker, at(broker))
    async with running(relay, consumer):
        await say(speaker, [uuid4()])
        assert await pending(speaker) == 1
        await asyncio.to_thread(broker.start)
        try:
            await broker.create(TOPIC, "console.events")
            await eventually(listener.effect_count, lambda n: n == 1)
        finally:
            await consumer.stop()
            await relay.stop()
            await asyncio.to_thread(broker.kill)


async def test_what_was_heard_is_let_go_of_though_the_lines_to_the_database_stay_open(
    listener: Listener, fresh_kafka: Broker
) -> None:
    async def alive() -> int:
        return sum(isinstance(o, ConsumerRecord) for o in gc.get_objects())

    gc.collect()
    before = await alive()
    consumer = a_consumer(listener, fresh_kafka.bootstrap_servers)
    async with running(consumer):
        await produce(fresh_kafka.bootstrap_servers, a_story(50).records)
        await eventually(partial(committed, fresh_kafka, "lodging"), lambda n: n == 50)
        await eventually(alive, lambda n: n <= before)
    assert consumer.record_count == 50


async def test_the_watchdog_knows_the_lag_and_ends_what_stalls(
    listener: Listener, fresh_kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "MEASURE_INTERVAL_S", 0.1)
    dog = Watchdog(listener.db, at(fresh_kafka), [TOPIC], stall_s=0.5)
    await produce(fresh_kafka.bootstrap_servers, a_story(5).records)
    with pytest.raises(StalledError, match=r"registry\.events"):
        await asyncio.wait_for(dog.run(), DEADLINE_S)
    assert dog.lag[TOPIC].waiting == 5
    assert 0 < dog.lag[TOPIC].oldest_s < DEADLINE_S


async def test_the_watchdog_bears_with_an_outage(listener: Listener) -> None:
    nobody = free_port()
    dog = Watchdog(listener.db, {"bootstrap_servers": f"127.0.0.1:{nobody}"}, [TOPIC], stall_s=0.0)
    task = asyncio.create_task(dog.run())
    await asyncio.wait([task], timeout=1.0)
    assert not task.done()
    await dog.stop()
    await asyncio.wait_for(task, DEADLINE_S)


class Foreign(str):
    """A header's name as a producer that knows no UTF-8 writes it."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def produce_in_a_batch(bootstrap_servers: str, records: Sequence[Record]) -> None:
    """Write records as one batch into partition 0, with header names of any bytes."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all")
    await producer.start()
    try:
        batch = producer.create_batch()
        # The compiled builder takes nothing but texts.
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 1 << 20)
        for record in records:
            batch.append(
                timestamp=None, key=record.key, value=record.body, headers=list(record.headers)
            )
        await (await producer.send_batch(batch, TOPIC, partition=0))
    finally:
        await producer.stop()


async def test_a_header_name_that_is_not_utf_8_is_parked_and_costs_no_neighbour(
    listener: Listener, fresh_kafka: Broker
) -> None:
    stories = [a_story(3) for _ in range(4)]
    foreign = Record(TOPIC, 0, 0, b"key", [(Foreign("name"), b"value")], b"body")
    records = [r for story in stories for r in (*story.records, foreign)]
    consumer = a_consumer(listener, fresh_kafka.bootstrap_servers)
    async with running(consumer):
        await produce_in_a_batch(fresh_kafka.bootstrap_servers, [foreign, *records])
        await eventually(listener.effect_count, lambda n: n >= 12)
        await eventually(listener.parked, lambda p: len(p) >= 5)
        await eventually(partial(committed, fresh_kafka, "lodging"), lambda n: n == 17)
    assert await listener.parked() == [("broken_envelope", None)] * 5
    assert consumer.record_count == 17
