"""From a placement to a seat: the pool, minimum load, groups, priorities and reasons to wait."""

from datetime import timedelta

from contracts.recruitment import PlacementEnded, PlacementStarted
from services.transport.consumers import HANDLERS
from services.transport.domain.trip import Trip
from services.transport.handlers.trips import arrive, depart, open_trip, schedule_trip
from shared.database import Database
from tests.integration.transport.world import (
    CHONGMING,
    FENGQING,
    LUXI,
    SOON,
    a_group,
    a_placement,
    a_trip,
    cancelled,
    changed,
    kinds,
    one,
    said,
    settle,
    states,
)
from tests.support.events import heard
from tests.support.postgres import ServiceDb


async def scheduled(db: Database, *trips: Trip) -> None:
    for trip in trips:
        async with db.transaction(role="worker") as tx:
            await schedule_trip(tx, trip)


async def opened(db: Database, *trips: Trip) -> None:
    await scheduled(db, *trips)
    for trip in trips:
        async with db.transaction(role="worker") as tx:
            await open_trip(tx, trip)


async def test_a_trip_opens_itself_at_minimum_load_and_books_the_pool_in_one_step(
    service_db: ServiceDb,
) -> None:
    db = await service_db("transport")
    trip = a_trip()
    await scheduled(db, trip)
    await heard(db, HANDLERS, [a_placement() for _ in range(19)])
    await settle(db)
    assert await kinds(db) == ["trip-scheduled", *["seat-waitlisted"] * 19]
    assert {b["reason"] for _, b in await said(db, "seat")} == {"below_minimum"}

    last = a_placement()
    await heard(db, HANDLERS, [last])
    await settle(db)
    assert await states(db, trip.trip_id) == {"booked": 20}
    (opening,) = [b for k, b in await said(db) if k == "trip-opened"]
    assert opening["booked_count"] == 20
    body = next(b for k, b in await said(db) if b.get("worker_id") == str(last.worker_id))
    assert body["board_stop"] == "530902-00"
    assert body["alight_stop"] == "310114-00"
    assert body["arrival_division_code"] == "310114"
    assert body["trip_id"] == str(trip.trip_id)
    assert body["nomination_id"] == str(last.nomination_id)


async def test_later_ones_join_while_there_are_seats_then_they_wait_for_full(
    service_db: ServiceDb,
) -> None:
    db = await service_db("transport")
    trip = a_trip(capacity=22)
    await scheduled(db, trip)
    await heard(db, HANDLERS, [a_placement() for _ in range(20)])
    await settle(db)
    await heard(db, HANDLERS, [a_placement() for _ in range(3)])
    await settle(db)
    assert await states(db) == {"booked": 22, "waitlisted": 1}
    assert (await said(db, "seat-waitlisted"))[-1][1]["reason"] == "full"


