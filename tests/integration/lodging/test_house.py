"""The days in the house: holds, cut-off, check-in, extension, moves, overstays."""

from datetime import time, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.lodging.domain.calendar import Nights
from services.lodging.handlers import guests, lapses
from services.lodging.handlers.inns import close_beds, reopen_bed
from services.lodging.store.houses import Closure
from services.lodging.store.programmes import Rules, put_rules
from shared.problem import Problem
from tests.integration.lodging.world import World, at


async def a_guest(world: World, **overrides: Any) -> Any:
    """A guest with a bed who travels alone."""
    placement = world.placement(needs_seat=False, **overrides)
    await world.hear(placement)
    return await world.stay(placement.worker_id)


async def again(world: World, stay: Any) -> Any:
    return await world.stay(stay["worker_id"])


async def test_an_unconfirmed_hold_expires_and_its_bed_goes_to_the_next(world: World) -> None:
    await world.inn([1])
    await world.withdraw_commitments()
    first, second = await a_guest(world), await a_guest(world)
    assert (first["state"], second["state"]) == ("held", "waitlisted")
    world.now = first["expires_at"] - timedelta(seconds=1)
    assert await world.tick(lapses.expire_holds) == 0
    world.now = first["expires_at"]
    assert await world.tick(lapses.expire_holds) == 1
    await world.settle()
    assert (await again(world, first))["reason"] == "hold_expired"
    assert (await again(world, second))["state"] == "held"


async def test_a_hold_is_over_at_its_moment_even_before_anybody_looked(world: World) -> None:
    await world.inn([1])
    await world.withdraw_commitments()
    stay = await a_guest(world)
    world.now = stay["expires_at"]
    done = await world.act(guests.confirm, stay["stay_id"])
    assert (done.state, done.reason) == ("released", "hold_expired")


async def test_a_hold_is_confirmed_once(world: World) -> None:
    await world.inn()
    await world.withdraw_commitments()
    stay = await a_guest(world)
    for _ in range(2):
        done = await world.act(guests.confirm, stay["stay_id"])
        assert done.state == "confirmed"
    assert (await world.said())[-2:] == ["stay-held", "stay-confirmed"]


async def test_who_is_confirmed_after_the_cut_off_has_two_hours_to_come(world: World) -> None:
    await world.inn([1])
    await world.withdraw_commitments()
    world.now = at(world.first_night, 21, 45)
    stay = await a_guest(world)
    world.now = at(world.first_night, 22, 10)
    await world.act(guests.confirm, stay["stay_id"])
    assert await world.tick(lapses.cut_off) == 0
    assert (await again(world, stay))["cut_off_at"] == at(world.first_night, 22, 10) + timedelta(
        hours=2
    )


async def test_a_confirmation_is_a_decision_with_todays_rules(world: World) -> None:
    await world.inn([1])
    await world.withdraw_commitments()
    stay = await a_guest(world)
    async with world.tx() as tx:
        await put_rules(tx, "YOUJIA", Rules(90, 3, 30, time(22), []))
    done = await world.act(guests.confirm, stay["stay_id"])
    assert (done.state, done.rule, done.rule_version) == ("released", "cap_exceeded", 2)


async def test_a_no_shows_bed_goes_to_the_next_at_once(world: World) -> None:
    await world.inn([1])
    first, second = await a_guest(world), await a_guest(world)
    assert second["state"] == "waitlisted"
    world.now = at(world.first_night, 22) - timedelta(seconds=1)
    assert await world.tick(lapses.cut_off) == 0
    world.now = at(world.first_night, 22)
    assert await world.tick(lapses.cut_off) == 1
    await world.settle()
    assert (await again(world, first))["state"] == "missed"
    promoted = await again(world, second)
    assert (promoted["state"], promoted["check_in_on"]) == ("confirmed", world.first_night)
    # Who gets a bed after the cut-off has two hours to come.
    assert promoted["cut_off_at"] == world.now + timedelta(hours=2)
    (missed,) = await world.bodies("guest-missed")
    assert missed["stay_id"] == str(first["stay_id"])


async def test_the_cut_off_waits_for_a_late_arrival(world: World) -> None:
    await world.inn([1])
    placement = world.placement()
    await world.hear(placement, world.seat(placement, arrives_at=at(world.first_night, 21)))
    world.now = at(world.first_night, 22, 59)
    assert await world.tick(lapses.cut_off) == 0
    world.now = at(world.first_night, 23)
    assert await world.tick(lapses.cut_off) == 1


