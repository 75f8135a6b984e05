"""A thousand scans, late, twice and shuffled: each person boards once, and no scan time is lost."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.integration.transport.world import (
    IDS,
    World,
    a_placement,
    a_scan,
    a_trip,
    at,
    kinds,
    placed,
    said,
    states,
    trip_body,
)

PASSENGERS = 250


async def test_a_thousand_scans_late_twice_and_shuffled_board_each_person_once(
    world: World,
) -> None:
    vehicle = trip_body(a_trip(capacity=PASSENGERS))["vehicle"]
    trip_id = await world.schedule(minimum_load=1, vehicle=vehicle)
    bookings = await placed(world.db, *(a_placement() for _ in range(PASSENGERS)))
    dice = random.Random(11)
    first: dict[UUID, float] = {}
    scans = []
    for booking in bookings:
        hours = [7 + dice.random() for _ in range(2)]
        first[booking] = min(hours)
        for hour in hours:
            scan = a_scan(booking, scanned_at=at(hour).isoformat(), scan_id=str(IDS.uuid7()))
            scans += [scan, scan]
    dice.shuffle(scans)
    assert len(scans) == 1_000
    await world.post(f"trips/{trip_id}/depart")
    answered = []
    for n in range(0, len(scans), 90):
        body = await world.post(f"trips/{trip_id}/boarding-scans", scans[n : n + 90])
        answered += body["items"]
    assert [a["scan_id"] for a in answered] == [s["scan_id"] for s in scans]
    assert {a["result"] for a in answered} == {"boarded", "already_boarded"}
    assert await kinds(world.db, "passenger") == ["passenger-boarded"] * PASSENGERS
    boarded = {b["booking_id"] for _, b in await said(world.db, "passenger-boarded")}
    assert boarded == {str(b) for b in bookings}

    async with world.db.transaction(role="worker") as tx:
        kept = await tx.fetch(
            "SELECT booking_id, min(scanned_at) AS first, count(*) AS n"
            " FROM boarding_scan GROUP BY booking_id"
        )
        stored = await tx.fetch("SELECT booking_id, boarded_at FROM booking")
    assert {r["n"] for r in kept} == {2}
    assert {r["booking_id"]: r["first"] for r in kept} == {b: at(h) for b, h in first.items()}
    assert {r["booking_id"]: r["boarded_at"] for r in stored} == {
        b: at(h) for b, h in first.items()
    }
    await world.post(f"trips/{trip_id}/arrive")
    assert await states(world.db) == {"boarded": PASSENGERS}, "no false no-show"


async def test_a_scan_at_another_stop_than_booked_counts_where_it_was(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    (booking,) = await placed(world.db, a_placement())
    await world.post(f"trips/{trip_id}/boarding-scans", [a_scan(booking, stop="530921-00")])
    assert (await said(world.db, "passenger-boarded"))[0][1]["stop"] == "530921-00"


async def test_a_closed_trip_takes_no_scan_any_more(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    (booking,) = await placed(world.db, a_placement())
    for step in ("depart", "arrive", "close"):
        await world.post(f"trips/{trip_id}/{step}")
    body = await world.post(f"trips/{trip_id}/boarding-scans", [a_scan(booking)])
    assert body["items"][0]["result"] == "trip_closed"


async def test_a_refused_scan_that_comes_again_is_judged_anew(world: World) -> None:
    trip_id = await world.schedule(minimum_load=5)
    placement = a_placement()
    await placed(world.db, placement)
    body = {"placement_id": str(placement.placement_id), "trip_id": str(trip_id)}
    booked = await world.post("bookings", body, 201)
    scan = a_scan(UUID(booked["booking_id"]))
    answer = await world.post(f"trips/{trip_id}/boarding-scans", [scan])
    assert answer["items"][0]["result"] == "trip_not_running"
    await world.post(f"trips/{trip_id}/open")
    answer = await world.post(f"trips/{trip_id}/boarding-scans", [scan, scan])
    assert {i["result"] for i in answer["items"]} == {"boarded"}


async def test_a_later_stop_is_missed_only_after_its_own_departure(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    await placed(
        world.db,
        a_placement(),
        a_placement(boarding_place_code="530921-00", origin_division_code="530921"),
    )
    for place in ("530902-00", "530921-00"):
        await world.post(f"trips/{trip_id}/stops/{place}/synced")
    await world.post(f"trips/{trip_id}/stops/530902-99/synced", status=404)
    await world.let_pass(at(9) - datetime.now(UTC))
    await world.post(f"trips/{trip_id}/depart", {"at": at(8).isoformat()})
    assert await world.no_shows(timedelta(minutes=30)) == 1
    await world.let_pass(timedelta(hours=2))
    assert await world.no_shows(timedelta(minutes=30)) == 1


async def test_everyone_but_the_named_boards_with_one_list_however_often_it_comes(
    world: World,
) -> None:
    trip_id = await world.schedule(minimum_load=1)
    here = [a_placement() for _ in range(3)]
    there = a_placement(boarding_place_code="530921-00", origin_division_code="530921")
    first, second, absent, _ = await placed(world.db, *here, there)
    body = {
        "list_id": str(IDS.uuid7()),
        "scanned_at": at(7.9).isoformat(),
        "except_booking_ids": [str(absent)],
    }
    path = f"trips/{trip_id}/stops/530902-00/board-all"
    answer = await world.post(path, body)
    assert {i["booking_id"] for i in answer["items"]} == {str(first), str(second)}
    await world.post(path, body)
    assert await states(world.db) == {"boarded": 2, "booked": 2}
    assert len(await said(world.db, "passenger-boarded")) == 2
    await world.post(f"trips/{trip_id}/stops/530902-99/board-all", body, 404)
