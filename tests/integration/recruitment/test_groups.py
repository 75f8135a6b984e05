"""Groups: offered together, confirmed together, and back into the rounds together."""

from typing import Any

import pytest

from services.recruitment.handlers.houserules import HouseRules
from services.recruitment.matching.problem import Policy
from tests.integration.recruitment.world import (
    ENTERPRISE,
    OTHER_ENTERPRISE,
    World,
    a_group,
    a_nomination,
    a_validation,
    ok,
)
from tests.support.http import a_coordinator, an_enterprise, app_client

CHANGXING = {"name": "长兴岛基地", "division_code": "310151", "town": "长兴镇"}


async def test_a_group_is_offered_in_one_round_at_one_enterprise_and_town(world: World) -> None:
    drive_id = await world.open_drive(
        {"openings": 2},
        {"openings": 2, "site": CHANGXING},
        {"openings": 3, "enterprise_id": OTHER_ENTERPRISE, "occupation_code": "6-18-01-01"},
    )
    await world.nominate(*a_group(drive_id, 3))
    offers = await world.said("offer-made")
    assert [o["enterprise_id"] for o in offers] == [str(OTHER_ENTERPRISE)] * 3
    assert len({o["group_id"] for o in offers}) == 1


async def test_its_placements_are_confirmed_in_one_transaction_with_the_last_acceptance(
    world: World,
) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({})
    group = a_group(drive_id, 3)
    await world.nominate(*group)
    offers = await world.said("offer-made")
    async with app_client("recruitment", world.db, coordinator) as client:
        for offer in offers:
            assert not await world.said("placement-confirmed")
            await ok(await client.post(f"/v1/offers/{offer['offer_id']}/accept"))
    placements = await world.said("placement-confirmed")
    assert {p["group_id"] for p in placements} == {str(group[0].group_id)}
    assert [p["group_placed_count"] for p in placements] == [3, 3, 3]
    assert len({p["cause"] for p in placements}) == 1
    assert await world.counts() == [(5, 3, 3)]


async def test_where_the_offices_word_counts_a_group_is_placed_at_once(world: World) -> None:
    drive_id = await world.open_drive({}, acceptance="on_nomination")
    await world.nominate(*a_group(drive_id, 4), a_nomination(drive_id))
    placements = await world.said("placement-confirmed")
    assert sorted(p.get("group_placed_count", 0) for p in placements) == [0, 4, 4, 4, 4]


async def test_a_decline_takes_the_others_offers_back_and_they_go_on_as_the_group(
    world: World,
) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({"openings": 3})
    group = a_group(drive_id, 3)
    await world.nominate(*group)
    offers = await world.said("offer-made")
    async with app_client("recruitment", world.db, coordinator) as client:
        await ok(await client.post(f"/v1/offers/{offers[0]['offer_id']}/accept"))
        await ok(await client.post(f"/v1/offers/{offers[1]['offer_id']}/decline"))
    assert [o["reason"] for o in await world.said("offer-withdrawn")] == ["group_incomplete"] * 2
    assert not await world.said("placement-confirmed")
    assert await world.counts() == [(3, 0, 0)]
    await world.post(drive_id, enterprise_id=OTHER_ENTERPRISE)
    await world.rounds()
    again = (await world.said("offer-made"))[3:]
    grouped = {o["nomination_id"]: o.get("group_id") for o in again}
    assert grouped == {
        offers[0]["nomination_id"]: str(group[0].group_id),
        offers[1]["nomination_id"]: None,
        offers[2]["nomination_id"]: str(group[0].group_id),
    }


async def test_the_last_one_of_a_group_is_no_group(world: World) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({})
    await world.nominate(*a_group(drive_id, 2))
    offers = await world.said("offer-made")
    async with app_client("recruitment", world.db, coordinator) as client:
        await ok(await client.post(f"/v1/offers/{offers[0]['offer_id']}/decline"))
        await world.post(drive_id, enterprise_id=OTHER_ENTERPRISE)
        await world.rounds()
        again = (await world.said("offer-made"))[2:]
        assert [o.get("group_id") for o in again] == [None, None]
        await ok(await client.post(f"/v1/offers/{again[0]['offer_id']}/accept"))
    (placement,) = await world.said("placement-confirmed")
    assert "group_id" not in placement
    assert "group_placed_count" not in placement


