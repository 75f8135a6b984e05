"""Bookings by hand: named trips, changes that cannot end with no seat, cancellations, erasure."""

from typing import Any
from uuid import UUID

import pytest

from contracts.registry import WorkerErased
from services.transport.consumers import HANDLERS
from tests.integration.transport.world import (
    FENGQING,
    IDS,
    SOON,
    World,
    a_group,
    a_placement,
    a_scan,
    a_trip,
    bookings_of,
    kinds,
    placed,
    said,
    settle,
    states,
    trip_body,
)
from tests.support.events import heard
from tests.support.http import an_enterprise, an_office, bearer


def seats(count: int) -> dict[str, Any]:
    return {"vehicle": trip_body(a_trip(capacity=count))["vehicle"]}


def wish(placement: Any, trip_id: UUID) -> dict[str, str]:
    return {"placement_id": str(placement.placement_id), "trip_id": str(trip_id)}


async def test_a_coordinator_books_a_waiting_person_on_a_named_trip(world: World) -> None:
    trip_id = await world.schedule(minimum_load=2)
    placement = a_placement()
    (waiting,) = await placed(world.db, placement)
    booked = await world.post("bookings", wish(placement, trip_id), 201)
    assert booked == {
        "booking_id": str(waiting), "state": "booked", "trip_id": str(trip_id),
        "placement_id": str(placement.placement_id),
    }  # fmt: skip
    again = await world.post("bookings", wish(placement, trip_id), 409)
    assert again["code"] == "already_booked"
    # The seat counts towards the minimum: one more person opens the trip.
    await placed(world.db, a_placement())
    assert await states(world.db, trip_id) == {"booked": 2}
    assert "trip-opened" in await kinds(world.db)


async def test_a_group_is_booked_by_hand_whole_or_not_at_all(world: World) -> None:
    small = await world.schedule(minimum_load=2, **seats(2))
    group = a_group(3)
    await placed(world.db, *group)
    refused = await world.post("bookings", wish(group[0], small), 409)
    assert refused["code"] == "full"
    assert await states(world.db) == {"waitlisted": 3}
    big = await world.schedule(minimum_load=9, **seats(9))
    await world.post("bookings", wish(group[0], big), 201)
    assert await states(world.db, big) == {"booked": 3}


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"boarding_place_code": "532527-00", "origin_division_code": "532527"}, "does_not_serve"),
        ({"starts_on": SOON}, "does_not_serve"),
        ({"needs_seat": False}, "not_waiting"),
    ],
)
async def test_a_trip_that_does_not_serve_is_refused(
    world: World, overrides: dict[str, Any], code: str
) -> None:
    trip_id = await world.schedule()
    placement = a_placement(**overrides)
    await heard(world.db, HANDLERS, [placement])
    refused = await world.post("bookings", wish(placement, trip_id), 409)
    assert refused["code"] == code


async def test_what_is_unknown_is_404_and_what_is_not_allowed_403(world: World) -> None:
    trip_id = await world.schedule()
    placement = a_placement()
    await placed(world.db, placement)
    await world.post("bookings", wish(placement, IDS.uuid7()), 404)
    await world.post("bookings", wish(a_placement(), trip_id), 404)
    await world.post(f"bookings/{IDS.uuid7()}/cancel", status=404)
    for identity in (await an_office(world.db), await an_enterprise(world.db)):
        headers = bearer(identity)
        await world.post("bookings", wish(placement, trip_id), 403, headers=headers)
        await world.post("trips", trip_body(), 403, headers=headers)


