"""A trip that goes another way, at another time, or never: nobody waits for what won't come."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.transport.domain.trip import Stop
from services.transport.handlers.trips import ask, lapse
from tests.integration.transport.world import (
    FENGQING,
    JIADING,
    LINXIANG,
    LUXI,
    SOON,
    World,
    a_group,
    a_placement,
    a_scan,
    a_trip,
    at,
    kinds,
    one,
    placed,
    said,
    settle,
    states,
    trip_body,
)

LEAVING = timedelta(days=12)
FROM_FENGQING = {"boarding_place_code": "530921-00", "origin_division_code": FENGQING}


def way(*places: tuple[str, float]) -> list[dict[str, Any]]:
    """Give a trip's stops: place code and hour of the departure there, of the arrival at last."""
    last = len(places) - 1
    stops = tuple(
        Stop.planned(
            (code, code[:6]), at(hour) if n else None, at(hour + 0.25) if n < last else None
        )
        for n, (code, hour) in enumerate(places)
    )
    found: list[dict[str, Any]] = trip_body(a_trip(stops=stops))["stops"]
    return found


async def lapses(world: World) -> int:
    async with world.db.transaction(role="worker") as tx:
        return await lapse(tx)


async def reasons(world: World) -> list[str]:
    return [b["reason"] for _, b in await said(world.db, "seat-waitlisted")]


async def test_a_trip_that_never_opened_is_cancelled_when_its_departure_has_passed(
    world: World,
) -> None:
    trip_id = await world.schedule(minimum_load=20)
    await placed(world.db, a_placement(), a_placement())
    assert await reasons(world) == ["below_minimum"] * 2
    assert await lapses(world) == 0
    await world.let_pass(LEAVING)
    assert await lapses(world) == 1
    cancelled = (await said(world.db, "trip-cancelled"))[0][1]
    assert (cancelled["trip_id"], cancelled["reason"]) == (str(trip_id), "below_minimum")
    assert await reasons(world) == ["below_minimum"] * 2 + ["no_trip"] * 2
    assert await states(world.db) == {"waitlisted": 2}
    assert await lapses(world) == 0


async def asks(world: World) -> int:
    async with world.db.transaction(role="worker") as tx:
        return await ask(timedelta(hours=24))(tx)


async def test_a_coordinator_is_asked_once_before_a_trip_below_its_minimum_leaves(
    world: World,
) -> None:
    trip_id = await world.schedule(minimum_load=20)
    await placed(world.db, a_placement(), a_placement())
    leaves = at(8) - datetime.now(UTC)
    await world.let_pass(leaves - timedelta(hours=24, minutes=1))
    assert await asks(world) == 0
    await world.let_pass(timedelta(minutes=2))
    assert [await asks(world), await asks(world)] == [1, 0]
    ((_, asked),) = await said(world.db, "trip-changed")
    assert (asked["changed"], asked["reason"]) == (["minimum_load"], "below_minimum")
    trip = (await world.http.get(f"/v1/trips/{trip_id}")).json()
    assert (trip["state"], trip["asked_at"] is not None) == ("scheduled", True)
    # The coordinator's word is enough, whatever the load.
    await world.post(f"trips/{trip_id}/open")
    assert await states(world.db, trip_id) == {"booked": 2}


async def test_nobody_is_asked_about_a_trip_that_nobody_waits_for(world: World) -> None:
    await world.schedule(minimum_load=20)
    await world.let_pass(LEAVING)
    assert await asks(world) == 0


async def test_who_waited_for_a_lapsed_trip_waits_for_the_next_one(world: World) -> None:
    await world.schedule(minimum_load=20)
    later = [s | {"departs_at": _later(s["departs_at"]), "arrives_at": _later(s["arrives_at"])}
             for s in trip_body()["stops"]]  # fmt: skip
    await world.schedule(minimum_load=20, stops=later)
    start = SOON + timedelta(days=30)
    await placed(world.db, a_placement(starts_on=start), a_placement(starts_on=start))
    await world.let_pass(LEAVING)
    assert await lapses(world) == 1
    # The reason is still true: it isn't said again.
    assert await reasons(world) == ["below_minimum"] * 2
    assert await one(world.db, "SELECT count(*) FROM trip WHERE state = 'scheduled'") == 1


