"""Beds that an enterprise asks for itself: known and unknown guests, groups, families, the line."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.registry import WorkerErased, WorkerHired
from services.lodging.domain.allocation import PASSES_MAX
from services.lodging.handlers import decide, guests, settle
from services.lodging.handlers.requests import Guest, StayRequest, request_stays
from tests.integration.lodging.world import IDS, World


def hired(world: World, worker_id: UUID, **overrides: Any) -> WorkerHired:
    values = {
        "hire_id": IDS.uuid7(),
        "worker_id": worker_id,
        "enterprise_id": world.enterprise_id,
        "batch_id": IDS.uuid7(),
        "hired_on": world.today,
        "gender": "male",
        "birth_year_month": "1999-03",
        "origin_division_code": "530900",
    }
    return WorkerHired.model_validate(values | overrides)


async def ask(world: World, workers: Sequence[UUID], **overrides: Any) -> list[Any]:
    """Ask for beds for these guests, settle, and give their newest stays."""
    values: dict[str, Any] = {
        "stay_request_id": IDS.uuid7(),
        "enterprise_id": world.enterprise_id,
        "programme": "YOUJIA",
        "check_in_on": world.first_night,
        "nights": 5,
        "guests": tuple(Guest(w) for w in workers),
        "together": False,
        "wait": True,
        "inn_id": None,
    }
    async with world.tx() as tx:
        await request_stays(tx, StayRequest(**(values | overrides)))
    await world.settle()
    return [await world.stay(w) for w in workers]


async def new_hires(world: World, count: int, **overrides: Any) -> list[UUID]:
    workers = [uuid4() for _ in range(count)]
    await world.hear(*(hired(world, w, **overrides) for w in workers))
    return workers


async def test_a_new_hire_gets_a_bed_on_the_hires_journey(world: World) -> None:
    await world.inn()
    hire = hired(world, uuid4())
    await world.hear(hire)
    (stay,) = await ask(world, [hire.worker_id])
    assert stay["state"] == "confirmed"
    assert stay["hire_id"] == hire.hire_id
    assert {h["ce_correlationid"] for h in await world.headers()} == {str(hire.hire_id)}


async def test_a_guest_with_a_live_placement_is_on_the_nominations_journey(world: World) -> None:
    await world.inn()
    placement = world.placement(needs_bed=False)
    await world.hear(placement, hired(world, placement.worker_id))
    (stay,) = await ask(world, [placement.worker_id])
    assert (stay["state"], stay["office_id"]) == ("confirmed", world.office_id)
    journeys = {h["ce_correlationid"] for h in await world.headers()}
    assert journeys == {str(placement.nomination_id)}


async def test_an_unknown_guest_waits_a_minute_and_is_then_no_new_hire(
    world: World, monkeypatch: Any
) -> None:
    await world.inn()
    stranger = uuid4()
    (stay,) = await ask(world, [stranger])
    assert stay["state"] == "requested"
    assert await world.said() == []
    monkeypatch.setattr(settle, "UNHEARD_S", 0)
    await world.settle()
    stay = await world.stay(stranger)
    assert (stay["state"], stay["rule"]) == ("rejected", "not_a_new_hire")
    assert await world.said() == ["stay-requested", "stay-rejected"]


async def test_a_guest_heard_of_after_the_request_is_decided_then(world: World) -> None:
    await world.inn()
    worker_id = uuid4()
    await ask(world, [worker_id])
    await world.hear(hired(world, worker_id))
    assert (await world.stay(worker_id))["state"] == "confirmed"


async def test_a_new_hire_of_another_enterprise_is_no_guest_of_ours(
    world: World, monkeypatch: Any
) -> None:
    await world.inn()
    worker_id = uuid4()
    await world.hear(hired(world, worker_id, enterprise_id=uuid4()))
    monkeypatch.setattr(settle, "UNHEARD_S", 0)
    (stay,) = await ask(world, [worker_id])
    assert stay["rule"] == "not_a_new_hire"


async def test_who_is_lodged_already_gets_no_second_bed(world: World) -> None:
    await world.inn([4])
    (worker_id,) = await new_hires(world, 1)
    await ask(world, [worker_id])
    (second,) = await ask(world, [worker_id])
    assert (second["state"], second["rule"]) == ("rejected", "already_lodged")
    assert await world.occupied() == 1


async def test_two_requests_at_once_give_one_bed(world: World) -> None:
    await world.inn([4])
    worker_id = uuid4()
    await ask(world, [worker_id])
    await ask(world, [worker_id])
    await world.hear(hired(world, worker_id))
    states = sorted(s["state"] for s in await world.stays(worker_id))
    assert states == ["confirmed", "rejected"]


async def test_who_does_not_wait_is_told_that_no_bed_is_free(world: World) -> None:
    await world.inn([1])
    first, second = await new_hires(world, 2)
    await ask(world, [first])
    (stay,) = await ask(world, [second], wait=False)
    assert (stay["state"], stay["rule"]) == ("rejected", "no_bed")


async def test_an_inn_named_is_the_only_one(world: World) -> None:
    await world.inn([1], name="甲")
    wanted = await world.inn([1], name="乙")
    workers = await new_hires(world, 2)
    stays = await ask(world, workers, inn_id=wanted)
    assert sorted(s["state"] for s in stays) == ["confirmed", "waitlisted"]
    assert {s["inn_id"] for s in stays if s["inn_id"]} == {wanted}


async def test_a_group_is_in_one_inn_or_waits_whole(world: World) -> None:
    await world.inn([2, 1], name="甲")
    await world.inn([2, 2], name="乙")
    five = await new_hires(world, 5)
    stays = await ask(world, five, together=True)
    assert {s["state"] for s in stays} == {"waitlisted"}
    stays = await ask(world, await new_hires(world, 4), together=True)
    assert {s["state"] for s in stays} == {"confirmed"}
    assert len({s["inn_id"] for s in stays}) == 1


async def test_a_waiting_group_of_eight_is_promoted_whole(world: World) -> None:
    await world.inn([2, 2, 2, 2])
    before = await ask(world, await new_hires(world, 8))
    eight = await new_hires(world, 8)
    group = await ask(world, eight, together=True)
    assert {s["state"] for s in group} == {"waitlisted"}
    for stay in before[:-1]:
        await world.act(guests.cancel, stay["stay_id"], "not_needed")
        await world.settle()
        assert {(await world.stay(w))["state"] for w in eight} == {"waitlisted"}
    await world.act(guests.cancel, before[-1]["stay_id"], "not_needed")
    await world.settle()
    assert {(await world.stay(w))["state"] for w in eight} == {"confirmed"}


async def test_a_waiting_group_is_passed_so_often_and_no_more(world: World) -> None:
    """POLICY: smaller units pass a waiting one `PASSES_MAX` times; then beds are kept for it."""
    await world.inn([1, 1])
    blocker, *group = await new_hires(world, 3)
    await ask(world, [blocker], nights=9)
    await ask(world, group, together=True)
    for _ in range(PASSES_MAX):
        (single,) = await ask(world, await new_hires(world, 1))
        assert single["state"] == "confirmed"
        await world.act(guests.cancel, single["stay_id"], "not_needed")
        await world.settle()
    (last,) = await ask(world, await new_hires(world, 1))
    assert last["state"] == "waitlisted"
    await world.act(guests.cancel, (await world.stay(blocker))["stay_id"], "not_needed")
    await world.settle()
    assert {(await world.stay(w))["state"] for w in group} == {"confirmed"}


async def test_the_line_goes_by_priority_then_time(world: World) -> None:
    await world.inn([1])
    (holder,) = await ask(world, await new_hires(world, 1))
    early = world.placement(needs_seat=False)
    urgent = world.placement(needs_seat=False, priority=5)
    await world.hear(early)
    await world.hear(urgent)
    await world.act(guests.cancel, holder["stay_id"], "not_needed")
    await world.settle()
    assert (await world.stay(early.worker_id))["state"] == "waitlisted"
    assert (await world.stay(urgent.worker_id))["state"] == "confirmed"


async def test_a_family_shares_a_room(world: World) -> None:
    await world.inn([2])
    (man,) = await new_hires(world, 1)
    (woman,) = await new_hires(world, 1, gender="female")
    stays = await ask(
        world, [man, woman], guests=(Guest(man, "a"), Guest(woman, "a")), together=True
    )
    assert {s["state"] for s in stays} == {"confirmed"}


async def test_a_placed_group_waits_for_all_its_members_and_is_in_one_inn(world: World) -> None:
    await world.inn([2], name="甲")
    await world.inn([2, 2], name="乙")
    group_id = IDS.uuid7()
    members = [world.placement(group_id=group_id, group_placed_count=3) for _ in range(3)]
    await world.hear(*members)
    seats = [world.seat(m) for m in members]
    await world.hear(*seats[:2])
    assert {(await world.stay(m.worker_id))["state"] for m in members} == {"requested"}
    await world.hear(seats[2])
    stays = [await world.stay(m.worker_id) for m in members]
    assert {s["state"] for s in stays} == {"confirmed"}
    assert len({s["inn_id"] for s in stays}) == 1
    assert {b["group_bed_count"] for b in await world.bodies("stay-held")} == {3}


async def test_a_placed_group_waits_twenty_seconds_and_no_more(
    world: World, monkeypatch: Any
) -> None:
    await world.inn([4])
    group_id = IDS.uuid7()
    first, second = (world.placement(group_id=group_id, group_placed_count=2) for _ in range(2))
    await world.hear(first, second, world.seat(first))
    assert (await world.stay(first.worker_id))["state"] == "requested"
    monkeypatch.setattr(decide, "GROUP_WAIT", timedelta(0))
    await world.settle()
    assert (await world.stay(first.worker_id))["state"] == "confirmed"
    await world.hear(world.seat(second))
    one, other = await world.stay(first.worker_id), await world.stay(second.worker_id)
    assert one["inn_id"] == other["inn_id"]


async def test_a_cancelled_member_is_no_longer_waited_for(world: World) -> None:
    await world.inn([4])
    group_id = IDS.uuid7()
    first, second = (world.placement(group_id=group_id, group_placed_count=2) for _ in range(2))
    await world.hear(first, second, world.seat(first))
    await world.hear(world.cancelled(second))
    assert (await world.stay(first.worker_id))["state"] == "confirmed"


async def test_a_guest_of_a_placement_that_is_cancelled_loses_the_direct_stay(
    world: World,
) -> None:
    await world.inn()
    placement = world.placement(needs_bed=False)
    await world.hear(placement)
    (stay,) = await ask(world, [placement.worker_id])
    assert stay["state"] == "confirmed"
    await world.hear(world.cancelled(placement))
    assert (await world.stay(placement.worker_id))["reason"] == "placement_cancelled"


async def test_an_erasure_during_a_stay_takes_effect_when_it_ends(world: World) -> None:
    await world.inn()
    (worker_id,) = await new_hires(world, 1)
    (stay,) = await ask(world, [worker_id])
    await world.check_in(stay)
    await world.hear(WorkerErased(worker_id=worker_id))
    assert (await world.stay(worker_id))["state"] == "checked_in"
    assert await world.count("hire") == 1
    await world.act(guests.check_out, stay["stay_id"], None)
    await world.settle()
    assert (await world.stay(worker_id))["state"] == "checked_out"
    assert await world.count("hire") == 0