async def test_without_a_trip_the_reason_is_said_once(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    await heard(db, HANDLERS, [a_placement()])
    await settle(db)
    await heard(db, HANDLERS, [a_placement()])
    await settle(db)
    assert [b["reason"] for _, b in await said(db)] == ["no_trip", "no_trip"]
    await scheduled(db, a_trip())
    await settle(db)
    assert [b["reason"] for _, b in await said(db, "seat")][2:] == ["below_minimum"] * 2


async def test_a_trip_serves_its_window_its_stops_and_its_city_only(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    trip = a_trip(minimum_load=1)
    await opened(db, trip)
    served = [
        a_placement(),
        a_placement(boarding_place_code="530902-07"),  # the first stop of the same division
        a_placement(boarding_place_code="530921-00", origin_division_code=FENGQING),
        a_placement(available_from=SOON),
        a_placement(starts_on=SOON + timedelta(days=2)),
        a_placement(site=a_placement().site.model_copy(update={"division_code": CHONGMING})),
    ]
    refused = [
        a_placement(boarding_place_code="532527-00", origin_division_code=LUXI),
        a_placement(available_from=SOON + timedelta(days=1)),
        a_placement(starts_on=SOON + timedelta(days=1)),
        a_placement(site=a_placement().site.model_copy(update={"division_code": "320500"})),
    ]
    alone = a_placement(needs_seat=False)
    await heard(db, HANDLERS, [*served, *refused, alone])
    await settle(db)
    booked = {b["placement_id"] for k, b in await said(db) if k == "seat-booked"}
    waiting = {b["placement_id"]: b["reason"] for k, b in await said(db, "seat-waitlisted")}
    assert booked == {str(p.placement_id) for p in served}
    assert waiting == {str(p.placement_id): "no_trip" for p in refused}


async def test_a_group_waits_for_its_members_and_books_whole_or_not_at_all(
    service_db: ServiceDb,
) -> None:
    db = await service_db("transport")
    await opened(db, a_trip(capacity=3))
    early, late = a_group(3)[:2], a_group(2)
    await heard(db, HANDLERS, early)
    await settle(db)
    assert await states(db) == {"pooled": 2}
    # Two of three: the third doesn't come within the wait (real time), so the two go as they are.
    await heard(db, HANDLERS, late)
    await settle(db)
    assert await states(db) == {"pooled": 2, "booked": 2}
    async with db.transaction(role="worker") as tx:
        await tx.execute("UPDATE booking SET pooled_at = pooled_at - interval '21 s'")
    await settle(db)
    assert await states(db) == {"waitlisted": 2, "booked": 2}
    assert (await said(db, "seat-waitlisted"))[-1][1]["reason"] == "full"


async def test_priority_comes_before_time(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    await opened(db, a_trip(capacity=1))
    first, urgent = a_placement(), a_placement(priority=5)
    await heard(db, HANDLERS, [first, urgent])
    await settle(db)
    (booked,) = [b for k, b in await said(db) if k == "seat-booked"]
    assert booked["placement_id"] == str(urgent.placement_id)


async def test_a_cancelled_placement_gives_its_seat_to_the_next(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    await opened(db, a_trip(capacity=1))
    first, second = a_placement(), a_placement()
    await heard(db, HANDLERS, [first])
    await settle(db)
    await heard(db, HANDLERS, [second])
    await settle(db)
    (cancel,) = await heard(db, HANDLERS, [cancelled(first)])
    await settle(db)
    assert await kinds(db, "seat") == [
        "seat-booked", "seat-waitlisted", "seat-released", "seat-booked",
    ]  # fmt: skip
    assert await states(db) == {"released": 1, "booked": 1}
    cause = await one(
        db,
        "SELECT headers::text FROM outbox WHERE headers::text LIKE '%seat-released%'",
    )
    assert str(cancel.envelope.id) in cause


async def test_a_cancellation_heard_first_leaves_no_booking(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    await opened(db, a_trip())
    placement = a_placement()
    await heard(db, HANDLERS, [cancelled(placement)])
    await heard(db, HANDLERS, [placement])
    await settle(db)
    assert await states(db) == {}


async def test_hearing_a_placement_twice_books_once(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    await opened(db, a_trip())
    placement = a_placement()
    await heard(db, HANDLERS, [placement, placement])
    await settle(db)
    await heard(db, HANDLERS, [placement])
    await settle(db)
    assert await kinds(db, "seat") == ["seat-booked"]


async def test_a_changed_placement_is_seated_anew_in_one_step(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    late = a_trip(capacity=1)
    early = a_trip(stops=tuple(_earlier(a_trip(), days=3)))
    await opened(db, late)
    placement = a_placement(available_from=SOON - timedelta(days=4))
    await heard(db, HANDLERS, [placement])
    await settle(db)
    await opened(db, early)
    await heard(db, HANDLERS, [changed(placement, starts_on=SOON + timedelta(days=1))])
    await settle(db)
    assert await kinds(db, "seat") == ["seat-booked", "seat-changed"]
    body = (await said(db, "seat-changed"))[0][1]
    assert body["trip_id"] == str(early.trip_id)


async def test_a_change_that_no_trip_serves_puts_the_person_back_into_the_pool(
    service_db: ServiceDb,
) -> None:
    db = await service_db("transport")
    await opened(db, a_trip())
    placement = a_placement()
    await heard(db, HANDLERS, [placement])
    await settle(db)
    await heard(db, HANDLERS, [changed(placement, starts_on=SOON)])
    await settle(db)
    assert sorted(await kinds(db, "seat")) == ["seat-booked", "seat-released", "seat-waitlisted"]
    released = (await said(db, "seat-released"))[0][1]
    assert released["reason"] == "changed"
    assert "rebooked_as" not in released


async def test_another_enterprise_is_another_booking_on_the_same_seat(
    service_db: ServiceDb,
) -> None:
    db = await service_db("transport")
    await opened(db, a_trip(capacity=1))
    placement = a_placement()
    await heard(db, HANDLERS, [placement])
    await settle(db)
    waiting = a_placement(priority=9)
    await heard(db, HANDLERS, [waiting, changed(placement, enterprise_id=a_trip().trip_id)])
    await settle(db)
    assert await states(db) == {"released": 1, "booked": 1, "waitlisted": 1}
    released = (await said(db, "seat-released"))[0][1]
    booked = (await said(db, "seat-booked"))[-1][1]
    assert released["rebooked_as"] == booked["booking_id"]
    assert booked["placement_id"] == str(placement.placement_id)


def _earlier(trip: Trip, days: int) -> list:
    from dataclasses import replace

    back = timedelta(days=days)
    names = ("planned_arrives_at", "planned_departs_at", "arrives_at", "departs_at")
    return [
        replace(s, **{n: getattr(s, n) and getattr(s, n) - back for n in names}) for s in trip.stops
    ]


async def test_a_need_that_ends_and_comes_again_is_pooled_again(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    placement = a_placement()
    await heard(db, HANDLERS, [placement])
    await settle(db)
    await heard(db, HANDLERS, [changed(placement, needs_seat=False)])
    await settle(db)
    assert await states(db) == {"released": 1}
    await heard(db, HANDLERS, [changed(placement, needs_seat=True)])
    await settle(db)
    assert await states(db) == {"released": 1, "waitlisted": 1}


async def test_who_missed_a_trip_is_pooled_again_only_for_another_day_or_site(
    service_db: ServiceDb,
) -> None:
    db = await service_db("transport")
    trip = a_trip(minimum_load=1)
    await opened(db, trip)
    placement = a_placement()
    await heard(db, HANDLERS, [placement])
    await settle(db)
    for step in (depart, arrive):
        async with db.transaction(role="worker") as tx:
            await step(tx, trip.trip_id, None)
    await settle(db)
    assert await states(db) == {"missed": 1}
    await heard(db, HANDLERS, [changed(placement, nights=3)])
    await settle(db)
    assert await states(db) == {"missed": 1}
    await heard(db, HANDLERS, [changed(placement, starts_on=SOON + timedelta(days=9))])
    await settle(db)
    assert await states(db) == {"missed": 1, "waitlisted": 1}


async def test_a_started_or_ended_placement_looks_for_no_seat(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    started, ended = a_placement(), a_placement()
    await heard(db, HANDLERS, [started, ended])
    await settle(db)
    fate = cancelled(started).model_dump() | {"started_on": SOON}
    await heard(db, HANDLERS, [PlacementStarted(**fate)])
    fate = cancelled(ended).model_dump() | {"ended_on": SOON}
    await heard(db, HANDLERS, [PlacementEnded(**fate)])
    await settle(db)
    await opened(db, a_trip(minimum_load=1))
    await settle(db)
    assert await states(db) == {"waitlisted": 1, "released": 1}
