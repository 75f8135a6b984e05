"""What becomes of placements: changed, cancelled, started, ended, carried over, checked."""

from datetime import timedelta
from typing import Any

from contracts.registry import NominationChanged, NominationEnded, WorkerErased, WorkerUpdated
from contracts.transport import PassengerMissed, SeatBooked
from services.recruitment.domain.reasons import CANCELLATION
from shared.clock import real_now
from tests.integration.recruitment.world import (
    ENTERPRISE,
    IDS,
    OFFICE,
    TODAY,
    World,
    a_group,
    a_nomination,
    ok,
)
from tests.support.http import a_coordinator, an_enterprise, an_office, app_client


async def placed(world: World, **drive: Any) -> tuple[Any, dict[str, Any]]:
    """Give a nomination and its confirmed placement as it was said."""
    drive_id = await world.open_drive({}, acceptance="on_nomination", **drive)
    person = a_nomination(drive_id)
    await world.nominate(person)
    return person, (await world.said("placement-confirmed"))[-1]


async def command(world: World, placement: dict[str, Any], action: str, body: Any = None) -> Any:
    """Let the enterprise act on its placement; give the response."""
    enterprise = await an_enterprise(world.db, tenant_id=ENTERPRISE)
    async with app_client("recruitment", world.db, enterprise) as client:
        return await client.post(f"/v1/placements/{placement['placement_id']}/{action}", json=body)


async def test_a_cancelled_person_is_set_aside_and_the_opening_is_free(world: World) -> None:
    person, placement = await placed(world)
    answer = await ok(await command(world, placement, "cancel", {"reason": "failed_medical"}))
    assert (answer["state"], answer["reason"]) == ("cancelled", "failed_medical")
    await world.rounds()
    assert (await world.said_of(person.nomination_id))[3:] == [
        "placement-cancelled",
        "nomination-unplaced",
    ]
    (cancelled,) = await world.said("placement-cancelled")
    assert (cancelled["reason"], cancelled["by"]) == ("failed_medical", "enterprise")
    assert cancelled["rematch"] is False
    assert (await world.said("nomination-unplaced"))[-1]["reason"] == "cancelled"
    assert await world.counts() == [(5, 0, 0)]
    again = await command(world, placement, "cancel")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


async def test_every_structured_reason_of_a_cancellation_is_said_as_it_is(world: World) -> None:
    drive_id = await world.open_drive({"openings": 50}, acceptance="on_nomination")
    await world.nominate(*(a_nomination(drive_id) for _ in CANCELLATION))
    placements = await world.said("placement-confirmed")
    for placement, reason in zip(placements, sorted(CANCELLATION), strict=True):
        await ok(await command(world, placement, "cancel", {"reason": reason}))
    said = [c["reason"] for c in await world.said("placement-cancelled")]
    assert said == sorted(CANCELLATION)
    assert len(said) >= 13


async def test_cancelled_with_rematch_a_person_gets_another_vacancy_but_not_the_same(
    world: World,
) -> None:
    person, placement = await placed(world)
    await ok(await command(world, placement, "cancel", {"reason": "unsuitable", "rematch": True}))
    await world.rounds()
    assert (await world.said("nomination-unplaced"))[-1]["reason"] == "offered_before"
    await world.post(person.drive_id)
    await world.rounds()
    assert (await world.said_of(person.nomination_id))[-1] == "placement-confirmed"


async def test_a_filled_vacancy_says_so_and_looks_again_when_an_opening_is_free(
    world: World,
) -> None:
    drive_id = await world.open_drive({"openings": 1}, acceptance="on_nomination")
    await world.nominate(a_nomination(drive_id), a_nomination(drive_id))
    (placement,) = await world.said("placement-confirmed")
    assert len(await world.said("vacancy-filled")) == 1
    await ok(await command(world, placement, "cancel", {"reason": "did_not_come"}))
    (changed,) = await world.said("vacancy-changed")
    assert changed["changed"] == ["free_openings"]
    await world.rounds()
    assert len(await world.said("placement-confirmed")) == 2
    assert len(await world.said("vacancy-filled")) == 2
    assert await world.counts() == [(1, 1, 1)]


async def test_another_site_or_start_is_said_as_the_new_whole(world: World) -> None:
    _, placement = await placed(world)
    site = {"name": "二号车间", "division_code": "310151", "town": "长兴镇"}
    starts_on = str(TODAY + timedelta(days=33))
    body = {"site": site, "starts_on": starts_on}
    answer = await ok(await command(world, placement, "change", body))
    assert (answer["site"], answer["starts_on"]) == (site, starts_on)
    (changed,) = await world.said("placement-changed")
    assert sorted(changed["changed"]) == ["site", "starts_on"]
    own = {"event_id", "type", "cause", "site", "starts_on"}
    same = {k: v for k, v in placement.items() if k not in own}
    assert same.items() <= changed.items()
    await ok(await command(world, placement, "change", {"starts_on": starts_on}))
    assert len(await world.said("placement-changed")) == 1
    past = await command(world, placement, "change", {"starts_on": "2020-01-01"})
    assert past.status_code == 422