def _later(instant: str | None) -> str | None:
    """Give the same time a week later."""
    moved = {at(h).isoformat(): at(h + 7 * 24).isoformat() for h in (8, 9.5, 10, 44)}
    return moved[instant] if instant else None


async def test_a_seat_booked_by_hand_on_a_lapsed_trip_is_a_wish_again(world: World) -> None:
    placement = a_placement()
    await placed(world.db, placement)
    trip_id = await world.schedule(minimum_load=20)
    body = {"placement_id": str(placement.placement_id), "trip_id": str(trip_id)}
    await world.post("bookings", body, 201)
    await world.let_pass(LEAVING)
    assert await lapses(world) == 1
    assert (await said(world.db, "seat-released"))[0][1]["reason"] == "cancelled"
    assert await states(world.db) == {"released": 1, "waitlisted": 1}
    assert (await reasons(world))[-1] == "no_trip"


async def test_an_open_trip_is_a_coordinators_whatever_the_hour(world: World) -> None:
    trip_id = await world.schedule(minimum_load=20)
    await world.post(f"trips/{trip_id}/open")
    await world.let_pass(LEAVING + timedelta(days=30))
    assert await lapses(world) == 0
    await world.post(f"trips/{trip_id}/depart")
    assert "trip-cancelled" not in await kinds(world.db)


async def test_a_delayed_trip_lapses_at_its_new_departure(world: World) -> None:
    trip_id = await world.schedule(minimum_load=20)
    body = {"delay_minutes": 14 * 24 * 60, "reason": "snow"}
    await world.post(f"trips/{trip_id}/delay", body)
    await world.let_pass(LEAVING)
    assert await lapses(world) == 0
    await world.let_pass(timedelta(days=14))
    assert await lapses(world) == 1


