"""A database restored to an earlier moment learns from the topics what it has said and missed."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from contracts import Envelope
from contracts.registry import WorkerErased
from shared.database import Database
from shared.relay import Relay
from stack.catching_up import catch_up
from stack.databases import at_database
from stack.reading import records
from tests.support.flow import TOPIC, a_consumer, a_listener, eventually, running
from tests.support.kafka import Broker
from tests.support.postgres import ServiceDb, Templates

WORKERS = [uuid4() for _ in range(5)]


async def say(db: Database, workers: Sequence[UUID]) -> None:
    async with db.transaction(role="worker") as tx:
        for worker_id in workers:
            tx.say(WorkerErased(worker_id=worker_id), tenant_id=None)


async def fetchval(db: Database, sql: str) -> Any:
    async with db.transaction(role="worker") as tx:
        return await tx.fetchval(sql)


async def sent(db: Database, kafka: Broker) -> None:
    """Let a relay bring out everything."""
    pending = partial(fetchval, db, "SELECT count(*) FROM outbox")
    async with running(Relay(db, {"bootstrap_servers": kafka.bootstrap_servers})):
        await eventually(pending, lambda n: n == 0)


async def superusers(db: Database, templates: Templates) -> str:
    name = await fetchval(db, "SELECT current_database()")
    return at_database(templates.server.superuser_url(), name)


async def test_who_lost_an_hour_goes_on_after_the_highest_that_it_published(
    service_db: ServiceDb, templates: Templates, fresh_kafka: Broker
) -> None:
    """INVARIANT: no sequence is given twice, none is left out, and none is sent again."""
    lost, restored = await service_db("registry"), await service_db("registry")
    # Committed when the backup was made, and sent only after it.
    await say(restored, WORKERS[:1])
    await say(lost, WORKERS)
    async with lost.transaction(role="worker") as tx, restored.transaction(role="worker") as old:
        ids = "event_id = $1 WHERE subject = $2"
        event_id = await old.fetchval("SELECT event_id FROM outbox")
        await tx.execute(f"UPDATE outbox SET {ids}", event_id, f"worker/{WORKERS[0]}")
        headers = "headers = jsonb_set(headers, '{ce_id}', to_jsonb(event_id::text))"
        await tx.execute(f"UPDATE outbox SET {headers}")
    await say(lost, WORKERS)
    await sent(lost, fresh_kafka)
    url, servers = await superusers(restored, templates), fresh_kafka.bootstrap_servers
    told = await catch_up("registry", url, servers)
    assert (told.adopted, told.continued) == (9, 5)
    assert await fetchval(restored, "SELECT count(*) FROM outbox") == 0
    assert (await catch_up("registry", url, servers)).adopted == 0
    await say(restored, WORKERS)
    await sent(restored, fresh_kafka)
    lying = [Envelope.from_headers(r.headers) async for r in records(servers, [TOPIC])]
    for worker_id in WORKERS:
        assert [e.sequence for e in lying if e.subject == f"worker/{worker_id}"] == [1, 2, 3]
    numbers = "SELECT count(*) - count(DISTINCT outbox_id) FROM event_log"
    assert await fetchval(restored, numbers) == 0


async def test_who_lost_an_hour_hears_it_again(
    service_db: ServiceDb, templates: Templates, fresh_kafka: Broker
) -> None:
    speaker, servers = await service_db("registry"), fresh_kafka.bootstrap_servers
    await say(speaker, WORKERS)
    await sent(speaker, fresh_kafka)
    before = await a_listener(await service_db("lodging"), templates)
    async with running(a_consumer(before, servers)):
        await eventually(before.effect_count, lambda n: n == len(WORKERS))
    restored = await a_listener(await service_db("lodging"), templates)
    await catch_up("lodging", await superusers(restored.db, templates), servers)
    async with running(a_consumer(restored, servers)):
        await eventually(restored.effect_count, lambda n: n == len(WORKERS))