async def test_a_change_moves_to_another_trip_or_stays_when_that_is_full(world: World) -> None:
    first = await world.schedule(minimum_load=1, **seats(2))
    placement = a_placement()
    (booking,) = await placed(world.db, placement)
    second = await world.schedule(minimum_load=1, **seats(1))
    await world.post(f"bookings/{booking}/change", {"trip_id": str(second)})
    assert await states(world.db, second) == {"booked": 1}
    changed = (await said(world.db, "seat-changed"))[-1][1]
    assert changed["trip_id"] == str(second)
    (other,) = await placed(world.db, a_placement())
    refused = await world.post(f"bookings/{other}/change", {"trip_id": str(second)}, 409)
    assert refused["code"] == "full"
    assert await states(world.db, first) == {"booked": 1}


async def test_a_change_of_stop_keeps_the_trip(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1, **seats(1))
    (booking,) = await placed(world.db, a_placement())
    await world.post(f"bookings/{booking}/change", {"board_stop": "530921-00"})
    changed = (await said(world.db, "seat-changed"))[-1][1]
    assert changed["board_stop"] == "530921-00"
    # The segment from the first stop is free, but nobody alights at the second one.
    await placed(world.db, a_placement())
    assert await states(world.db, trip_id) == {"booked": 1}
    refused = await world.post(f"bookings/{booking}/change", {"board_stop": "310114-00"}, 422)
    assert refused["code"] == "unknown_stop"


async def test_a_group_moves_together(world: World) -> None:
    await world.schedule(minimum_load=1)
    group = a_group(3)
    bookings = await placed(world.db, *group)
    second = await world.schedule(minimum_load=1, **seats(2))
    refused = await world.post(f"bookings/{bookings[0]}/change", {"trip_id": str(second)}, 409)
    assert refused["code"] == "full"
    third = await world.schedule(minimum_load=1, **seats(3))
    await world.post(f"bookings/{bookings[0]}/change", {"trip_id": str(third)})
    assert await states(world.db, third) == {"booked": 3}


async def test_a_cancelled_booking_frees_its_seat_and_asks_for_nothing_new(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1, **seats(1))
    (booking,) = await placed(world.db, a_placement())
    await placed(world.db, a_placement())
    body = await world.post(f"bookings/{booking}/cancel", {"reason": "本人不去了"})
    assert body["state"] == "released"
    await settle(world.db)
    assert await states(world.db) == {"released": 1, "booked": 1}
    assert await states(world.db, trip_id) == {"booked": 1, "released": 1}
    await world.post(f"bookings/{booking}/cancel", status=409)


