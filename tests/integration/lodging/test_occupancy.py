"""The occupancy of a simulated year equals the sum of its stays, for every inn and night."""

import random
from collections import Counter
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.lodging.domain.calendar import Nights
from services.lodging.handlers import guests, lapses
from services.lodging.handlers.inns import close_beds
from services.lodging.store.houses import Closure
from services.lodging.store.programmes import Rules, put_rules
from services.lodging.views.inns import find_occupancy
from tests.integration.lodging.test_requests import ask, hired
from tests.integration.lodging.world import NANXIANG, World, at

YEAR = 365
WEEKS = 52
IN_BED = {"confirmed", "checked_in", "checked_out"}


async def test_occupancy_reconciles_with_the_stays_for_every_inn_and_night(world: World) -> None:
    rng = random.Random(11)
    inns = [await world.inn([2, 3, 4], name="甲"), await world.inn([2, 2], NANXIANG, name="乙")]
    async with world.tx() as tx:
        await put_rules(tx, "YOUJIA", Rules(400, 15, 30, time(22), []))
        bed_id = await tx.fetchval("SELECT bed_id FROM bed ORDER BY bed_id LIMIT 1")
        nights = Nights.of(world.today + timedelta(days=100), 20)
        await close_beds(tx, Closure(inns[0], (bed_id,), nights, "repair"), nights.check_out_on)
    for week in range(WEEKS - 2):
        await a_week(world, rng, world.today + timedelta(days=7 * week))
    stays = await world.stays()
    counted = nights_by_inn(stays)
    assert sum(counted.values()) > 800
    until = world.today + timedelta(days=YEAR)
    for inn_id in inns:
        for night in await occupancy(world, inn_id, world.today, until):
            assert night["occupied"] == counted[inn_id, night["night"]], night
            assert night["occupied"] == night["female"] + night["male"]
            assert night["occupied"] <= night["in_service"] <= night["beds"]
    assert {s["state"] for s in stays} >= {"checked_out", "missed", "released"}


async def a_week(world: World, rng: random.Random, monday: date) -> None:
    """Some ask for beds; then they come, or don't, and go, or leave early."""
    world.now = at(monday, 9)
    # The no-shows of the week before would end in a revocation.
    await world.grade("A")
    workers = [uuid4() for _ in range(rng.randint(8, 18))]
    genders = [rng.choice(["male", "female"]) for _ in workers]
    await world.hear(*(hired(world, w, gender=g) for w, g in zip(workers, genders, strict=True)))
    first = monday + timedelta(days=rng.randint(0, 3))
    stays = await ask(world, workers, check_in_on=first, nights=rng.randint(1, 12))
    confirmed = [s for s in stays if s["state"] == "confirmed"]
    world.now = at(first, 19)
    for stay in confirmed:
        if rng.random() < 0.85:
            await world.act(guests.check_in, stay["stay_id"], None)
    world.now = at(first, 22)
    await world.tick(lapses.cut_off)
    await world.settle()
    for stay in confirmed:
        current = await world.stay(stay["worker_id"])
        if current["state"] == "checked_in":
            used = rng.randint(0, (current["check_out_on"] - first).days)
            left = at(first + timedelta(days=used), 23)
            world.now = max(world.now or left, left)
            await world.act(guests.check_out, stay["stay_id"], left)
    for stay in await world.stays():
        if stay["state"] == "waitlisted" and rng.random() < 0.3:
            await world.act(guests.cancel, stay["stay_id"], "not_needed")


def nights_by_inn(stays: list[Any]) -> Counter[tuple[UUID, date]]:
    counted: Counter[tuple[UUID, date]] = Counter()
    for stay in stays:
        if stay["state"] in IN_BED:
            for day in range((stay["check_out_on"] - stay["check_in_on"]).days):
                counted[stay["inn_id"], stay["check_in_on"] + timedelta(days=day)] += 1
    return counted


async def occupancy(world: World, inn_id: UUID, since: date, until: date) -> list[Any]:
    async with world.tx() as tx:
        await tx.execute("SELECT set_config('app.tenant_kind', 'bureau', true)")
        found: Any = await find_occupancy(tx, inn_id, since, until)
    return list(found["items"])
