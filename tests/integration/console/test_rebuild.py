"""The projection built anew from the same events is the live one, and mends one that is not."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from bench.monitor.telling import STEPS, Person
from contracts import Event
from services.console.consumers import HANDLERS
from services.console.handlers.rebuild import Rebuild
from services.console.store.rebuild import KEYS
from shared.database import Database, prepare
from shared.handlers import Received
from shared.ids import Ids
from shared.transaction import Tx
from stack.databases import at_database
from tests.integration.console.test_projection import Way
from tests.support.events import heard, received
from tests.support.postgres import ServiceDb, Templates

IDS = Ids()
COLUMNS = {
    "event": "event_id, type, subject, sequence, tenant_id, journey_id, said_at, audience, body",
    "task": "kind, subject, journey_id, worker_id, office_id, enterprise_id, inn_id, due_at",
}

STANDING = "journey_id, worker_id, office_id, enterprise_id, inn_id, state, waiting_for, service"


@pytest.fixture
def operator(templates: Templates) -> Callable[[Database], Any]:
    """A connection that an operator's tool has, for one rebuild."""

    @asynccontextmanager
    async def connect(db: Database) -> AsyncIterator[Rebuild]:
        name = await db.pool.fetchval("SELECT current_database()")
        conn = await asyncpg.connect(at_database(templates.server.superuser_url(), name))
        await prepare(conn)
        async with conn.transaction():
            now = await conn.fetchval("SELECT business_now()")
            yield Rebuild(Tx(conn, "console", now, IDS))
        await conn.close()

    return connect


def told(people: int) -> list[Received[Event]]:
    """Give the events of some people's ways, each service's in its own order."""
    tenants = {"office_id": IDS.uuid7(), "enterprise_id": IDS.uuid7()}
    found: list[Received[Event]] = []
    counts: dict[str, int] = {}
    dice = random.Random(people)
    for _ in range(people):
        person = Person.invented(IDS, tenants)
        for step in range(dice.randint(3, len(STEPS))):
            event = person.event(step)
            counts[event.subject] = counts.get(event.subject, 0) + 1
            found.append(received(event, counts[event.subject], person.journey_id))
    return found


async def took_in(db: Database, events: Sequence[Received[Event]]) -> None:
    """Let the live projection hear, and keep what the consumer keeps of it."""
    await heard(db, HANDLERS, events)
    async with db.transaction(role="worker") as tx:
        for one in events:
            await tx.execute(
                "INSERT INTO heard_sequence VALUES ($1, $2, $3) ON CONFLICT (source, subject)"
                " DO UPDATE SET last_sequence = excluded.last_sequence",
                one.envelope.source, one.envelope.subject, one.envelope.sequence,
            )  # fmt: skip


async def whole(db: Database, **columns: str) -> dict[str, str]:
    """Digest each table of the projection, but for where and when its rows were written."""
    wanted = COLUMNS | columns
    async with db.transaction(role="worker") as tx:
        return {
            name: await tx.fetchval(
                f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM"
                f" (SELECT {wanted.get(name, '*')} FROM {name}"
                f" {'WHERE closed_at IS NULL' if name == 'task' else ''}) t"
            )
            for name in ("event", *KEYS)
        }


async def test_what_is_built_anew_from_other_batches_is_the_live_projection(
    service_db: ServiceDb, operator: Callable[[Database], Any]
) -> None:
    """INVARIANT: however events were batched, the projection is the same."""
    db, events = await service_db("console"), told(30)
    for n in range(0, len(events), 37):
        await took_in(db, events[n : n + 37])
    before = await whole(db)
    async with operator(db) as rebuild:
        await rebuild.begin()
        for service in ("lodging", "transport", "registry", "recruitment"):
            await rebuild.take([e for e in events if e.event.service == service])
        assert await rebuild.count_only_live() == 0
        assert set((await rebuild.finish()).values()) == {0}
    assert await whole(db) == before


SPOILT = (
    "DELETE FROM event WHERE feed_id % 7 = 0",
    "UPDATE event SET body = '{}' WHERE feed_id % 11 = 0",
    "DELETE FROM fact WHERE noun = 'booking'",
    "UPDATE fact SET state = 'nothing' WHERE noun = 'stay'",
    "DELETE FROM journey WHERE state = 'moving'",
    "UPDATE journey SET state = 'done', since = now() WHERE state = 'settled'",
    "UPDATE task SET closed_at = now()",
    "DELETE FROM trip_tenant",
)


@pytest.mark.parametrize("harm", SPOILT)
async def test_whatever_was_spoilt_is_mended(
    service_db: ServiceDb, operator: Callable[[Database], Any], harm: str
) -> None:
    db, events = await service_db("console"), told(20)
    await took_in(db, events)
    # A moment that was lost is the newest that the facts know.
    before = await whole(db, journey=STANDING)
    async with db.transaction(role="worker") as tx:
        assert not (await tx.execute(harm)).endswith(" 0")
    assert await whole(db, journey=STANDING) != before
    async with operator(db) as rebuild:
        await rebuild.begin()
        await rebuild.take(events)
        assert sum((await rebuild.finish()).values()) > 0
    assert await whole(db, journey=STANDING) == before


async def test_what_is_heard_meanwhile_is_in_it_and_what_is_not_heard_yet_comes_by_itself(
    service_db: ServiceDb, operator: Callable[[Database], Any]
) -> None:
    db, way = await service_db("console"), Way()
    first, later = (received(e, 1, way.nomination_id) for e in (way.nominated(), way.confirmed()))
    unheard = received(Way().nominated())
    await took_in(db, [first])
    async with operator(db) as rebuild:
        await rebuild.begin()
        await took_in(db, [later])
        await rebuild.take([first, later, unheard, first])
        assert set((await rebuild.finish()).values()) == {0}
    await took_in(db, [unheard])
    async with db.transaction(role="worker") as tx:
        assert await tx.fetchval("SELECT count(*) FROM event") == 3
        assert await tx.fetchval("SELECT placement_id FROM journey WHERE placement_id IS NOT NULL")


async def test_topics_that_lack_something_are_told(
    service_db: ServiceDb, operator: Callable[[Database], Any]
) -> None:
    db, events = await service_db("console"), told(5)
    await took_in(db, events)
    async with operator(db) as rebuild:
        await rebuild.begin()
        await rebuild.take(events[3:])
        assert await rebuild.count_only_live() == 3