async def test_an_enterprise_that_withdraws_one_offer_loses_the_group(world: World) -> None:
    enterprise = await an_enterprise(world.db, tenant_id=ENTERPRISE)
    drive_id = await world.open_drive({})
    await world.nominate(*a_group(drive_id, 3))
    offers = await world.said("offer-made")
    async with app_client("recruitment", world.db, enterprise) as client:
        await ok(await client.post(f"/v1/offers/{offers[2]['offer_id']}/withdraw"))
    reasons = [o["reason"] for o in await world.said("offer-withdrawn")]
    assert sorted(reasons) == ["group_incomplete", "group_incomplete", "other"]


async def test_offers_of_a_group_that_expire_together_keep_the_group_whole(world: World) -> None:
    drive_id = await world.open_drive({})
    group = a_group(drive_id, 2)
    await world.nominate(*group)
    await world.advance("49 hours")
    await world.expire()
    await world.post(drive_id, enterprise_id=OTHER_ENTERPRISE)
    await world.rounds()
    again = (await world.said("offer-made"))[2:]
    assert [o.get("group_id") for o in again] == [str(group[0].group_id)] * 2


async def test_a_cancellation_after_the_confirmation_doesnt_undo_the_others(world: World) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({}, acceptance="on_nomination")
    await world.nominate(*a_group(drive_id, 3))
    first = (await world.said("placement-confirmed"))[0]
    async with app_client("recruitment", world.db, coordinator) as client:
        route = f"/v1/placements/{first['placement_id']}/cancel"
        await ok(await client.post(route, json={"reason": "illness", "rematch": True}))
    await world.post(drive_id)
    await world.rounds()
    assert len(await world.said("placement-cancelled")) == 1
    assert "group_id" not in (await world.said("placement-confirmed"))[-1]
    assert await world.value("SELECT count(*) FROM placement WHERE state = 'confirmed'") == 3


async def test_a_group_waits_for_its_last_member(
    world: World,
) -> None:
    drive_id = await world.open_drive({})
    one, two, three = a_group(drive_id, 3)
    await world.hear(one, two)
    await world.rounds()
    assert not await world.said("offer-made")
    await world.hear(three)
    await world.rounds()
    assert len(await world.said("offer-made")) == 3


async def test_a_group_whose_told_size_never_comes_goes_once_its_batch_is_whole(
    world: World,
) -> None:
    drive_id = await world.open_drive({})
    short = a_group(drive_id, 3)[:2]
    await world.hear(*short)
    await world.rounds()
    assert not await world.said("offer-made")
    await world.hear(a_validation(short[0].batch_id, 2))
    await world.rounds()
    assert len(await world.said("offer-made")) == 2


@pytest.mark.parametrize("skip_max", [0, 2])
async def test_a_group_is_passed_over_only_as_often_as_the_policy_allows(
    world: World, skip_max: int
) -> None:
    """Three singles who suit better are worth more than the group, until it is overdue."""
    house_rules = HouseRules(policy=Policy(skip_max=skip_max, hold_max=0))
    drive_id = await world.open_drive({"openings": 3})
    unlike: dict[str, Any] = {"occupation_codes": ("4-03-02-01",)}
    group = a_group(drive_id, 3, **unlike)
    served = 0
    for _ in range(4):
        await world.hear(*(a_nomination(drive_id) for _ in range(3)), *group)
        group = []
        await world.rounds(house_rules)
        if any("group_id" in o for o in await world.said("offer-made")):
            break
        served += 1
        await world.advance("49 hours")
        await world.expire()
    assert served == skip_max
