"""Who stays on keeps the bed until the check-out; who was to have it makes way by rule."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.registry import WorkerErased
from services.lodging.handlers import guests, lapses
from shared.problem import Problem
from tests.integration.lodging.test_credit import level
from tests.integration.lodging.test_house import a_guest, again
from tests.integration.lodging.test_occupancy import nights_by_inn, occupancy
from tests.integration.lodging.test_race import overlaps
from tests.integration.lodging.world import World, at


async def nights_of(world: World, stay: Any) -> list[tuple[Any, Any]]:
    async with world.tx() as tx:
        rows = await tx.fetch(
            "SELECT bed_id, lower(nights) AS first, upper(nights) AS last FROM occupancy"
            " WHERE stay_id = $1 ORDER BY nights",
            stay["stay_id"],
        )
    return [(r["first"], r["last"]) for r in rows]


async def in_house_until_the_night_after(world: World, **overrides: Any) -> Any:
    """A guest of two nights who is still there when the third begins."""
    stay = await a_guest(world, nights=2, **overrides)
    await world.check_in(stay)
    return stay


async def to_ten_of_the_check_out_day(world: World, stay: Any, days: int = 0) -> None:
    world.now = at(stay["check_out_on"] + timedelta(days=days), 22)
    await world.tick(lapses.note_overstays)
    await world.settle()


async def test_the_bed_is_blocked_night_by_night_until_the_check_out(world: World) -> None:
    inn_id = await world.inn([1])
    stay = await in_house_until_the_night_after(world)
    for days in range(3):
        await to_ten_of_the_check_out_day(world, stay, days)
        now = await again(world, stay)
        assert (now["state"], now["overstayed_nights"]) == ("checked_in", days + 1)
        assert now["check_out_on"] == stay["check_out_on"] + timedelta(days=days + 1)
        assert (await nights_of(world, stay))[-1][1] == now["check_out_on"]
    assert (await world.bodies("stay-changed"))[-1]["reason"] == "overstayed"
    # However many nights it becomes, it is one overstay.
    assert await level(world) == "B"
    world.now = at(stay["check_out_on"] + timedelta(days=3), 9)
    await world.act(guests.check_out, stay["stay_id"], None)
    gone = await again(world, stay)
    assert (gone["granted_nights"], gone["given_back_nights"], gone["overstayed_nights"]) == (
        2, 0, 3,
    )  # fmt: skip
    # Occupancy and stays tell the same of every night, those that nobody had granted included.
    counted = nights_by_inn(await world.stays())
    until = gone["check_out_on"] + timedelta(days=2)
    for night in await occupancy(world, inn_id, world.today, until):
        assert night["occupied"] == counted[inn_id, night["night"]]
    assert sum(counted.values()) == 5


async def test_the_next_guest_moves_to_another_bed(world: World) -> None:
    await world.inn([1, 1])
    stay = await in_house_until_the_night_after(world)
    # Somebody else has the other bed until that day: so the next one is given this bed.
    other = await a_guest(world, nights=3)
    coming = stay["check_out_on"] + timedelta(days=1)
    following = await a_guest(world, starts_on=coming, nights=1)
    assert following["bed_id"] == stay["bed_id"]
    await world.act(guests.cancel, other["stay_id"], "not_needed")
    await to_ten_of_the_check_out_day(world, stay)
    moved = await again(world, following)
    assert (moved["state"], moved["bed_id"]) == ("confirmed", other["bed_id"])
    assert moved["reason"] == "bed_overstayed"
    assert await overlaps(world) == 0


async def test_without_another_bed_the_next_guest_is_first_in_the_line(world: World) -> None:
    await world.inn([1])
    stay = await in_house_until_the_night_after(world)
    coming = stay["check_out_on"] + timedelta(days=1)
    following = await a_guest(world, starts_on=coming, nights=3)
    behind = await a_guest(world, starts_on=coming, nights=3)
    assert (following["state"], behind["state"]) == ("confirmed", "waitlisted")
    await to_ten_of_the_check_out_day(world, stay)
    assert (await again(world, following))["state"] == "waitlisted"
    assert (await again(world, stay))["bed_id"] == stay["bed_id"]
    await world.act(guests.check_out, stay["stay_id"], None)
    await world.settle()
    assert (await again(world, following))["state"] == "confirmed"
    assert (await again(world, behind))["state"] == "waitlisted"


async def test_a_woman_makes_way_in_the_room_where_a_man_stays_on(world: World) -> None:
    await world.inn([2, 1])
    stay = await in_house_until_the_night_after(world)
    coming = stay["check_out_on"] + timedelta(days=1)
    pair = [
        await a_guest(world, gender="female", starts_on=coming, nights=1) for _ in range(2)
    ]  # fmt: skip
    assert {s["state"] for s in pair} == {"confirmed"}
    await to_ten_of_the_check_out_day(world, stay)
    assert await overlaps(world) == 0
    ends = sorted([(await again(world, s))["state"] for s in pair])
    assert ends in (["confirmed", "confirmed"], ["confirmed", "waitlisted"])
    assert (await again(world, stay))["overstayed_nights"] == 1


async def test_who_arrives_before_the_last_guest_left_gets_another_bed_or_is_told(
    world: World,
) -> None:
    await world.inn([1, 1])
    stay = await in_house_until_the_night_after(world)
    other = await a_guest(world, nights=3)
    coming = stay["check_out_on"] + timedelta(days=1)
    following = await a_guest(world, starts_on=coming, nights=1)
    assert following["bed_id"] == stay["bed_id"]
    world.now = at(following["check_in_on"], 18)
    with pytest.raises(Problem) as refused:
        await world.act(guests.check_in, following["stay_id"], None)
    assert refused.value.status == 409
    assert (await again(world, following))["state"] == "confirmed"
    await world.act(guests.cancel, other["stay_id"], "not_needed")
    await world.act(guests.check_in, following["stay_id"], None)
    arrived = await again(world, following)
    assert (arrived["state"], arrived["bed_id"]) == ("checked_in", other["bed_id"])
    await world.act(guests.check_out, stay["stay_id"], None)
    # Gone before ten: no overstay, and the night goes back.
    assert (await again(world, stay))["overstayed_nights"] == 0
    assert await world.tick(lapses.note_overstays) == 0
    assert await level(world) == "A"


async def test_a_check_out_told_late_undoes_an_overstay_that_was_none(world: World) -> None:
    await world.inn([1])
    stay = await in_house_until_the_night_after(world)
    async with world.tx() as tx:
        # Not on the key list, nothing is lowered yet; the breach is noted all the same.
        await tx.execute("DELETE FROM key_enterprise")
    await to_ten_of_the_check_out_day(world, stay)
    assert await world.count("credit_breach") == 1
    left = at(stay["check_out_on"], 11)
    await world.act(guests.check_out, stay["stay_id"], left)
    assert await world.count("credit_breach") == 0
    gone = await again(world, stay)
    assert (gone["check_out_on"], gone["overstayed_nights"]) == (stay["check_out_on"], 0)
    assert await nights_of(world, stay) == [(stay["check_in_on"], stay["check_out_on"])]


async def test_whose_bed_has_a_new_guest_in_house_has_evidently_left(world: World) -> None:
    await world.inn([1])
    stay = await in_house_until_the_night_after(world)
    following = await a_guest(world, starts_on=stay["check_out_on"] + timedelta(days=1), nights=2)
    async with world.tx() as tx:
        await tx.execute(
            "UPDATE stay SET state = 'checked_in', checked_in_at = now() WHERE stay_id = $1",
            following["stay_id"],
        )
    await to_ten_of_the_check_out_day(world, stay)
    assert (await again(world, stay))["overstayed_nights"] == 0
    assert (await again(world, following))["bed_id"] == stay["bed_id"]


async def test_an_erasure_waits_for_who_stays_on(world: World) -> None:
    await world.inn([1])
    stay = await in_house_until_the_night_after(world)
    await to_ten_of_the_check_out_day(world, stay)
    await world.hear(WorkerErased(worker_id=stay["worker_id"]))
    assert (await again(world, stay))["state"] == "checked_in"


async def test_the_answer_to_where_a_guest_goes_is_told(world: World) -> None:
    await world.inn([1])
    stay = await a_guest(world, nights=5)
    await world.check_in(stay)
    world.now = at(stay["check_out_on"] - timedelta(days=3), 9)
    await world.tick(lapses.ask_next_homes)
    await world.act(guests.tell_next_home, stay["stay_id"], "long_stay_home")
    told = [b["reason"] for b in await world.bodies("stay-changed")]
    assert told[-2:] == ["next_home_unknown", "next_home_known"]
