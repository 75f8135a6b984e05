"""Drives open and close on their dates by themselves, by business time in Shanghai."""

from datetime import timedelta
from uuid import UUID

from services.recruitment.handlers import drives
from services.recruitment.handlers.houserules import HouseRules
from tests.integration.recruitment.test_tickers import replicas, until
from tests.integration.recruitment.world import (
    OFFICE,
    World,
    a_drive,
    a_nomination,
    a_vacancy,
    ids,
    ok,
)
from tests.support.http import a_coordinator, an_office, app_client


async def announce_ahead(world: World, days: int, last: int) -> UUID:
    """Announce a drive with a vacancy that opens in some days, and lasts until another day."""
    today = await world.today()
    event = a_drive(opens_on=today + timedelta(days=days), closes_on=today + timedelta(days=last))
    async with world.db.transaction(role="worker") as tx:
        await drives.announce(tx, event)
        starts_on = today + timedelta(days=90)
        await drives.post_vacancies(tx, [a_vacancy(event.drive_id, starts_on=starts_on)])
    return event.drive_id


async def test_a_drive_opens_on_its_first_day_and_matches_who_waits(world: World) -> None:
    drive_id = await announce_ahead(world, days=2, last=9)
    person = a_nomination(drive_id)
    await world.nominate(person)
    assert await world.said_of(person.nomination_id) == ["nomination-unplaced"]
    assert await world.follow_calendar() == 0
    await world.advance("2 days")
    assert await world.follow_calendar() == 1
    await world.rounds()
    assert (await world.said_of(person.nomination_id))[1:] == ["offer-made"]
    assert await world.follow_calendar() == 0
    assert ids(await world.said("drive-opened"), "drive_id") == [str(drive_id)]


async def test_a_drive_closes_once_its_last_day_is_over(world: World) -> None:
    office = await an_office(world.db, tenant_id=OFFICE)
    today = await world.today()
    drive_id = await world.open_drive({"openings": 2}, closes_on=today + timedelta(days=3))
    people = [a_nomination(drive_id) for _ in range(3)]
    await world.nominate(*people)
    offered = (await world.said("offer-made"))[0]
    async with app_client("recruitment", world.db, office) as client:
        await ok(await client.post(f"/v1/offers/{offered['offer_id']}/accept"))
    await world.advance("3 days")
    assert await world.follow_calendar() == 0
    await world.advance("1 day")
    assert await world.follow_calendar() == 1
    assert [w["reason"] for w in await world.said("offer-withdrawn")] == ["drive_closed"]
    shut_out = [u for u in await world.said("nomination-unplaced") if u["reason"] == "drive_closed"]
    others = {str(p.nomination_id) for p in people} - {offered["nomination_id"]}
    assert {u["nomination_id"] for u in shut_out} == others
    assert await world.counts() == [(2, 1, 1)]
    late = a_nomination(drive_id)
    await world.nominate(late)
    assert (await world.said("nomination-unplaced"))[-1]["reason"] == "drive_closed"
    assert await world.follow_calendar() == 0
    assert len(await world.said("drive-closed")) == 1


async def test_a_drive_that_was_never_opened_closes_after_its_dates(world: World) -> None:
    drive_id = await announce_ahead(world, days=2, last=4)
    await world.advance("30 days")
    assert await world.follow_calendar() == 1
    assert await world.said("drive-opened") == []
    assert ids(await world.said("drive-closed"), "drive_id") == [str(drive_id)]


async def test_dates_that_were_past_when_a_drive_was_announced_are_left_to_people(
    world: World,
) -> None:
    today = await world.today()
    await announce_ahead(world, days=0, last=5)
    await world.open_drive(
        {}, opens_on=today - timedelta(days=9), closes_on=today - timedelta(days=2)
    )
    assert await world.follow_calendar() == 0
    assert await world.said("drive-closed") == []


async def test_who_opens_or_closes_what_the_calendar_did_isnt_refused_and_says_nothing_twice(
    world: World,
) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await announce_ahead(world, days=1, last=3)
    async with app_client("recruitment", world.db, coordinator) as client:
        for days, action, state in ((1, "open", "open"), (3, "close", "closed")):
            await world.advance(f"{days} days")
            await world.follow_calendar()
            assert (await ok(await client.post(f"/v1/drives/{drive_id}/{action}")))[
                "state"
            ] == state
        refused = await client.post(f"/v1/drives/{drive_id}/open")
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert len(await world.said("drive-opened", "drive-closed")) == 2


async def test_of_many_replicas_one_opens_all_drives_whose_day_has_come(world: World) -> None:
    drive_ids = [await announce_ahead(world, days=1, last=9) for _ in range(5)]
    await world.advance("1 day")
    async with replicas(world, HouseRules()):

        async def all_are_open() -> bool:
            return len(await world.said("drive-opened")) >= len(drive_ids)

        await until(all_are_open)
    assert ids(await world.said("drive-opened"), "drive_id") == sorted(map(str, drive_ids))
