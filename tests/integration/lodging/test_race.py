"""Four thousand requests race for fifty beds: nobody gets another's bed."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.registry import WorkerHired
from services.lodging.domain.house import House
from services.lodging.handlers import look
from services.lodging.handlers import settle as settling
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.requests import Guest, StayRequest, request_stays
from services.lodging.store import facts, houses
from services.lodging.store import stays as store
from services.lodging.store.facts import Cause
from shared.database import Database
from shared.transaction import Tx
from tests.integration.lodging.world import IDS, World

CLIENTS = 64
REQUESTS = 4_000

_OVERLAPS = """
SELECT count(*) FROM occupancy a JOIN occupancy b
ON (a.bed_id = b.bed_id OR a.worker_id = b.worker_id) AND a.nights && b.nights AND a.ctid < b.ctid
"""
_TAKE_UNLOCKED = """
DELETE FROM unsettled WHERE unsettled_id IN (
    SELECT unsettled_id FROM unsettled ORDER BY unsettled_id LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING worker_id, cause_id
"""
_MIXED = """
SELECT count(*) FROM occupancy a JOIN occupancy b
ON a.room_id = b.room_id AND a.nights && b.nights AND a.gender < b.gender
    AND a.family_id <> b.family_id
"""


async def overlaps(world: World) -> int:
    async with world.tx() as tx:
        return int(await tx.fetchval(_OVERLAPS)) + int(await tx.fetchval(_MIXED))


async def hire(world: World, workers: list[UUID]) -> None:
    """Make these persons the enterprise's new hires."""
    for n in range(0, len(workers), 1_000):
        await world.listen(
            *(
                WorkerHired(
                    hire_id=IDS.uuid7(), worker_id=w, enterprise_id=world.enterprise_id,
                    batch_id=IDS.uuid7(), hired_on=world.today, birth_year_month="1999-03",
                    gender="male" if w.int % 2 else "female", origin_division_code="530900",
                )
                for w in workers[n : n + 1_000]
            )
        )  # fmt: skip


async def ask(world: World, worker_id: UUID, rng: random.Random) -> None:
    """Ask for some nights within two weeks."""
    first = world.first_night.fromordinal(world.first_night.toordinal() + rng.randrange(10))
    request = StayRequest(
        IDS.uuid7(), world.enterprise_id, "YOUJIA", first, rng.randint(1, 5),
        (Guest(worker_id),), together=False, wait=True, inn_id=None,
    )  # fmt: skip
    async with world.tx() as tx:
        await request_stays(tx, request)


async def race(
    world: World,
    url: str,
    workers: list[UUID],
    settlers: int,
    *,
    repeated: tuple[type[Exception], ...] = (),
) -> list[int]:
    """Let 64 clients ask while settlers decide; give the overlaps that an observer saw.

    Each client, settler and the observer has a connection of its own. A settler that fails with
    one of `repeated` decides again.
    """
    size = CLIENTS + settlers + 1
    own = replace(world, db=await Database.open(url, service="lodging", size=size))
    # One iterator for all clients: each takes the next worker.
    queue = iter(workers)
    rng = random.Random(7)
    asking = True
    snapshots: list[int] = []

    async def client() -> None:
        for worker_id in queue:
            await ask(own, worker_id, rng)

    async def settler() -> None:
        done = 1
        while asking or done:
            done = 1
            with suppress(*repeated):
                async with own.tx() as tx:
                    done = await settling.settle(tx)

    async def observer() -> None:
        while asking:
            snapshots.append(await overlaps(own))
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for run in [settler] * settlers + [observer]:
            group.create_task(run())
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        asking = False
    snapshots.append(await overlaps(own))
    await own.db.close()
    return snapshots


async def test_four_thousand_racing_requests_never_overlap(world: World, own_url: str) -> None:
    """INVARIANT: at any time a bed has one guest, a guest one bed, a room-night one gender."""
    await world.inn([2, 2, 2, 2, 2] * 5)
    workers = [uuid4() for _ in range(REQUESTS)]
    await hire(world, workers)
    snapshots = await race(world, own_url, workers, settlers=3)
    assert len(snapshots) > 3
    assert set(snapshots) == {0}
    stays = await world.stays()
    assert {s["state"] for s in stays} == {"confirmed", "waitlisted"}
    assert len(stays) == REQUESTS
    assert sum(s["state"] == "confirmed" for s in stays) > 50


async def test_with_the_lock_and_the_constraints_off_beds_overlap(
    world: World,
    superuser: Callable[[str], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("occupancy_pkey", "occupancy_bed", "occupancy_worker", "occupancy_gender"):
        await superuser(f"ALTER TABLE occupancy DROP CONSTRAINT {name}")
    await two_writers(world, monkeypatch)
    assert await overlaps(world) > 0


async def test_the_same_race_without_lock_and_constraints_overlaps(
    world: World,
    own_url: str,
    superuser: Callable[[str], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CONTROL: 64 clients, 50 beds and settlers that decide without waiting for each other."""
    for name in ("occupancy_pkey", "occupancy_bed", "occupancy_worker", "occupancy_gender"):
        await superuser(f"ALTER TABLE occupancy DROP CONSTRAINT {name}")

    async def no_lock(tx: Tx) -> bool:
        return bool(await tx.fetchval("SELECT freed FROM allocation"))

    async def take_some(tx: Tx, limit: int) -> Any:
        taken = await tx.fetch(_TAKE_UNLOCKED, limit)
        return {r["worker_id"]: Cause(r["cause_id"]) for r in taken}

    monkeypatch.setattr(store, "lock_allocation", no_lock)
    # Without the lock two settlers would only wait for each other's notes.
    monkeypatch.setattr(facts, "take_unsettled", take_some)
    await world.inn([2, 2, 2, 2, 2] * 5)
    workers = [uuid4() for _ in range(REQUESTS // 4)]
    await hire(world, workers)
    # Who changes the same stays without the lock may also wait for each other in a circle.
    circle = (asyncpg.DeadlockDetectedError,)
    snapshots = await race(world, own_url, workers, settlers=3, repeated=circle)
    assert max(snapshots) > 0


async def test_with_the_lock_off_the_constraints_still_refuse_the_second_writer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ExceptionGroup):
        await two_writers(world, monkeypatch)
    assert await overlaps(world) == 0


async def two_writers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two writers without a lock decide from the same look at the house."""
    await world.inn([2, 2, 2, 2, 2] * 5)
    workers = [uuid4() for _ in range(40)]
    await hire(world, workers)
    for worker_id in workers:
        await ask(world, worker_id, random.Random(7))
    async with world.tx() as tx:
        desk = Desk(tx)
        await settling.follow(desk)
        await desk.flush()
    both_have_looked = asyncio.Barrier(2)
    load_house = houses.load_house

    async def look_twice(tx: Tx, base: date) -> House:
        house = await load_house(tx, base)
        await both_have_looked.wait()
        return house

    monkeypatch.setattr(houses, "load_house", look_twice)

    async def decide() -> None:
        async with world.tx() as tx:
            await look.decide(Desk(tx), {}, freed=False)

    async with asyncio.TaskGroup() as group:
        group.create_task(decide())
        group.create_task(decide())


async def test_the_database_itself_refuses_what_a_second_writer_would_do(world: World) -> None:
    inn_id = await world.inn([2])
    (stay,) = await bedded(world, 1)
    async with world.tx() as tx:
        beds = await tx.fetch("SELECT * FROM bed WHERE inn_id = $1", inn_id)
    other = next(b["bed_id"] for b in beds if b["bed_id"] != stay["bed_id"])
    refused = [
        # The same bed for somebody else, another bed for the same guest, a woman in a man's room.
        (stay["bed_id"], uuid4(), "male", "occupancy_bed"),
        (other, stay["worker_id"], "male", "occupancy_worker"),
        (other, uuid4(), "female", "occupancy_gender"),
    ]
    for bed_id, worker_id, gender, constraint in refused:
        with pytest.raises(Exception, match=constraint):
            await _occupy(world, bed_id, worker_id, gender)
    await _occupy(world, other, uuid4(), "male")


async def bedded(world: World, count: int) -> list[Any]:
    placements = [world.placement(needs_seat=False) for _ in range(count)]
    await world.hear(*placements)
    return [await world.stay(p.worker_id) for p in placements]


async def _occupy(world: World, bed_id: UUID, worker_id: UUID, gender: str) -> None:
    async with world.tx() as tx:
        await tx.execute(
            "INSERT INTO occupancy SELECT $1, bed_id, room_id, inn_id, $2, $3, $1,"
            " daterange($4::date, $4::date + 3) FROM bed WHERE bed_id = $5",
            uuid4(),
            worker_id,
            gender,
            world.first_night,
            bed_id,
        )
