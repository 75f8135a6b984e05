"""From one service's transaction through Kafka into another's: nothing lost, nothing twice."""

import asyncio
from uuid import uuid4

from contracts.registry import WorkerErased
from shared.relay import Relay
from tests.support.flow import a_consumer, a_listener, eventually, running, twice
from tests.support.kafka import Broker
from tests.support.postgres import ServiceDb, Templates


async def test_what_is_said_is_heard_once_and_in_order(
    service_db: ServiceDb, templates: Templates, fresh_kafka: Broker
) -> None:
    speaker = await service_db("registry")
    listener = await a_listener(await service_db("lodging"), templates)
    relay = Relay(speaker, {"bootstrap_servers": fresh_kafka.bootstrap_servers})
    consumer = a_consumer(listener, fresh_kafka.bootstrap_servers)
    workers = [uuid4() for _ in range(40)]

    async def say() -> None:
        async with speaker.transaction(role="worker") as tx:
            for worker_id in workers:
                tx.say(WorkerErased(worker_id=worker_id), tenant_id=None)

    async with running(relay, consumer):
        await asyncio.gather(*(say() for _ in range(25)))
        effects = await eventually(listener.effects, lambda e: len(e) >= 1000)
    assert twice(effects) == []
    for worker_id in workers:
        assert [n for s, n in effects if s == f"worker/{worker_id}"] == list(range(1, 26))
    assert await listener.parked() == []
    assert relay.sent_count == 1000
