"""What becomes of offers: declined, expired, withdrawn, and the opening that goes on."""

from datetime import timedelta

import pytest

from contracts.registry import WorkerUpdated
from services.recruitment.handlers import rounds
from services.recruitment.handlers.houserules import HouseRules
from services.recruitment.matching.problem import Problem, Solution
from tests.integration.recruitment.world import (
    ENTERPRISE,
    OTHER_ENTERPRISE,
    SEWER,
    TODAY,
    World,
    a_group,
    a_nomination,
    ok,
)
from tests.support.http import a_coordinator, an_enterprise, an_office, app_client


async def test_a_declined_opening_goes_to_the_next_and_never_back_to_the_same(
    world: World,
) -> None:
    office = await an_office(world.db)
    drive_id = await world.open_drive({"openings": 1})
    people = [a_nomination(drive_id, office_id=office.tenant_id) for _ in range(2)]
    await world.nominate(*people)
    (first,) = await world.said("offer-made")
    (waiting,) = await world.said("nomination-unplaced")
    assert waiting["reason"] == "no_opening"
    async with app_client("recruitment", world.db, office) as client:
        body = {"reason": "张三说路太远 13800138000"}
        declined = await ok(await client.post(f"/v1/offers/{first['offer_id']}/decline", json=body))
    assert (declined["state"], declined["reason"]) == ("declined", "other")
    due = "SELECT min(due_at - clock_timestamp()) FROM match_due"
    assert await world.value(due) < timedelta(seconds=0)
    await world.rounds()
    _, second = await world.said("offer-made")
    assert second["nomination_id"] == waiting["nomination_id"]
    assert second["vacancy_id"] == first["vacancy_id"]
    again = (await world.said("nomination-unplaced"))[-1]
    assert (again["nomination_id"], again["reason"]) == (first["nomination_id"], "offered_before")
    assert again["nearest_miss"]["rules"] == ["offered_before", "no_opening"]
    await world.rounds()
    assert len(await world.said("offer-made")) == 2
    assert await world.counts() == [(1, 1, 0)]


async def test_an_expired_offer_frees_its_opening_by_business_time(world: World) -> None:
    drive_id = await world.open_drive({"openings": 1})
    people = [a_nomination(drive_id) for _ in range(2)]
    await world.nominate(*people)
    assert await world.expire() == 0
    await world.advance("49 hours")
    assert await world.expire() == 1
    (expired,) = await world.said("offer-expired")
    assert expired["reason"] == "expired"
    await world.rounds()
    made = await world.said("offer-made")
    assert [m["nomination_id"] for m in made] == [str(p.nomination_id) for p in people]
    assert await world.counts() == [(1, 1, 0)]


async def test_an_offer_cannot_be_accepted_after_its_time(world: World) -> None:
    office = await an_office(world.db)
    drive_id = await world.open_drive({})
    await world.nominate(a_nomination(drive_id, office_id=office.tenant_id))
    (offer,) = await world.said("offer-made")
    await world.advance("49 hours")
    async with app_client("recruitment", world.db, office) as client:
        late = await client.post(f"/v1/offers/{offer['offer_id']}/accept")
    assert (late.status_code, late.json()["code"]) == (409, "offer_expired")


async def test_the_enterprise_withdraws_its_offer_and_the_person_goes_elsewhere(
    world: World,
) -> None:
    enterprise = await an_enterprise(world.db, tenant_id=ENTERPRISE)
    drive_id = await world.open_drive(
        {"monthly_pay_max": 9000}, {"enterprise_id": OTHER_ENTERPRISE, "occupation_code": "6-18"}
    )
    await world.nominate(a_nomination(drive_id))
    (offer,) = await world.said("offer-made")
    assert offer["enterprise_id"] == str(ENTERPRISE)
    async with app_client("recruitment", world.db, enterprise) as client:
        await ok(await client.post(f"/v1/offers/{offer['offer_id']}/withdraw"))
    await world.rounds()
    assert [o["enterprise_id"] for o in await world.said("offer-made")] == [
        str(ENTERPRISE),
        str(OTHER_ENTERPRISE),
    ]


async def test_accepting_one_offer_closes_the_persons_others(world: World) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({"openings": 1})
    person = a_nomination(drive_id)
    await world.nominate(person)
    other = await world.post(drive_id, enterprise_id=OTHER_ENTERPRISE)
    async with app_client("recruitment", world.db, coordinator) as client:
        body = {"nomination_id": str(person.nomination_id), "vacancy_id": str(other)}
        made = await ok(await client.post("/v1/offers", json=body))
        twice = await client.post("/v1/offers", json=body)
        assert (twice.status_code, twice.json()["code"]) == (409, "offer_open")
        await ok(await client.post(f"/v1/offers/{made['offer_id']}/accept"))
    (withdrawn,) = await world.said("offer-withdrawn")
    assert withdrawn["reason"] == "other_accepted"
    assert await world.counts() == [(1, 0, 0), (5, 1, 1)]


async def test_a_person_may_offer_again_what_was_declined_and_overrule_a_rule(
    world: World,
) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({"requirements": {"education_code": "60"}})
    person = a_nomination(drive_id, education_code="70")
    await world.nominate(person)
    (unplaced,) = await world.said("nomination-unplaced")
    assert unplaced["reason"] == "rules"
    assert unplaced["nearest_miss"]["rules"] == ["education"]
    body = {
        "nomination_id": str(person.nomination_id),
        "vacancy_id": unplaced["nearest_miss"]["vacancy_id"],
    }
    async with app_client("recruitment", world.db, coordinator) as client:
        for _ in range(2):
            made = await ok(await client.post("/v1/offers", json=body))
            assert made["overruled_rules"] == ["education"]
            await ok(await client.post(f"/v1/offers/{made['offer_id']}/decline"))
        child = a_nomination(drive_id, birth_year_month="2015-01")
        await world.nominate(child)
        body["nomination_id"] = str(child.nomination_id)
        refused = await client.post("/v1/offers", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "under_age")


