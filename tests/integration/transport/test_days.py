"""The days of a trip over HTTP: scheduled, boarded, arrived, handed over, closed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.integration.transport.world import (
    ENTERPRISE,
    IDS,
    OFFICE,
    World,
    a_group,
    a_placement,
    a_scan,
    a_trip,
    at,
    bookings_of,
    kinds,
    one,
    placed,
    said,
    settle,
    states,
    trip_body,
)
from tests.support.http import (
    an_enterprise,
    an_escort,
    an_office,
    bearer,
)


async def test_a_trip_from_plan_to_zero_difference(world: World) -> None:
    trip_id = await world.schedule(minimum_load=2)
    people = await placed(world.db, *(a_placement() for _ in range(4)))
    first, second, third, fourth = people
    assert await states(world.db, trip_id) == {"booked": 4}

    scans = [a_scan(b) for b in (first, second, third)]
    answer = await world.post(f"trips/{trip_id}/boarding-scans", scans)
    assert [i["result"] for i in answer["items"]] == ["boarded"] * 3
    await world.post(f"trips/{trip_id}/depart")
    # Who gets off on the way is known before the arrival; the others are received after it.
    left_early = [{"booking_id": str(second), "outcome": "left_early"}]
    await world.post(f"trips/{trip_id}/handovers", left_early)
    await world.post(f"trips/{trip_id}/arrive")
    assert await states(world.db, trip_id) == {"boarded": 2, "handed_over": 1, "missed": 1}

    for booking, outcome in ((first, "received"), (third, "not_arrived")):
        refused = await world.post(f"trips/{trip_id}/close", status=409)
        assert refused["code"] == "not_reconciled"
        body = [{"booking_id": str(booking), "outcome": outcome}]
        await world.post(f"trips/{trip_id}/handovers", body)
    closed = await world.post(f"trips/{trip_id}/close")
    assert closed["state"] == "closed"
    assert await kinds(world.db, "trip") == [
        "trip-scheduled", "trip-opened", "trip-departed", "trip-arrived", "trip-closed",
    ]  # fmt: skip
    counts = (await said(world.db, "trip-closed"))[0][1]
    totals = {k: v for k, v in counts.items() if k.endswith("_count")}
    assert totals == {
        "booked_count": 4, "boarded_count": 3, "missed_count": 1, "handed_over_count": 3,
    }  # fmt: skip
    told = [b["outcome"] for _, b in await said(world.db, "passenger-handed-over")]
    assert told == ["left_early", "received", "not_arrived"]
    missed = (await said(world.db, "passenger-missed"))[0][1]
    assert missed["booking_id"] == str(fourth)
    assert missed["stop"] == "530902-00"


async def test_steps_that_are_not_in_the_table_are_refused(world: World) -> None:
    trip_id = await world.schedule()
    for step in ("depart", "arrive", "close"):
        assert (await world.post(f"trips/{trip_id}/{step}", status=409))["code"] == "wrong_state"
    await world.post(f"trips/{trip_id}/open")
    assert (await world.post(f"trips/{trip_id}/open", status=409))["code"] == "wrong_state"
    await world.post(f"trips/{trip_id}/cancel", {"reason": "breakdown"})
    assert (await world.post(f"trips/{trip_id}/depart", status=409))["code"] == "wrong_state"


async def test_an_opened_trip_books_the_pool_in_the_same_answer(world: World) -> None:
    trip_id = await world.schedule()
    await placed(world.db, a_placement(), a_placement())
    assert await states(world.db) == {"waitlisted": 2}
    await world.post(f"trips/{trip_id}/open")
    assert await states(world.db, trip_id) == {"booked": 2}
    assert (await said(world.db, "trip-opened"))[0][1]["booked_count"] == 2


async def test_a_delay_tells_everyone_with_a_seat_the_new_times(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    await placed(world.db, *(a_placement() for _ in range(3)))
    body = {"delay_minutes": 360, "reason": "暴雪封路，张三晚到"}
    await world.post(f"trips/{trip_id}/delay", body)
    changed = [b for _, b in await said(world.db, "seat-changed")]
    assert len(changed) == 3
    assert {b["departs_at"] for b in changed} == {at(14).strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert {b["arrives_at"] for b in changed} == {at(50).strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert {b["reason"] for b in changed} == {"other"}
    # In all, not on top: a smaller delay is earlier again.
    await world.post(f"trips/{trip_id}/delay", {"delay_minutes": 60, "reason": "snow"})
    assert (await said(world.db, "trip-delayed"))[-1][1]["delay_minutes"] == 60
    assert (await said(world.db, "seat-changed"))[-1][1]["departs_at"] == at(9).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


async def test_a_cancelled_trip_puts_whom_it_can_on_a_sister_and_the_others_into_the_pool(
    world: World,
) -> None:
    trip_id = await world.schedule(minimum_load=1)
    placements = [a_placement() for _ in range(5)]
    await placed(world.db, *placements)
    sister = await world.schedule(minimum_load=1, vehicle=trip_body(a_trip(capacity=3))["vehicle"])
    await world.post(f"trips/{trip_id}/cancel", {"reason": "breakdown"})
    assert await states(world.db, sister) == {"booked": 3}
    assert await states(world.db) == {"released": 5, "booked": 3, "waitlisted": 2}
    released = [b for _, b in await said(world.db, "seat-released")]
    assert {b["reason"] for b in released} == {"cancelled"}
    rebooked = {b["rebooked_as"] for b in released if "rebooked_as" in b}
    booked = {b["booking_id"] for _, b in (await said(world.db, "seat-booked"))[5:]}
    assert rebooked == booked
    waiting = [b for _, b in await said(world.db, "seat-waitlisted")]
    assert [b["reason"] for b in waiting] == ["no_trip", "no_trip"]
    assert not {b["booking_id"] for b in waiting} & {b["booking_id"] for b in released}


async def test_a_cancelled_trip_without_a_sister_keeps_everyone_in_the_pool(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    await placed(world.db, a_placement(), a_placement())
    await world.post(f"trips/{trip_id}/cancel", {"reason": "breakdown"})
    assert await states(world.db) == {"released": 2, "waitlisted": 2}
    await world.schedule(minimum_load=2)
    assert await states(world.db) == {"released": 2, "booked": 2}


async def test_a_scan_is_answered_item_by_item(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    (mine,) = await placed(world.db, a_placement())
    await world.post(f"trips/{trip_id}/cancel")
    await settle(world.db)
    other_trip = await world.schedule(minimum_load=1)
    (elsewhere,) = await placed(world.db, a_placement(available_from=at(8).date()))
    here = await world.schedule(minimum_load=1)
    await world.post(f"trips/{here}/open")
    (new,) = [
        UUID(b["booking_id"])
        for k, b in await said(world.db)
        if k == "seat-booked"
        and b["trip_id"] == str(other_trip)
        and b["booking_id"] != str(elsewhere)
    ]
    scans = [
        a_scan(mine),
        a_scan(elsewhere),
        a_scan(IDS.uuid7()),
        a_scan(new, stop="530902-99"),
        a_scan(elsewhere, ticket="SH1.X.Y"),
    ]
    answer = await world.post(f"trips/{here}/boarding-scans", scans)
    assert [i["result"] for i in answer["items"]] == [
        "released", "wrong_trip", "not_on_manifest", "wrong_trip", "forged_ticket",
    ]  # fmt: skip
    assert answer["items"][1]["expected_trip_id"] == str(other_trip)
    assert not any(i["accepted"] for i in answer["items"])
    answer = await world.post(f"trips/{other_trip}/boarding-scans", [scans[3]])
    assert answer["items"][0]["result"] == "unknown_stop"
    reused = a_scan(new, scan_id=scans[3]["scan_id"])
    answer = await world.post(f"trips/{other_trip}/boarding-scans", [reused, a_scan(new), scans[3]])
    assert [i["result"] for i in answer["items"]] == ["scan_id_reused", "boarded", "unknown_stop"]


async def test_a_no_show_needs_departure_grace_and_the_stops_list(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    await placed(world.db, a_placement())
    await world.let_pass(at(9) - datetime.now(UTC))
    assert await world.no_shows() == 0, "not departed"
    await world.post(f"trips/{trip_id}/depart", {"at": at(8.5).isoformat()})
    assert await world.no_shows() == 0, "the stop's list isn't in"
    await world.post(f"trips/{trip_id}/stops/530902-00/synced")
    assert await world.no_shows(timedelta(minutes=31)) == 0, "the grace isn't over"
    assert await world.no_shows(timedelta(minutes=29)) == 1
    assert await states(world.db, trip_id) == {"missed": 1}
    assert await world.no_shows() == 0


async def test_a_late_scan_wins_over_the_no_show_and_over_a_rebooking(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    placement = a_placement()
    (booking,) = await placed(world.db, placement)
    await world.post(f"trips/{trip_id}/depart")
    await world.post(f"trips/{trip_id}/arrive")
    sister = await world.schedule(minimum_load=1)
    body = {"placement_id": str(placement.placement_id), "trip_id": str(sister)}
    again = await world.post("bookings", body, 201)
    await world.post(f"trips/{trip_id}/boarding-scans", [a_scan(booking)])
    assert (await kinds(world.db, "passenger")) == ["passenger-missed", "passenger-boarded"]
    state = await one(
        world.db, "SELECT state FROM booking WHERE booking_id = $1", UUID(again["booking_id"])
    )
    assert state == "released"
    boarded = (await said(world.db, "passenger-boarded"))[0][1]
    assert boarded["booking_id"] == str(booking)
    assert boarded["at"] == at(7.9).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_an_enterprise_receives_its_own_people_only(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    other = await an_enterprise(world.db)
    own, foreign = await placed(world.db, a_placement(), a_placement(enterprise_id=other.tenant_id))
    await world.post(f"trips/{trip_id}/boarding-scans", [a_scan(own), a_scan(foreign)])
    await world.post(f"trips/{trip_id}/depart")
    headers = bearer(await an_enterprise(world.db, tenant_id=ENTERPRISE))
    path = f"trips/{trip_id}/handovers"
    mine = [{"booking_id": str(own), "outcome": "received"}]
    early = await world.post(path, mine, 409, headers=headers)
    assert early["code"] == "not_arrived_yet"
    await world.post(f"trips/{trip_id}/arrive")
    theirs = [*mine, {"booking_id": str(foreign), "outcome": "received"}]
    await world.post(path, theirs, 404, headers=headers)
    await world.post(path, mine, headers=headers)
    await world.post(path, mine, headers=headers)
    assert len(await said(world.db, "passenger-handed-over")) == 1
    other_word = [{"booking_id": str(own), "outcome": "left_early"}]
    assert (await world.post(path, other_word, 409))["code"] == "already_handed_over"


async def test_an_escort_sees_and_scans_the_trips_that_name_its_account(world: World) -> None:
    escort = await an_escort(world.db)
    mine = await world.schedule(minimum_load=1, escort=str(escort.account_id))
    (booking,) = await placed(world.db, a_placement())
    other = await world.schedule(minimum_load=1)
    await world.post(f"trips/{other}/open")
    headers = bearer(escort)
    scan = [a_scan(booking)]
    await world.post(f"trips/{mine}/boarding-scans", scan, headers=headers)
    await world.post(f"trips/{other}/boarding-scans", scan, 404, headers=headers)
    await world.post(f"trips/{mine}/depart", status=403, headers=headers)
    listed = (await world.http.get("/v1/trips", headers=headers)).json()["items"]
    assert [t["trip_id"] for t in listed] == [str(mine)]
    manifest = await world.http.get(f"/v1/trips/{mine}/manifest", headers=headers)
    assert [p["booking_id"] for p in manifest.json()["passengers"]] == [str(booking)]
    assert (await world.http.get(f"/v1/trips/{other}/manifest", headers=headers)).status_code == 404
    # Another escort is named: the trip is theirs from now on.
    await world.post(f"trips/{other}/change", {"escort": str(escort.account_id)})
    listed = (await world.http.get("/v1/trips", headers=headers)).json()["items"]
    assert {t["trip_id"] for t in listed} == {str(mine), str(other)}


async def test_an_office_and_an_enterprise_see_their_own_bookings_and_trips(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    stranger = await an_office(world.db)
    await placed(world.db, a_placement(), a_placement(office_id=stranger.tenant_id))
    await world.schedule()
    for identity in (
        await an_office(world.db, tenant_id=OFFICE),
        await an_enterprise(world.db, tenant_id=ENTERPRISE),
        stranger,
    ):
        headers = bearer(identity)
        bookings = (await world.http.get("/v1/bookings", headers=headers)).json()["items"]
        own = "enterprise_id" if identity.tenant_kind == "enterprise" else "office_id"
        assert {b[own] for b in bookings} == {str(identity.tenant_id)}
        trips = (await world.http.get("/v1/trips", headers=headers)).json()["items"]
        assert [t["trip_id"] for t in trips] == [str(trip_id)]
        assert trips[0]["booked_count"] == len(bookings)
    nobody = bearer(await an_office(world.db))
    assert (await world.http.get(f"/v1/trips/{trip_id}", headers=nobody)).status_code == 404
    everything = (await world.http.get("/v1/bookings")).json()["items"]
    assert len(everything) == 2


async def test_without_row_security_an_office_would_see_everything(world: World) -> None:
    """NEGATIVE CONTROL: the same question with the policies switched off."""
    await world.schedule(minimum_load=1)
    await placed(world.db, a_placement())
    nobody = bearer(await an_office(world.db))
    assert (await world.http.get("/v1/bookings", headers=nobody)).json()["items"] == []
    await world.as_superuser("ALTER TABLE booking DISABLE ROW LEVEL SECURITY")
    assert len((await world.http.get("/v1/bookings", headers=nobody)).json()["items"]) == 1


async def test_a_smaller_vehicle_reseats_by_rule_and_says_who_is_left(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    group = a_group(2)
    urgent = a_placement(priority=3)
    early, late = a_placement(), a_placement()
    for wave in ([early], group, [urgent], [late]):
        await placed(world.db, *wave)
    assert await states(world.db, trip_id) == {"booked": 5}
    small = {"plate": "云S00009", "licensed_capacity": 3, "kind": "train"}
    answer = await world.post(f"trips/{trip_id}/change", {"vehicle": small})
    kept = await bookings_of(world.db, [urgent, early])
    assert await states(world.db, trip_id) == {"booked": 3, "released": 2}
    assert len(answer["without_seat"]) == 2
    assert not {str(k) for k in kept} & set(answer["without_seat"])
    waiting = await bookings_of(world.db, group)
    assert {str(b) for b in waiting} == set(answer["without_seat"]), "the group stays whole"
    body = (await said(world.db, "trip-changed"))[0][1]
    assert body["changed"] == ["vehicle"]
    assert body["vehicle"] == {"kind": "train", "licensed_capacity": 3}
    assert body["booked_count"] == 3