async def test_another_vacancy_needs_an_opening_of_its_own(world: World) -> None:
    person, placement = await placed(world)
    small = await world.post(person.drive_id, openings=1, nights=5, title="裁剪工")
    await ok(await command(world, placement, "change", {"vacancy_id": str(small)}))
    (changed,) = await world.said("placement-changed")
    assert sorted(changed["changed"]) == ["nights", "vacancy_id"]
    assert await world.counts() == [(5, 0, 0), (1, 1, 1)]
    other = a_nomination(person.drive_id)
    await world.nominate(other)
    second = (await world.said("placement-confirmed"))[-1]
    full = await command(world, second, "change", {"vacancy_id": str(small)})
    assert (full.status_code, full.json()["code"]) == (409, "no_opening")


async def test_a_changed_nomination_is_carried_into_a_placement_that_hasnt_started(
    world: World,
) -> None:
    person, placement = await placed(world)
    new = {"boarding_place_code": None, "needs_bed": False, "changed": ("needs_bed",)}
    await world.hear(NominationChanged.model_validate(person.model_dump() | new))
    (changed,) = await world.said("placement-changed")
    assert sorted(changed["changed"]) == ["boarding_place_code", "needs_bed", "needs_seat"]
    assert (changed["needs_seat"], changed["needs_bed"]) == (False, False)
    await ok(await command(world, placement, "start"))
    await world.hear(NominationChanged.model_validate(person.model_dump() | {"changed": ()}))
    assert len(await world.said("placement-changed")) == 1


async def test_a_persons_new_profile_reaches_placements_and_waiting_nominations(
    world: World,
) -> None:
    person, _ = await placed(world)
    profile = person.model_dump() | {"origin_division_code": "530921"}
    await world.hear(WorkerUpdated.model_validate(profile))
    (changed,) = await world.said("placement-changed")
    assert changed["changed"] == ["origin_division_code"]
    young = a_nomination(person.drive_id, birth_year_month="2012-01")
    await world.nominate(young)
    await world.hear(
        WorkerUpdated.model_validate(young.model_dump() | {"birth_year_month": "2000-01"})
    )
    await world.rounds()
    assert (await world.said_of(young.nomination_id))[-1] == "placement-confirmed"


async def test_a_started_placement_has_checks_due_after_3_and_6_months(world: World) -> None:
    person, placement = await placed(world)
    started = await ok(await command(world, placement, "start", {}))
    assert started["state"] == "started"
    (said,) = await world.said("placement-started")
    assert (said["by"], said["started_on"]) == ("enterprise", started["started_on"])
    for action in ("start", "cancel", "change"):
        refused = await command(world, placement, action, {})
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    office = await an_office(world.db, tenant_id=OFFICE)
    async with app_client("recruitment", world.db, office) as client:
        checks = (await ok(await client.get("/v1/retention-checks")))["items"]
        assert {c["milestone_months"]: c["state"] for c in checks} == {
            3: "scheduled",
            6: "scheduled",
        }
        await world.advance("93 days")
        assert await world.make_checks_due() == 1
        body = {"placement_id": placement["placement_id"], "milestone_months": 3}
        await ok(await client.post("/v1/retention-checks", json=body | {"result": "retained"}))
        (check,) = (await ok(await client.get("/v1/retention-checks?state=answered")))["items"]
        route = f"/v1/retention-checks/{check['retention_check_id']}/answer"
        await ok(await client.post(route, json={"result": "left"}))
        (check,) = (await ok(await client.get("/v1/retention-checks?state=answered")))["items"]
    first, second = check["answers"]
    assert (first["result"], second["result"]) == ("retained", "left")
    assert second["corrects"] == first["answer_id"]
    one, two = await world.said("retention-checked")
    assert two["corrects"] == first["answer_id"]
    assert one["journey"] == str(person.nomination_id)


async def test_an_ended_placement_has_no_more_checks_and_its_opening_isnt_free_again(
    world: World,
) -> None:
    _, placement = await placed(world)
    early = await command(world, placement, "end", {})
    assert early.status_code == 409
    await ok(await command(world, placement, "start", {}))
    ended = await ok(await command(world, placement, "end", {"reason": "resigned"}))
    assert (ended["state"], ended["reason"]) == ("ended", "resigned")
    states = await world.rows("SELECT DISTINCT state FROM retention_check")
    assert states == [{"state": "dropped"}]
    assert await world.counts() == [(5, 1, 1)]


def an_ended(person: Any, reason: str) -> NominationEnded:
    return NominationEnded.model_validate(person.model_dump() | {"reason": reason})


