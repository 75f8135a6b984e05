"""What is asked differently after a bed was given is followed by rule: nights, programme, town."""

from datetime import time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.registry import HireSite
from services.lodging.domain.programme import CreditLevel
from services.lodging.handlers import guests
from services.lodging.handlers.inns import open_inn
from services.lodging.store.houses import NewInn, NewRoom
from services.lodging.store.programmes import Rules, put_rules
from tests.integration.lodging.test_requests import ask, hired
from tests.integration.lodging.world import IDS, JIADING, NANXIANG, World


def hire_site(place: tuple[str, str]) -> HireSite:
    return HireSite(name="二厂", town=place[0], division_code=place[1])


async def bedded(world: World, **overrides: Any) -> tuple[Any, Any]:
    placement = world.placement(needs_seat=False, **overrides)
    await world.hear(placement)
    stay = await world.stay(placement.worker_id)
    assert stay["state"] == "confirmed"
    return placement, stay


async def occupied_nights(world: World, stay: Any) -> int:
    async with world.tx() as tx:
        return int(
            await tx.fetchval(
                "SELECT sum(upper(nights) - lower(nights)) FROM occupancy WHERE stay_id = $1",
                stay["stay_id"],
            )
        )


async def programme(world: World, code: str, cap: int = 15) -> None:
    async with world.tx() as tx:
        await put_rules(tx, code, Rules(90, cap, 30, time(20), []))


async def test_fewer_nights_are_given_back_and_go_to_the_next(world: World) -> None:
    await world.inn([1])
    placement, stay = await bedded(world)
    waiting = world.placement(
        needs_seat=False, nights=2, starts_on=placement.starts_on + timedelta(days=3)
    )
    await world.hear(waiting)
    assert (await world.stay(waiting.worker_id))["state"] == "waitlisted"
    await world.hear(world.changed(placement, nights=3))
    now = await world.stay(placement.worker_id)
    assert (now["granted_nights"], now["given_back_nights"]) == (5, 2)
    assert await occupied_nights(world, stay) == 3
    assert (await world.bodies("stay-changed"))[-1]["reason"] == "nights_changed"
    assert (await world.stay(waiting.worker_id))["state"] == "confirmed"


async def test_more_nights_are_granted_when_free_in_another_bed_if_need_be(world: World) -> None:
    await world.inn([1, 1])
    placement, stay = await bedded(world)
    _, follower = await bedded(world, starts_on=placement.starts_on + timedelta(days=5), nights=2)
    assert follower["bed_id"] == stay["bed_id"]
    await world.hear(world.changed(placement, nights=9))
    now = await world.stay(placement.worker_id)
    assert (now["check_out_on"] - now["check_in_on"]).days == 9
    assert (now["granted_nights"], now["state"]) == (9, "confirmed")
    assert now["bed_id"] != stay["bed_id"]
    assert await occupied_nights(world, stay) == 9


@pytest.mark.parametrize(
    ("nights", "level", "rule"),
    [(16, "A", "cap_exceeded"), (9, "revoked", "credit_revoked"), (9, "A", "no_bed")],
)
async def test_more_nights_that_a_rule_refuses_leave_the_stay_as_it_was(
    world: World, nights: int, level: CreditLevel, rule: str
) -> None:
    await world.inn([1])
    placement, stay = await bedded(world)
    await bedded(world, starts_on=placement.starts_on + timedelta(days=5), nights=2)
    await world.grade(level)
    await world.hear(world.changed(placement, nights=nights))
    now = await world.stay(placement.worker_id)
    assert (now["state"], now["check_out_on"]) == ("confirmed", stay["check_out_on"])
    told = (await world.bodies("stay-changed"))[-1]
    assert (told["reason"], told["rule"]) == ("change_refused", rule)
    said = len(await world.said(placement.worker_id))
    await world.hear(world.changed(placement, nights=nights))
    # What was refused isn't refused again each time something is heard.
    assert len(await world.said(placement.worker_id)) == said


async def test_another_programme_is_a_new_decision_in_an_inn_that_serves_it(world: World) -> None:
    await programme(world, "WORKS", cap=6)
    inns = {}
    for code in ("YOUJIA", "WORKS"):
        inns[code] = IDS.uuid7()
        made = NewInn(inns[code], code, *JIADING, (code,), (NewRoom("101", ("A",)),))
        async with world.tx() as tx:
            await open_inn(tx, made)
    placement, stay = await bedded(world)
    assert stay["inn_id"] == inns["YOUJIA"]
    await world.hear(world.changed(placement, programme="WORKS"))
    now = await world.stay(placement.worker_id)
    assert (now["state"], now["programme"], now["inn_id"]) == ("confirmed", "WORKS", inns["WORKS"])
    assert now["cut_off_at"] == stay["cut_off_at"] - timedelta(hours=2)


async def test_a_programme_that_nobody_knows_changes_nothing(world: World) -> None:
    await world.inn()
    placement, stay = await bedded(world)
    await world.hear(world.changed(placement, programme="NOWHERE"))
    now = await world.stay(placement.worker_id)
    assert (now["programme"], now["bed_id"]) == ("YOUJIA", stay["bed_id"])
    assert (await world.bodies("stay-changed"))[-1]["rule"] == "no_programme"


async def test_a_guest_in_house_keeps_the_nights_that_were_granted(world: World) -> None:
    await world.inn()
    placement, stay = await bedded(world)
    await world.check_in(stay)
    await world.hear(world.changed(placement, nights=2))
    assert (await world.stay(placement.worker_id))["check_out_on"] == stay["check_out_on"]


async def test_a_hire_who_moves_to_another_town_is_housed_there(world: World) -> None:
    await world.inn([2], JIADING, "嘉定店")
    nanxiang = await world.inn([1], NANXIANG, "南翔店")
    worker, other = uuid4(), uuid4()
    told = hired(world, worker, site=hire_site(JIADING))
    await world.hear(told, hired(world, other, site=hire_site(JIADING)))
    here, there = await ask(world, [worker, other])
    assert {here["inn_town"], there["inn_town"]} == {JIADING[0]}
    moved = told.model_copy(update={"site": hire_site(NANXIANG)})
    await world.hear(moved)
    now = await world.stay(worker)
    assert (now["inn_id"], now["state"]) == (nanxiang, "confirmed")
    assert (await world.stay(other))["bed_id"] == there["bed_id"]
    await world.act(guests.cancel, now["stay_id"], "not_needed")


async def test_who_asked_for_one_inn_stays_there_when_the_site_moves(world: World) -> None:
    wanted = await world.inn([1], JIADING, "嘉定店")
    await world.inn([1], NANXIANG, "南翔店")
    worker = uuid4()
    told = hired(world, worker, site=hire_site(JIADING))
    await world.hear(told)
    await ask(world, [worker], inn_id=wanted)
    await world.hear(told.model_copy(update={"site": hire_site(NANXIANG)}))
    now = await world.stay(worker)
    assert (now["inn_id"], now["town"]) == (wanted, NANXIANG[0])
