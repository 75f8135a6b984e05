"""From a nomination to a placement, in each way of accepting."""

from datetime import timedelta

import pytest

from shared.clock import civil_date, real_now
from tests.integration.recruitment.world import (
    ENTERPRISE,
    OFFICE,
    TODAY,
    World,
    a_nomination,
    a_validation,
    ok,
)
from tests.support.http import a_coordinator, an_office, app_client


async def test_where_the_offices_word_counts_a_nomination_is_placed_at_once(world: World) -> None:
    drive_id = await world.open_drive({}, acceptance="on_nomination")
    person = a_nomination(drive_id)
    await world.nominate(person)
    assert await world.said_of(person.nomination_id) == [
        "offer-made",
        "offer-accepted",
        "placement-confirmed",
    ]
    (placement,) = await world.said("placement-confirmed")
    assert {k: placement[k] for k in ("tenant", "enterprise_id", "gender")} == {
        "tenant": str(OFFICE),
        "enterprise_id": str(ENTERPRISE),
        "gender": "female",
    }
    assert placement["starts_on"] == str(TODAY + timedelta(days=30))
    assert placement["hired_on"] == str(civil_date(real_now()))
    assert placement["site"]["town"] == "南翔镇"
    assert (placement["needs_seat"], placement["needs_bed"]) == (True, True)
    assert (placement["programme"], placement["nights"], placement["priority"]) == ("YOUJIA", 10, 3)
    assert "group_id" not in placement
    assert await world.counts() == [(5, 1, 1)]


@pytest.mark.parametrize(
    ("runs_transport", "place", "needs_seat"),
    [(True, "530902-00", True), (True, None, False), (False, "530902-00", False)],
)
async def test_a_seat_is_needed_where_the_drive_runs_transport_and_there_is_a_boarding_place(
    world: World, *, runs_transport: bool, place: str | None, needs_seat: bool
) -> None:
    drive_id = await world.open_drive({}, acceptance="on_nomination", runs_transport=runs_transport)
    await world.nominate(a_nomination(drive_id, boarding_place_code=place, needs_bed=False))
    (placement,) = await world.said("placement-confirmed")
    assert placement["needs_seat"] is needs_seat
    assert placement["needs_bed"] is False


@pytest.mark.parametrize("acceptance", ["by_office", "by_worker"])
async def test_else_the_office_answers_and_an_acceptance_places(
    world: World, acceptance: str
) -> None:
    office = await an_office(world.db)
    drive_id = await world.open_drive({}, acceptance=acceptance)
    person = a_nomination(drive_id, office_id=office.tenant_id)
    await world.nominate(person)
    assert await world.said_of(person.nomination_id) == ["offer-made"]
    (offer,) = await world.said("offer-made")
    assert offer["acceptance"] == acceptance
    async with app_client("recruitment", world.db, office) as client:
        shown = (await ok(await client.get("/v1/offers?state=made")))["items"]
        assert [o["offer_id"] for o in shown] == [offer["offer_id"]]
        accepted = await ok(await client.post(f"/v1/offers/{offer['offer_id']}/accept"))
        assert accepted["state"] == "accepted"
        again = await client.post(f"/v1/offers/{offer['offer_id']}/accept")
        assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
        placements = (await ok(await client.get("/v1/placements")))["items"]
        assert [p["state"] for p in placements] == ["confirmed"]
    assert (await world.said_of(person.nomination_id))[1:] == [
        "offer-accepted",
        "placement-confirmed",
    ]


async def test_a_whole_batch_is_matched_at_once_and_a_part_of_it_soon(world: World) -> None:
    drive_id = await world.open_drive({})
    await world.rounds()
    one, two = a_nomination(drive_id), a_nomination(drive_id)
    two = two.model_copy(update={"batch_id": one.batch_id})
    await world.hear(one, a_validation(one.batch_id, 2))
    wait = "SELECT max(due_at - clock_timestamp()) FROM match_due"
    least = "SELECT min(due_at - clock_timestamp()) FROM match_due"
    assert timedelta(0) < await world.value(wait) < timedelta(seconds=5)
    await world.hear(two)
    assert await world.value(least) < timedelta(0)


async def test_who_names_no_drive_goes_to_the_origins_only_open_one(world: World) -> None:
    office = await an_office(world.db, division_code="530900")
    other = await an_office(world.db, division_code="341200")
    drive_id = await world.open_drive({}, origins=("530000",), acceptance="on_nomination")
    mine = a_nomination(None, office_id=office.tenant_id)
    foreign = a_nomination(None, office_id=other.tenant_id, origin_division_code="341202")
    await world.nominate(mine, foreign)
    (placement,) = await world.said("placement-confirmed")
    assert placement["nomination_id"] == str(mine.nomination_id)
    assert placement["drive_id"] == str(drive_id)
    (unplaced,) = await world.said("nomination-unplaced")
    assert unplaced["nomination_id"] == str(foreign.nomination_id)
    assert (unplaced["reason"], unplaced["round"]) == ("no_drive", 0)
    await world.open_drive({}, origins=("341200",), acceptance="on_nomination")
    await world.rounds()
    assert (await world.said_of(foreign.nomination_id))[-1] == "placement-confirmed"


async def test_with_two_open_drives_nobody_guesses(world: World) -> None:
    await world.open_drive({}, origins=("530000",))
    second = await world.open_drive({}, origins=("530900",))
    await world.nominate(a_nomination(None))
    assert [u["reason"] for u in await world.said("nomination-unplaced")] == ["no_drive"]
    await world.close_drive(second)
    await world.rounds()
    assert len(await world.said("offer-made")) == 1


async def test_nobody_is_matched_before_the_drive_opens(world: World) -> None:
    coordinator = await a_coordinator(world.db)
    async with app_client("recruitment", world.db, coordinator) as client:
        body = {
            "title": "直播带岗",
            "kind": "livestream",
            "origins": ["530900"],
            "enterprises": [str(ENTERPRISE)],
            "opens_on": str(TODAY),
            "closes_on": str(TODAY + timedelta(days=9)),
            "acceptance": "on_nomination",
            "runs_transport": False,
        }
        drive = await ok(await client.post("/v1/drives", json=body))
        assert drive["state"] == "announced"
        await world.post(drive["drive_id"])
        person = a_nomination(drive["drive_id"])
        await world.nominate(person)
        assert [u["reason"] for u in await world.said("nomination-unplaced")] == ["drive_not_open"]
        opened = await ok(await client.post(f"/v1/drives/{drive['drive_id']}/open"))
        assert opened["state"] == "open"
        await world.rounds()
    assert (await world.said_of(person.nomination_id))[-1] == "placement-confirmed"