async def test_a_withdrawn_nomination_takes_offer_or_placement_with_it(world: World) -> None:
    person, _ = await placed(world)
    await world.hear(an_ended(person, "withdrawn"))
    (cancelled,) = await world.said("placement-cancelled")
    assert (cancelled["reason"], cancelled["by"]) == ("nomination_withdrawn", "office")
    assert not await world.said("nomination-unplaced")
    await world.hear(an_ended(person, "withdrawn"))
    assert len(await world.said("placement-cancelled")) == 1
    drive_id = await world.open_drive({})
    group = a_group(drive_id, 3)
    await world.nominate(*group)
    await world.hear(an_ended(group[0], "withdrawn"))
    reasons = [o["reason"] for o in await world.said("offer-withdrawn")]
    assert sorted(reasons) == ["group_incomplete", "group_incomplete", "nomination_withdrawn"]


async def test_a_nomination_that_ends_because_the_job_started_changes_nothing(
    world: World,
) -> None:
    person, placement = await placed(world)
    await ok(await command(world, placement, "start", {}))
    before = len(await world.said())
    await world.hear(an_ended(person, "started"))
    assert len(await world.said()) == before
    assert await world.value("SELECT state FROM placement") == "started"


async def test_an_erased_person_is_cancelled_and_never_comes_back(world: World) -> None:
    person, _ = await placed(world)
    await world.hear(WorkerErased(worker_id=person.worker_id))
    (cancelled,) = await world.said("placement-cancelled")
    assert cancelled["reason"] == "erased"
    late = a_nomination(person.drive_id, worker_id=person.worker_id)
    await world.nominate(late)
    assert await world.said_of(late.nomination_id) == []
    assert await world.value("SELECT count(*) FROM nomination WHERE birth_year_month > '1901'") == 1


async def test_an_erased_member_who_comes_later_keeps_no_group_waiting(world: World) -> None:
    drive_id = await world.open_drive({})
    group = a_group(drive_id, 3)
    await world.hear(WorkerErased(worker_id=group[0].worker_id))
    await world.hear(*group)
    await world.rounds()
    assert len(await world.said("offer-made")) == 2


async def test_a_closed_drive_takes_offers_back_and_tells_everybody_without_a_place(
    world: World,
) -> None:
    office = await an_office(world.db, tenant_id=OFFICE)
    drive_id = await world.open_drive({"openings": 2})
    people = [a_nomination(drive_id) for _ in range(4)]
    await world.nominate(*people)
    first = (await world.said("offer-made"))[0]
    async with app_client("recruitment", world.db, office) as client:
        await ok(await client.post(f"/v1/offers/{first['offer_id']}/accept"))
    coordinator = await a_coordinator(world.db)
    async with app_client("recruitment", world.db, coordinator) as client:
        closed = await ok(await client.post(f"/v1/drives/{drive_id}/close"))
        assert closed["state"] == "closed"
        late = a_nomination(drive_id)
        await world.nominate(late)
        (withdrawn,) = await world.said("offer-withdrawn")
        assert withdrawn["reason"] == "drive_closed"
        told = {
            u["nomination_id"]
            for u in await world.said("nomination-unplaced")
            if u["reason"] == "drive_closed"
        }
        others = {str(p.nomination_id) for p in [*people, late]} - {first["nomination_id"]}
        assert told == others
        await ok(await client.post(f"/v1/placements/{await world.value(PLACEMENT)}/cancel"))
    last = (await world.said("nomination-unplaced"))[-1]
    assert (last["nomination_id"], last["reason"]) == (first["nomination_id"], "drive_closed")
    for person in people:
        await world.hear(an_ended(person, "drive_closed"))
    assert await world.counts() == [(2, 0, 0)]


PLACEMENT = "SELECT placement_id FROM placement"


async def test_what_transport_tells_is_noted_and_an_older_word_never_replaces_a_newer(
    world: World,
) -> None:
    person, placement = await placed(world)
    ids = {
        "worker_id": person.worker_id,
        "office_id": OFFICE,
        "enterprise_id": ENTERPRISE,
        "nomination_id": person.nomination_id,
        "placement_id": placement["placement_id"],
        "booking_id": IDS.uuid7(),
        "trip_id": IDS.uuid7(),
    }
    missed = PassengerMissed.model_validate(ids | {"at": real_now(), "stop": "530902-00"})
    await world.hear(missed)
    assert await world.value("SELECT travel FROM placement") == "missed"
    seat = {
        "board_stop": "530902-00",
        "alight_stop": "310114-00",
        "departs_at": real_now(),
        "arrives_at": real_now(),
        "arrival_division_code": "310114",
    }
    await world.hear_as_of(real_now() - timedelta(hours=1), SeatBooked.model_validate(ids | seat))
    assert await world.value("SELECT travel FROM placement") == "missed"