async def test_who_comes_after_the_cut_off_is_taken_in_while_there_is_a_bed(
    world: World,
) -> None:
    await world.inn([1])
    stay = await a_guest(world)
    world.now = at(world.first_night, 22)
    await world.tick(lapses.cut_off)
    world.now = at(world.first_night, 23)
    done = await world.act(guests.check_in, stay["stay_id"], None)
    assert done.state == "checked_in"
    assert await world.occupied() == 1
    assert await world.count("credit_breach") == 0


async def test_who_comes_after_the_bed_is_gone_is_told_so(world: World) -> None:
    await world.inn([1])
    first, second = await a_guest(world), await a_guest(world)
    world.now = at(world.first_night, 22)
    await world.tick(lapses.cut_off)
    await world.settle()
    with pytest.raises(Problem) as refused:
        await world.act(guests.check_in, first["stay_id"], None)
    assert refused.value.status == 409
    assert (await again(world, second))["state"] == "confirmed"


async def test_a_check_in_told_late_keeps_its_moment(world: World) -> None:
    await world.inn()
    stay = await a_guest(world)
    moment = at(world.first_night, 20)
    world.now = moment + timedelta(hours=1)
    await world.act(guests.check_in, stay["stay_id"], moment)
    assert (await again(world, stay))["checked_in_at"] == moment
    assert (await world.bodies("guest-checked-in"))[0]["at"].startswith(moment.isoformat()[:16])


async def test_an_early_departure_gives_the_nights_to_the_next(world: World) -> None:
    await world.inn([1])
    first = await a_guest(world)
    await world.check_in(first)
    world.now = at(world.first_night + timedelta(days=2), 9)
    second = await a_guest(world, starts_on=world.first_night + timedelta(days=3), nights=2)
    assert second["state"] == "waitlisted"
    done = await world.act(guests.check_out, first["stay_id"], None)
    assert done.check_out_on == world.first_night + timedelta(days=2)
    await world.settle()
    assert (await again(world, second))["state"] == "confirmed"
    left = await again(world, first)
    assert (left["granted_nights"], left["given_back_nights"]) == (5, 3)


async def test_the_check_out_day_is_sellable(world: World) -> None:
    await world.inn([1])
    await a_guest(world, nights=2)
    second = await a_guest(world, starts_on=world.first_night + timedelta(days=3), nights=2)
    assert second["check_in_on"] == world.first_night + timedelta(days=2)
    assert second["state"] == "confirmed"


async def test_an_extension_needs_the_following_nights_free(world: World) -> None:
    await world.inn([1])
    first = await a_guest(world, nights=2)
    await a_guest(world, starts_on=world.first_night + timedelta(days=5), nights=2)
    await world.check_in(first)
    done = await world.act(guests.extend, first["stay_id"], 2)
    assert done.check_out_on == world.first_night + timedelta(days=4)
    with pytest.raises(Problem) as refused:
        await world.act(guests.extend, first["stay_id"], 1)
    assert refused.value.code == "no_bed"
    assert (await world.bodies("stay-changed"))[-1]["reason"] == "extended"


async def test_an_extension_keeps_the_cap_and_sees_todays_credit(world: World) -> None:
    await world.inn([1])
    stay = await a_guest(world, nights=14)
    await world.check_in(stay)
    with pytest.raises(Problem) as refused:
        await world.act(guests.extend, stay["stay_id"], 2)
    assert refused.value.code == "cap_exceeded"
    await world.grade("revoked")
    with pytest.raises(Problem) as refused:
        await world.act(guests.extend, stay["stay_id"], 1)
    assert refused.value.code == "credit_revoked"
    assert (await again(world, stay))["state"] == "checked_in"


async def test_a_guest_moves_to_a_named_bed_that_is_free(world: World) -> None:
    await world.inn([1, 1])
    first, second = await a_guest(world), await a_guest(world)
    with pytest.raises(Problem) as refused:
        await world.act(guests.move, first["stay_id"], second["bed_id"])
    assert refused.value.code == "no_bed"
    await world.act(guests.cancel, second["stay_id"], "not_needed")
    done = await world.act(guests.move, first["stay_id"], second["bed_id"])
    assert done.bed_id == second["bed_id"]
    assert await world.occupied() == 1


