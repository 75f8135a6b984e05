"""A watchdog looks for as long as its process lives: what a look leaves behind adds up."""

import asyncio
import gc
from collections import Counter
from functools import partial
from operator import is_not

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.consumer.subscription_state import Assignment

from shared import watchdog
from shared.watchdog import Lag, Watchdog
from tests.support.flow import DEADLINE_S, TOPIC, a_story, eventually, produce
from tests.support.kafka import Broker
from tests.support.postgres import ServiceDb

LOOKS = 5


async def test_however_often_it_looks_it_leaves_nothing_to_the_collector(
    service_db: ServiceDb, fresh_kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "MEASURE_INTERVAL_S", 0.02)
    kafka = {"bootstrap_servers": fresh_kafka.bootstrap_servers}
    await produce(fresh_kafka.bootstrap_servers, a_story(50).records)
    dog = Watchdog(await service_db("lodging"), kafka, [TOPIC])
    gc.collect()
    before = living()
    gc.disable()
    try:
        watching = asyncio.create_task(dog.run())
        for _ in range(LOOKS):
            await eventually(partial(lag_of, dog), partial(is_not, dog.lag))
        await dog.stop()
        await asyncio.wait_for(watching, DEADLINE_S)
        left = living() - before
    finally:
        gc.enable()
    assert dog.lag[TOPIC].waiting == 50
    assert left == Counter({"Assignment": 1})


async def lag_of(dog: Watchdog) -> dict[str, Lag]:
    return dog.lag


def living() -> "Counter[str]":
    """Count assignments and what was fetched for them, whether or not anything leads to it."""
    kinds = (Assignment, PartitionRecords)
    return Counter(type(o).__name__ for o in gc.get_objects() if isinstance(o, kinds))