async def test_a_withdrawn_vacancy_takes_its_open_offers_back_and_keeps_its_placements(
    world: World,
) -> None:
    enterprise = await an_enterprise(world.db, tenant_id=ENTERPRISE)
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({})
    await world.nominate(*(a_nomination(drive_id) for _ in range(3)))
    offers = await world.said("offer-made")
    async with app_client("recruitment", world.db, coordinator) as client:
        await ok(await client.post(f"/v1/offers/{offers[0]['offer_id']}/accept"))
    async with app_client("recruitment", world.db, enterprise) as client:
        route = f"/v1/vacancies/{offers[0]['vacancy_id']}/withdraw"
        withdrawn = await ok(await client.post(route, json={"reason": "order_cancelled"}))
        assert withdrawn["state"] == "withdrawn"
        again = await client.post(route)
        assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    await world.rounds()
    assert {o["reason"] for o in await world.said("offer-withdrawn")} == {"vacancy_withdrawn"}
    assert [v["reason"] for v in await world.said("vacancy-withdrawn")] == ["order_cancelled"]
    assert [u["reason"] for u in await world.said("nomination-unplaced")] == ["no_vacancy"] * 2
    assert await world.counts() == [(5, 1, 1)]


async def test_how_long_an_offer_stands_is_a_setting(world: World) -> None:
    drive_id = await world.open_drive({})
    person = a_nomination(drive_id)
    await world.hear(person)
    await world.rounds(HouseRules(offer_stands=timedelta(hours=1)))
    left = "SELECT expires_at - made_at FROM offer"
    assert await world.value(left) == timedelta(hours=1)


async def test_unplaced_is_said_again_only_when_the_reason_or_the_nearest_miss_changes(
    world: World,
) -> None:
    drive_id = await world.open_drive(
        {"requirements": {"age_max": 20}, "occupation_code": "4-03-02-01"}
    )
    person = a_nomination(drive_id)
    await world.nominate(person)
    await world.hear(a_nomination(drive_id, birth_year_month=f"{TODAY.year - 19}-01"))
    await world.rounds()
    assert len(await world.said("nomination-unplaced")) == 1
    better = {"requirements": {"age_max": 21}, "occupation_code": SEWER}
    nearer = await world.post(drive_id, **better)
    await world.rounds()
    of_person = [
        u
        for u in await world.said("nomination-unplaced")
        if u["nomination_id"] == str(person.nomination_id)
    ]
    misses = [u["nearest_miss"]["vacancy_id"] for u in of_person]
    assert (len(misses), misses[-1]) == (2, str(nearer))
    await world.post(drive_id)
    await world.rounds()
    assert (await world.said_of(person.nomination_id))[-1] == "offer-made"


async def test_a_round_offers_nothing_to_whom_something_happened_while_it_was_solved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A coordinator's offer of the same vacancy is made and declined before the round applies."""
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({})
    person = a_nomination(drive_id)
    (vacancy,) = await world.rows("SELECT vacancy_id FROM vacancy")
    await world.hear(person)
    solved = rounds._solved

    async def slowly(problem: Problem) -> Solution:
        if not problem.offered:
            async with app_client("recruitment", world.db, coordinator) as client:
                body = {
                    "nomination_id": str(person.nomination_id),
                    "vacancy_id": str(vacancy["vacancy_id"]),
                }
                made = await ok(await client.post("/v1/offers", json=body))
                await ok(await client.post(f"/v1/offers/{made['offer_id']}/decline"))
        return await solved(problem)

    monkeypatch.setattr(rounds, "_solved", slowly)
    await world.rounds()
    assert await world.said_of(person.nomination_id) == [
        "offer-made",
        "offer-declined",
        "nomination-unplaced",
    ]


async def test_a_profile_that_changes_while_a_round_is_solved_is_matched_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive_id = await world.open_drive({"requirements": {"gender": "female"}})
    person = a_nomination(drive_id)
    await world.hear(person)
    solved = rounds._solved

    async def slowly(problem: Problem) -> Solution:
        if problem.candidates[0].gender == "female":
            profile = person.model_dump() | {"gender": "male"}
            await world.hear(WorkerUpdated.model_validate(profile))
        return await solved(problem)

    monkeypatch.setattr(rounds, "_solved", slowly)
    await world.rounds()
    assert await world.said_of(person.nomination_id) == ["nomination-unplaced"]
    assert await world.counts() == [(5, 0, 0)]


async def test_openings_that_are_gone_when_a_round_applies_are_not_given_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({"openings": 2})
    group, other = a_group(drive_id, 2), a_nomination(drive_id, birth_year_month="1940-01")
    (vacancy,) = await world.rows("SELECT vacancy_id FROM vacancy")
    await world.hear(*group, other)
    solved, calls = rounds._solved, 0

    async def slowly(problem: Problem) -> Solution:
        nonlocal calls
        calls += 1
        if calls == 1:
            async with app_client("recruitment", world.db, coordinator) as client:
                body = {
                    "nomination_id": str(other.nomination_id),
                    "vacancy_id": str(vacancy["vacancy_id"]),
                }
                await ok(await client.post("/v1/offers", json=body))
        return await solved(problem)

    monkeypatch.setattr(rounds, "_solved", slowly)
    await world.rounds()
    made = await world.said("offer-made")
    assert [o["nomination_id"] for o in made] == [str(other.nomination_id)]
    assert {u["reason"] for u in await world.said("nomination-unplaced")} == {"group"}
    assert calls > 1