async def test_men_and_women_never_share_a_room_but_families_may(world: World) -> None:
    await world.inn([2])
    await a_guest(world)
    woman = await a_guest(world, gender="female")
    assert woman["state"] == "waitlisted"
    man = await a_guest(world)
    assert man["state"] == "confirmed"


async def test_an_empty_room_is_neutral_again(world: World) -> None:
    await world.inn([2])
    man = await a_guest(world, nights=1)
    later = world.first_night + timedelta(days=2)
    woman = await a_guest(world, gender="female", starts_on=later, nights=1)
    assert (man["state"], woman["state"]) == ("confirmed", "confirmed")
    assert man["bed_id"] in {woman["bed_id"], *await beds_of(world, man["inn_id"])}


async def beds_of(world: World, inn_id: UUID) -> list[UUID]:
    async with world.tx() as tx:
        rows = await tx.fetch("SELECT bed_id FROM bed WHERE inn_id = $1 ORDER BY bed_id", inn_id)
    return [r["bed_id"] for r in rows]


async def test_a_bed_out_of_service_moves_its_guest(world: World) -> None:
    inn_id = await world.inn([1, 1])
    stay = await a_guest(world)
    nights = Nights.of(world.first_night, 2)
    async with world.tx() as tx:
        closure = Closure(inn_id, (stay["bed_id"],), nights, "repair")
        await close_beds(tx, closure, nights.check_out_on)
    moved = await again(world, stay)
    assert moved["state"] == "confirmed"
    assert moved["bed_id"] != stay["bed_id"]
    capacity = (await world.bodies("inn-capacity-changed"))[-1]
    assert (capacity["beds"], capacity["to"]) == (1, nights.check_out_on.isoformat())


async def test_a_confirmed_guest_without_another_bed_waits_and_comes_back_with_it(
    world: World,
) -> None:
    inn_id = await world.inn([1])
    stay = await a_guest(world)
    async with world.tx() as tx:
        nights = Nights.of(world.first_night, 900)
        (period,) = await close_beds(tx, Closure(inn_id, (stay["bed_id"],), nights, "repair"), None)
    await world.settle()
    assert (await again(world, stay))["state"] == "waitlisted"
    async with world.tx() as tx:
        await reopen_bed(tx, inn_id, period)
    await world.settle()
    assert (await again(world, stay))["state"] == "confirmed"


async def test_a_guest_in_house_keeps_a_bed_that_nobody_can_replace(world: World) -> None:
    inn_id = await world.inn([1])
    stay = await a_guest(world)
    await world.check_in(stay)
    async with world.tx() as tx:
        nights = Nights.of(world.first_night, 30)
        await close_beds(tx, Closure(inn_id, (stay["bed_id"],), nights, "repair"), None)
    kept = await again(world, stay)
    assert (kept["state"], kept["bed_id"]) == ("checked_in", stay["bed_id"])
    assert await world.occupied() == 1


async def test_an_ending_stay_without_a_next_home_is_told_three_days_ahead_and_once(
    world: World,
) -> None:
    await world.inn([1])
    stay = await a_guest(world)
    await world.check_in(stay)
    world.now = at(world.first_night + timedelta(days=1), 12)
    assert await world.tick(lapses.ask_next_homes) == 0
    world.now = at(world.first_night + timedelta(days=2), 12)
    assert await world.tick(lapses.ask_next_homes) == 1
    assert await world.tick(lapses.ask_next_homes) == 0
    assert (await world.bodies("stay-changed"))[-1]["reason"] == "next_home_unknown"


async def test_who_has_a_next_home_is_not_asked(world: World) -> None:
    await world.inn([1])
    stay = await a_guest(world)
    await world.check_in(stay)
    await world.act(guests.tell_next_home, stay["stay_id"], "long_stay_home")
    world.now = at(world.first_night + timedelta(days=3), 12)
    assert await world.tick(lapses.ask_next_homes) == 0


async def test_a_wait_ends_with_its_last_night(world: World) -> None:
    await world.inn([1])
    await a_guest(world, nights=9)
    second = await a_guest(world, nights=2)
    world.now = at(world.first_night + timedelta(days=2), 12)
    assert await world.tick(lapses.lapse_waiting) == 1
    assert (await again(world, second))["reason"] == "lapsed"
