"""What a transaction says is written with its state, in order, or not at all."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from contracts.registry import WorkerErased
from shared import database, outbox, relay, transaction
from shared.clock import real_now
from shared.database import Database
from shared.outbox import SLOT_COUNT, Floor
from tests.support.flow import eventually
from tests.support.postgres import ServiceDb, Templates


async def rows(db: Database) -> list[tuple[str, int]]:
    async with db.transaction(role="worker") as tx:
        found = await tx.fetch("SELECT subject, sequence FROM outbox ORDER BY outbox_id")
        return [(r["subject"], r["sequence"]) for r in found]


async def test_each_subject_counts_from_one_in_the_order_of_commits(service_db: ServiceDb) -> None:
    db = await service_db("registry")
    one, other = WorkerErased(worker_id=uuid4()), WorkerErased(worker_id=uuid4())

    async def say() -> None:
        async with db.transaction(role="worker") as tx:
            for event in (one, other, one):
                tx.say(event, tenant_id=None)

    await asyncio.gather(*(say() for _ in range(8)))
    found = await rows(db)
    assert [n for s, n in found if s == one.subject] == list(range(1, 17))
    assert [n for s, n in found if s == other.subject] == list(range(1, 9))


async def test_what_a_rolled_back_transaction_said_was_never_said(service_db: ServiceDb) -> None:
    db = await service_db("registry")
    event = WorkerErased(worker_id=uuid4())

    async def say_and_fail() -> None:
        async with db.transaction(role="worker") as tx:
            tx.say(event, tenant_id=None)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await say_and_fail()
    async with db.transaction(role="worker") as tx:
        tx.say(event, tenant_id=None)
    assert await rows(db) == [(event.subject, 1)]


@pytest.mark.parametrize("before_it", [False, True])
async def test_a_savepoint_takes_back_what_was_set_aside_inside(
    service_db: ServiceDb, *, before_it: bool
) -> None:
    db = await service_db("registry")
    kept, lost = WorkerErased(worker_id=uuid4()), WorkerErased(worker_id=uuid4())
    async with db.transaction(role="worker") as tx:
        tx.say(kept, tenant_id=None)
        if before_it:
            await tx.set_aside(0)
        with suppress(RuntimeError):
            async with tx.savepoint():
                tx.say(lost, tenant_id=None)
                await tx.set_aside(0)
                raise RuntimeError
        tx.say(kept, tenant_id=None)
    assert await rows(db) == [(kept.subject, 1), (kept.subject, 2)]


async def test_what_is_set_aside_is_in_nobodys_way_until_the_commit(service_db: ServiceDb) -> None:
    db = await service_db("registry")
    event = WorkerErased(worker_id=uuid4())
    async with db.transaction(role="worker") as tx:
        for _ in range(3):
            tx.say(event, tenant_id=None)
            await tx.set_aside(0)
        tx.say(event, tenant_id=None)
        # Our own rows of the outbox we would see: relays would have to pass over them.
        assert await tx.fetch("SELECT 1 FROM outbox") == []
    assert await rows(db) == [(event.subject, n) for n in (1, 2, 3, 4)]


async def test_a_savepoint_takes_back_what_was_said_inside(service_db: ServiceDb) -> None:
    db = await service_db("registry")
    kept, lost = WorkerErased(worker_id=uuid4()), WorkerErased(worker_id=uuid4())
    async with db.transaction(role="worker") as tx:
        tx.say(kept, tenant_id=None)
        with suppress(RuntimeError):
            async with tx.savepoint():
                tx.say(lost, tenant_id=None)
                raise RuntimeError
    assert await rows(db) == [(kept.subject, 1)]


async def test_what_is_said_first_of_an_aggregate_counts_from_one(service_db: ServiceDb) -> None:
    db = await service_db("registry")
    new, old = WorkerErased(worker_id=uuid4()), WorkerErased(worker_id=uuid4())
    async with db.transaction(role="worker") as tx:
        tx.say(old, tenant_id=None)
    async with db.transaction(role="worker") as tx:
        tx.say(new, tenant_id=None, is_first=True)
        tx.say(old, tenant_id=None)
        tx.say(new, tenant_id=None)
        await tx.set_aside(0)
        tx.say(new, tenant_id=None)
    found = await rows(db)
    assert [n for s, n in found if s == new.subject] == [1, 2, 3]
    assert [n for s, n in found if s == old.subject] == [1, 2]


async def test_nobody_speaks_first_of_what_others_have_spoken_of(service_db: ServiceDb) -> None:
    db = await service_db("registry")
    event = WorkerErased(worker_id=uuid4())
    async with db.transaction(role="worker") as tx:
        tx.say(event, tenant_id=None)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with db.transaction(role="worker") as tx:
            tx.say(event, tenant_id=None, is_first=True)
    assert await rows(db) == [(event.subject, 1)]


async def test_what_was_said_first_can_be_taken_back_and_said_otherwise(
    service_db: ServiceDb,
) -> None:
    db = await service_db("registry")
    changed, kept = WorkerErased(worker_id=uuid4()), WorkerErased(worker_id=uuid4())
    async with db.transaction(role="worker") as tx:
        for event in (changed, kept):
            tx.say(event, tenant_id=None, is_first=True)
        await tx.unsay([changed.subject])
        said = tx.say(changed, tenant_id=None, is_first=True)
    assert await rows(db) == [(kept.subject, 1), (changed.subject, 1)]
    async with db.transaction(role="worker") as tx:
        assert said in {r["event_id"] for r in await tx.fetch("SELECT event_id FROM outbox")}


@pytest.mark.parametrize("left_outbox", [False, True])
async def test_what_others_know_is_never_taken_back(
    service_db: ServiceDb, *, left_outbox: bool
) -> None:
    db = await service_db("registry")
    event = WorkerErased(worker_id=uuid4())
    async with db.transaction(role="worker") as tx:
        tx.say(event, tenant_id=None)
    if left_outbox:
        async with db.transaction(role="worker") as tx:
            await tx.execute("DELETE FROM outbox")
    before = await rows(db)

    async def say_and_unsay() -> None:
        async with db.transaction(role="worker") as tx:
            tx.say(event, tenant_id=None)
            await tx.unsay([event.subject])

    with pytest.raises(LookupError):
        await say_and_unsay()
    assert await rows(db) == before


async def test_partitions_of_the_log_are_made_ahead_by_whoever_works(service_db: ServiceDb) -> None:
    db = await service_db("registry")
    async with db.transaction(role="worker") as tx:
        # A month may have begun since the template was migrated.
        assert await tx.fetchval("SELECT make_event_log_partitions()") in {0, 1}
        assert await tx.fetchval("SELECT make_event_log_partitions()") == 0
        assert await tx.fetchval(MONTHS_AHEAD) == 3


async def test_an_outbox_that_was_empty_when_it_was_measured_is_still_read_along_its_index(
    service_db: ServiceDb, templates: Templates
) -> None:
    db = await service_db("registry")
    async with db.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    conn = await asyncpg.connect(templates.server.superuser_url(name))
    try:
        await conn.execute("VACUUM ANALYZE outbox")
        # Without the relay's settings the planner takes what looks cheapest for no rows.
        assert "Seq Scan" in await plan_of_a_round(conn)
        await conn.execute(relay.ALONG_THE_INDEX)
        plan = await plan_of_a_round(conn)
    finally:
        await conn.close()
    assert "Index Scan using outbox_pkey" in plan
    assert not any(slow in plan for slow in ("Seq Scan", "Sort", "Nested Loop")), plan


async def test_a_look_ahead_passes_over_what_is_on_its_way_and_sees_what_came_late(
    service_db: ServiceDb,
) -> None:
    db = await service_db("registry")
    looking = relay.Relay(db, {})
    looking.slots = {*range(SLOT_COUNT)}
    early, late, later = (WorkerErased(worker_id=uuid4()) for _ in "abc")
    async with db.session() as conn:
        async with db.transaction(role="worker") as slow:
            slow.say(early, tenant_id=None)
            await slow.flush()
            async with db.transaction(role="worker") as tx:
                tx.say(late, tenant_id=None)
            on_their_way = await looking._unsent(conn)
        async with db.transaction(role="worker") as tx:
            tx.say(later, tenant_id=None)
        ahead = await looking._unsent(conn, on_their_way)
    assert [r["subject"] for r in on_their_way] == [late.subject]
    assert [r["subject"] for r in ahead] == [early.subject, later.subject]


class Careless(Floor):
    """Rises to what was seen, whoever may still write below."""

    async def rise(self, conn: Any, slots: Iterable[int], seen_id: int) -> None:
        self.id = seen_id


@pytest.mark.parametrize(("floor", "is_found"), [(Floor(), True), (Careless(), False)])
async def test_only_a_careless_floor_rises_above_a_row_that_is_committed_late(
    service_db: ServiceDb, monkeypatch: pytest.MonkeyPatch, floor: Floor, *, is_found: bool
) -> None:
    monkeypatch.setattr(outbox, "FLOOR_STEP", 1)
    db = await service_db("registry")
    moving = relay.Relay(db, {})
    moving.slots, moving._floor = {*range(SLOT_COUNT)}, floor
    early = WorkerErased(worker_id=uuid4())

    async def move_all(conn: asyncpg.Connection) -> list[str]:
        async with db.transaction(role="worker") as tx:
            tx.say(WorkerErased(worker_id=uuid4()), tenant_id=None)
        found = await moving._unsent(conn)
        await moving._move(conn, [r["outbox_id"] for r in found])
        await floor.rise(conn, moving.slots, found[-1]["outbox_id"])
        return [r["subject"] for r in found]

    async with db.session() as conn:
        await move_all(conn)
        async with db.transaction(role="worker") as slow:
            slow.say(early, tenant_id=None)
            await slow.flush()
            for _ in range(3):
                await move_all(conn)
        assert (early.subject in await move_all(conn)) is is_found
        before = floor.id
        for _ in range(3):
            await move_all(conn)
    assert floor.id > before


async def test_a_floor_stays_below_what_is_left(
    service_db: ServiceDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FLOOR_STEP", 1)
    db = await service_db("registry")
    async with db.transaction(role="worker") as tx:
        for _ in range(3):
            tx.say(WorkerErased(worker_id=uuid4()), tenant_id=None)
    looking, floor = relay.Relay(db, {}), Floor()
    looking.slots = {*range(SLOT_COUNT)}
    async with db.session() as conn:
        first, left, last = [r["outbox_id"] for r in await looking._unsent(conn)]
        await looking._move(conn, [first, last])
        await floor.rise(conn, looking.slots, last)
        await floor.rise(conn, looking.slots, last + 1)
    assert floor.id == left - 1


async def test_a_floor_is_laid_anew_for_other_slots_and_after_a_while(
    service_db: ServiceDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SHARE_INTERVAL_S", 0.0)
    db = await service_db("registry")
    looking = relay.Relay(db, {})
    floors = []
    async with db.session() as conn:
        await conn.execute("SELECT pg_advisory_lock_shared($1, 0)", relay.MEMBER_LOCK)
        for trusted_s in (60.0, 60.0, -1.0):
            monkeypatch.setattr(outbox, "FLOOR_S", trusted_s)
            looking._floor.id = 7
            await looking._share(conn)
            floors.append(looking._floor.id)
    assert floors == [0, 7, 0]


async def test_rows_that_two_would_move_at_once_are_logged_once(service_db: ServiceDb) -> None:
    db = await service_db("registry")
    async with db.transaction(role="worker") as tx:
        tx.say(WorkerErased(worker_id=uuid4()), tenant_id=None)
    one, other = relay.Relay(db, {}), relay.Relay(db, {})
    one.slots = {*range(SLOT_COUNT)}
    async with db.session() as first, db.session() as second:
        done = [r["outbox_id"] for r in await one._unsent(first)]
        async with first.transaction():
            await one._move(first, done)
            moving = asyncio.create_task(other._move(second, done))
            await eventually(partial(waiting, db), lambda n: n == 1)
        with pytest.raises(asyncpg.UniqueViolationError):
            await moving
        assert await second.fetchval("SELECT count(*) FROM event_log") == 1
    assert await rows(db) == []


async def waiting(db: Database) -> int:
    async with db.transaction(role="worker") as tx:
        return int(await tx.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))


#: Of this month and the next two those that have their partition.
MONTHS_AHEAD = """
SELECT count(*) FROM generate_series(0, 2) ahead WHERE to_regclass(to_char(
    date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + ahead * interval '1 month',
    '"event_log_"YYYY_MM')) IS NOT NULL
"""


async def plan_of_a_round(conn: asyncpg.Connection) -> str:
    limits = (relay.ROUND_ROWS_MAX, relay.ROUND_BYTES_MAX)
    rows = await conn.fetch(f"EXPLAIN {relay.UNSENT}", [0, 1], [], *limits, 0, [7])
    return "\n".join(r[0] for r in rows)


@pytest.mark.parametrize("hour", [-1, 1])
async def test_an_event_bears_the_databases_time_whatever_our_own_clock_says(
    service_db: ServiceDb, monkeypatch: pytest.MonkeyPatch, hour: int
) -> None:
    db = await service_db("registry")
    for module in (database, transaction):
        monkeypatch.setattr(module, "real_now", lambda: real_now() + timedelta(hours=hour))
    async with db.transaction(role="worker") as tx:
        tx.say(WorkerErased(worker_id=uuid4()), tenant_id=None)
    async with db.transaction(role="worker") as tx:
        told = await tx.fetchval("SELECT headers->>'ce_time' FROM outbox")
    assert abs(real_now() - datetime.fromisoformat(told)) < timedelta(minutes=10)