async def test_passengers_follow_their_stops_to_new_times(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    first, second = await placed(world.db, a_placement(), a_placement(**FROM_FENGQING))
    # Luxi comes before, and Fengqing is left at the same time as before.
    stops = way(("532527-00", 5), ("530902-00", 9), ("530921-00", 9.75), ("310114-00", 44))
    answer = await world.post(f"trips/{trip_id}/change", {"stops": stops})
    assert answer["without_seat"] == []
    changed = [b for _, b in await said(world.db, "seat-changed")]
    assert [b["booking_id"] for b in changed] == [str(first)]
    assert changed[0]["changed"] == ["times"]
    assert changed[0]["departs_at"] == at(9.25).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = (await said(world.db, "trip-changed"))[0][1]
    assert told["changed"] == ["stops"]
    assert [s["place_code"] for s in told["stops"]] == [s["place_code"] for s in stops]
    seats = {b: (await world.http.get(f"/v1/bookings/{b}")).json() for b in (first, second)}
    assert [seats[b]["board_stop"] for b in (first, second)] == ["530902-00", "530921-00"]
    assert seats[second]["departs_at"] == at(10).isoformat().replace("+00:00", "Z")


async def test_whose_stop_is_gone_boards_in_the_same_county_or_waits_in_the_pool(
    world: World,
) -> None:
    trip_id = await world.schedule(minimum_load=1)
    group = a_group(2)
    group[1] = group[1].model_copy(update=FROM_FENGQING)
    placements = [a_placement(**FROM_FENGQING), a_placement(), *group]
    _, here, *_ = await placed(world.db, *placements)
    stops = way(("530902-01", 8), ("310114-00", 44))
    answer = await world.post(f"trips/{trip_id}/change", {"stops": stops})
    assert len(answer["without_seat"]) == 3
    changed = [b for _, b in await said(world.db, "seat-changed")]
    assert [(b["booking_id"], b["board_stop"]) for b in changed] == [(str(here), "530902-01")]
    # The group stays whole: one of them lost the stop, so both wait.
    assert await states(world.db) == {"booked": 1, "released": 3, "waitlisted": 3}
    released = [b for _, b in await said(world.db, "seat-released")]
    assert {b["reason"] for b in released} == {"changed"}
    assert all("rebooked_as" not in b for b in released)
    page = (await world.http.get("/v1/bookings?state=released")).json()["items"]
    assert {b["board_stop"] for b in page} <= {None, "530902-00"}


async def test_who_leaves_a_changed_trip_finds_a_sister_in_the_same_step(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    (mine,) = await placed(world.db, a_placement(**FROM_FENGQING))
    sister = await world.schedule(minimum_load=1)
    stops = way(("530902-00", 8), ("310114-00", 44))
    answer = await world.post(f"trips/{trip_id}/change", {"stops": stops})
    assert answer["without_seat"] == []
    assert await states(world.db, sister) == {"booked": 1}
    released = (await said(world.db, "seat-released"))[0][1]
    assert released["booking_id"] == str(mine)
    assert released["rebooked_as"] == (await said(world.db, "seat-booked"))[-1][1]["booking_id"]


async def test_a_way_that_overlaps_more_seats_by_rule(world: World) -> None:
    one_seat = {"plate": "云S00001", "licensed_capacity": 1, "kind": "train"}
    stops = way(("530902-00", 8), ("310104-00", 30), ("530921-00", 32), ("310114-00", 44))
    trip_id = await world.schedule(minimum_load=1, vehicle=one_seat, stops=stops)
    site = a_placement().site
    to_xuhui = a_placement(site=site.model_copy(update={"division_code": "310104"}))
    await placed(world.db, to_xuhui, a_placement(**FROM_FENGQING, priority=3))
    assert await states(world.db, trip_id) == {"booked": 2}
    together = way(("530902-00", 8), ("530921-00", 9), ("310104-00", 40), ("310114-00", 44))
    answer = await world.post(f"trips/{trip_id}/change", {"stops": together})
    assert len(answer["without_seat"]) == 1
    (kept,) = (await world.http.get(f"/v1/bookings?trip_id={trip_id}&state=booked")).json()["items"]
    assert kept["board_stop"] == "530921-00"


async def test_nobody_aboard_loses_the_stop(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    (mine,) = await placed(world.db, a_placement())
    await world.post(f"trips/{trip_id}/boarding-scans", [a_scan(mine)])
    elsewhere = way(("530921-00", 10), ("310114-00", 44))
    refused = await world.post(f"trips/{trip_id}/change", {"stops": elsewhere}, 409)
    assert refused["code"] == "stop_in_use"
    assert "trip-changed" not in await kinds(world.db)


async def test_other_stops_are_held_to_the_rules_for_plans_and_drivers(world: World) -> None:
    coach = {"plate": "皖K00001", "licensed_capacity": 45, "kind": "coach"}
    near = way(("310114-00", 8), ("310104-00", 10))
    trip_id = await world.schedule(vehicle=coach, crew=["D-1"], stops=near)
    path = f"trips/{trip_id}/change"
    far = way(("530902-00", 8), ("310114-00", 44))
    refused = await world.post(path, {"stops": far}, 422)
    assert refused["code"] == "driver_rules"
    assert {e["pointer"] for e in refused["errors"]} == {"/stops/0"}
    for broken, code in (
        (near[:1], "wrong_length"),
        ([near[0], near[0]], "stop_twice"),
        ([near[1], near[0]], "times_out_of_order"),
    ):
        refused = await world.post(path, {"stops": broken}, 422)
        assert code in {e["code"] for e in refused["errors"]}, refused
    await world.post(path, {"stops": way(("310114-00", 9), ("310104-00", 11))})


async def test_a_new_way_wakes_whom_it_serves_and_forgets_the_delay(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    await world.post(f"trips/{trip_id}/delay", {"delay_minutes": 60, "reason": "snow"})
    waiting = a_placement(boarding_place_code="532527-00", origin_division_code=LUXI)
    await placed(world.db, waiting)
    assert await reasons(world) == ["no_trip"]
    stops = way(("532527-00", 8), ("530902-00", 12), ("310114-00", 44))
    await world.post(f"trips/{trip_id}/change", {"stops": stops})
    await settle(world.db)
    assert await states(world.db, trip_id) == {"booked": 1}
    trip = (await world.http.get(f"/v1/trips/{trip_id}")).json()
    assert (trip["delay_minutes"], trip["reason"], trip["state"]) == (0, None, "open")
    assert {s["division_code"] for s in trip["stops"]} == {LUXI, LINXIANG, JIADING}