async def test_an_erased_person_loses_the_seat_unless_under_way(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    leaving, riding = a_placement(), a_placement()
    bookings = await placed(world.db, leaving, riding)
    await heard(world.db, HANDLERS, [WorkerErased(worker_id=leaving.worker_id)])
    await settle(world.db)
    released = (await said(world.db, "seat-released"))[0][1]
    assert released["reason"] == "erased"
    await world.post(f"trips/{trip_id}/boarding-scans", [a_scan(bookings[1])])
    await world.post(f"trips/{trip_id}/depart")
    await heard(world.db, HANDLERS, [WorkerErased(worker_id=riding.worker_id)])
    await settle(world.db)
    assert await states(world.db) == {"released": 1, "boarded": 1}
    # A tombstone that is there first: no seat for what comes after it.
    ghost = a_placement()
    await heard(world.db, HANDLERS, [WorkerErased(worker_id=ghost.worker_id), ghost])
    await settle(world.db)
    assert await states(world.db) == {"released": 2, "boarded": 1}


async def test_lists_are_filtered_and_paged(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1, **seats(2))
    placements = [a_placement() for _ in range(3)]
    bookings = await placed(world.db, *placements)

    async def listed(query: str) -> list[str]:
        answer = await world.http.get(f"/v1/bookings?{query}")
        assert answer.status_code == 200, answer.text
        return [b["booking_id"] for b in answer.json()["items"]]

    assert await listed(f"placement_id={placements[0].placement_id}") == [str(bookings[0])]
    assert len(await listed(f"trip_id={trip_id}&state=booked")) == 2
    assert len(await listed("state=waitlisted")) == 1
    first = (await world.http.get("/v1/bookings?limit=2")).json()
    assert len(first["items"]) == 2
    rest = (await world.http.get(f"/v1/bookings?cursor={first['next_cursor']}")).json()
    assert len(rest["items"]) == 1
    assert rest["next_cursor"] is None
    assert (await world.http.get("/v1/bookings?state=nonsense")).status_code == 422


async def test_a_plan_is_checked_before_it_is_kept(world: World) -> None:
    stops = trip_body()["stops"]
    coach = {"plate": "皖K00001", "licensed_capacity": 45, "kind": "coach"}
    refused = await world.post("trips", trip_body(vehicle=coach, crew=["D-1"]), 422)
    assert refused["code"] == "driver_rules"
    assert ("/stops/1", "second_driver") in {(e["pointer"], e["code"]) for e in refused["errors"]}
    for broken, code in (
        ({"stops": stops[:1]}, "wrong_length"),
        ({"stops": [stops[0], stops[0]]}, "stop_twice"),
        ({"stops": [stops[0], stops[2], stops[1]]}, "times_out_of_order"),
        ({"minimum_load": 51}, "out_of_range"),
        ({"crew": ["张三"]}, "wrong_form"),
        ({"operator": "临沧客运 13800001111"}, "personal_data"),
    ):
        refused = await world.post("trips", trip_body(**broken), 422)
        assert code in {refused["code"], *(e["code"] for e in refused["errors"])}, refused
    assert await kinds(world.db) == []


async def test_a_command_with_the_same_key_happens_once(world: World) -> None:
    headers = {"Idempotency-Key": "plan-1"}
    first = await world.post("trips", trip_body(), 201, headers=headers)
    again = await world.post("trips", trip_body(), 201, headers=headers)
    assert first == again
    assert await kinds(world.db) == ["trip-scheduled"]


async def test_vehicles_are_kept_by_coordinators(world: World) -> None:
    body = {"plate": "云S00002", "licensed_capacity": 45, "kind": "coach"}
    made = await world.post("vehicles", body, 201)
    assert (await world.post("vehicles", body, 409))["code"] == "plate_known"
    path = f"/v1/vehicles/{made['vehicle_id']}"
    await world.http.put(path, json=body | {"licensed_capacity": 40})
    assert (await world.http.get(path)).json()["licensed_capacity"] == 40
    office = bearer(await an_office(world.db))
    assert (await world.http.get(path, headers=office)).status_code == 404
    assert (await world.http.get("/v1/vehicles", headers=office)).json()["items"] == []
    assert (await world.http.delete(path)).status_code == 200
    assert (await world.http.get(path)).status_code == 404


async def test_a_manifest_is_frozen_with_its_difference(world: World) -> None:
    trip_id = await world.schedule(minimum_load=1)
    first = a_placement(boarding_place_code="530921-00", origin_division_code=FENGQING)
    (kept, gone) = await placed(world.db, first, a_placement())
    assert (await world.post(f"trips/{trip_id}/manifest", status=201))["version"] == 1
    assert (await world.post(f"trips/{trip_id}/manifest", status=201))["version"] == 1
    await world.post(f"bookings/{gone}/cancel")
    (new,) = await placed(world.db, a_placement())
    second = await world.post(f"trips/{trip_id}/manifest", status=201)
    assert second["version"] == 2
    assert second["difference"] == {"added": [str(new)], "removed": [str(gone)], "changed": []}
    path = f"/v1/trips/{trip_id}/manifest"
    frozen = (await world.http.get(f"{path}?version=1")).json()
    assert {p["booking_id"] for p in frozen["passengers"]} == {str(kept), str(gone)}
    now = (await world.http.get(path)).json()
    assert [p["booking_id"] for p in now["passengers"]] == [str(new), str(kept)]
    assert await bookings_of(world.db, [first]) == [kept]
    assert (await world.http.get(f"{path}?version=3")).status_code == 404
