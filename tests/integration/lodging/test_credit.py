"""An enterprise's credit: what lowers it, and that a change is seen by later decisions only."""

from datetime import timedelta
from typing import Any

from services.lodging.handlers import guests, lapses
from tests.integration.lodging.world import World, at


async def a_guest(world: World, **overrides: Any) -> Any:
    placement = world.placement(needs_seat=False, **overrides)
    await world.hear(placement)
    return await world.stay(placement.worker_id)


async def level(world: World) -> str:
    async with world.tx() as tx:
        return str(await tx.fetchval("SELECT credit_level FROM key_enterprise"))


async def test_two_no_shows_lower_the_level_and_one_does_not(world: World) -> None:
    await world.inn([4])
    await a_guest(world)
    world.now = at(world.first_night, 22)
    await world.tick(lapses.cut_off)
    assert await level(world) == "A"
    world.now = None
    await a_guest(world, starts_on=world.first_night + timedelta(days=2))
    world.now = at(world.first_night + timedelta(days=1), 22)
    await world.tick(lapses.cut_off)
    assert await level(world) == "B"
    (changed,) = await world.bodies("enterprise-credit-changed")
    assert (changed["from"], changed["level"], changed["reason"]) == ("A", "B", "no_shows")
    assert changed["enterprise_id"] == str(world.enterprise_id)


async def test_an_overstay_lowers_the_level_once(world: World) -> None:
    await world.inn([1])
    stay = await a_guest(world)
    await world.check_in(stay)
    world.now = at(stay["check_out_on"], 21, 59)
    assert await world.tick(lapses.note_overstays) == 0
    world.now = at(stay["check_out_on"], 22)
    assert await world.tick(lapses.note_overstays) == 1
    assert await world.tick(lapses.note_overstays) == 0
    assert await level(world) == "B"
    # Nobody is put out by a batch job.
    assert (await world.stay(stay["worker_id"]))["state"] == "checked_in"


async def test_six_no_shows_end_in_a_revocation(world: World) -> None:
    await world.inn([6])
    for _ in range(6):
        await a_guest(world)
    world.now = at(world.first_night, 22)
    await world.tick(lapses.cut_off)
    assert await level(world) == "revoked"


async def test_a_revocation_fails_holds_and_leaves_confirmed_arrivals_and_guests(
    world: World,
) -> None:
    await world.inn([4])
    in_house, confirmed = await a_guest(world), await a_guest(world)
    await world.withdraw_commitments()
    held = await a_guest(world)
    await world.check_in(in_house)
    await world.grade("revoked")
    states = [(await world.stay(s["worker_id"]))["state"] for s in (in_house, confirmed, held)]
    assert states == ["checked_in", "confirmed", "released"]
    failed = await world.stay(held["worker_id"])
    assert (failed["reason"], failed["rule"]) == ("credit_revoked", "credit_revoked")
    # A decision made before is followed: the arrival still checks in.
    await world.check_in(confirmed)
    refused = await a_guest(world)
    assert (refused["state"], refused["rule"]) == ("rejected", "credit_revoked")


async def test_a_promotion_from_the_waitlist_sees_todays_credit(world: World) -> None:
    await world.inn([1])
    first, second = await a_guest(world), await a_guest(world)
    await world.grade("revoked")
    async with world.tx() as tx:
        await guests.cancel(tx, first["stay_id"], "not_needed")
    await world.settle()
    refused = await world.stay(second["worker_id"])
    assert (refused["state"], refused["rule"]) == ("rejected", "credit_revoked")


async def test_a_delay_follows_the_decision_already_made(world: World) -> None:
    await world.inn([2])
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement, seat)
    await world.grade("revoked")
    late = seat.arrives_at + timedelta(days=1)
    await world.hear(world.seat_changed(seat, arrives_at=late))
    stay = await world.stay(placement.worker_id)
    assert (stay["state"], stay["check_in_on"]) == (
        "confirmed",
        world.first_night + timedelta(days=1),
    )


async def test_an_enterprise_that_left_the_list_cannot_confirm(world: World) -> None:
    await world.inn([1])
    await world.withdraw_commitments()
    held = await a_guest(world)
    await world.grade("A", valid_to=world.first_night)
    done = await world.act(guests.confirm, held["stay_id"])
    assert (done.state, done.rule) == ("released", "not_on_key_list")


async def test_an_appeal_raises_the_level_again_for_later_decisions(world: World) -> None:
    await world.inn([2])
    await world.grade("revoked")
    assert (await a_guest(world))["state"] == "rejected"
    await world.grade("B")
    assert (await a_guest(world))["state"] == "confirmed"
    async with world.tx() as tx:
        reasons = await tx.fetch("SELECT reason, level FROM credit_change ORDER BY changed_at")
    assert [tuple(r) for r in reasons] == [("corrected", "revoked"), ("corrected", "B")]
