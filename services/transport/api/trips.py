"""Trips over HTTP: a coordinator schedules and runs them, those aboard see theirs."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from contracts.reference import city_of
from services.transport import views
from services.transport.api.bodies import (
    AtBody,
    DelayBody,
    ReasonBody,
    StopBody,
    TripBody,
    TripChangeBody,
    code_of,
)
from services.transport.api.caller import COORDINATOR, Caller, command, page_of, visible_trip
from services.transport.domain.drivers import breaches, legs_of
from services.transport.domain.trip import Carrier, Stop, Trip, TripState
from services.transport.handlers import trips
from services.transport.handlers.refit import Refit, refit
from services.transport.settings import MINIMUM_LOAD, TransportSettings
from shared.commands import Answer
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, page
from shared.problem import Fault, Problem
from shared.transaction import Tx

router = APIRouter()


@router.post("/v1/trips", status_code=201)
async def post_trip(body: TripBody, caller: Caller) -> Response:
    """Schedule a trip; it opens by itself when enough people wait for it."""
    caller.require(roles=COORDINATOR)
    settings = caller.house.settings
    minimum = settings.minimum_load if isinstance(settings, TransportSettings) else MINIMUM_LOAD

    async def effect(tx: Tx) -> Answer:
        trip = _planned(body, tx.ids.uuid7(), minimum)
        check_plan(trip, motorway=body.wholly_on_motorway)
        await tx.as_worker()
        await trips.schedule_trip(tx, trip)
        return Answer(201, {"trip_id": trip.trip_id, "state": trip.state})

    return await command(caller, effect)


@router.get("/v1/trips")
async def get_trips(
    caller: Caller,
    state: Annotated[TripState | None, Query()] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List the trips that the caller sees."""
    where = page_of(limit, cursor)

    async def view(tx: Tx) -> object:
        return page(await views.list_trips(tx, state, where), limit, "trip_id")

    return await caller.query(view)


@router.get("/v1/trips/{trip_id}")
async def get_trip(trip_id: UUID, caller: Caller) -> Response:
    """Give a trip."""
    return await caller.query(partial(views.find_trip, trip_id=trip_id))


@router.post("/v1/trips/{trip_id}/open")
async def open_trip(trip_id: UUID, caller: Caller) -> Response:
    """Open a trip whatever its load."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        return _said(await trips.open_trip(tx, await visible_trip(tx, trip_id)))

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/change")
async def change(trip_id: UUID, body: TripChangeBody, caller: Caller) -> Response:
    """Give a trip another vehicle, crew or stops; who can't ride any more is said, by rule."""
    caller.require(roles=COORDINATOR)
    wanted = Refit(
        Carrier(**body.vehicle.model_dump()) if body.vehicle else None,
        None if body.crew is None else tuple(body.crew),
        body.escort,
        _stops(body.stops) if body.stops else None,
    )

    async def effect(tx: Tx) -> Answer:
        seen = await visible_trip(tx, trip_id)
        check_plan(wanted.of(seen), motorway=body.wholly_on_motorway)
        trip, left = await refit(tx, seen, wanted)
        return Answer(200, {"trip_id": trip_id, "state": trip.state, "without_seat": left})

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/depart")
async def depart(trip_id: UUID, caller: Caller, body: AtBody | None = None) -> Response:
    """Let a trip be on its way."""
    caller.require(roles=COORDINATOR)
    at = body.at if body else None

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        return _said(await trips.depart(tx, trip_id, at))

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/delay")
async def delay(trip_id: UUID, body: DelayBody, caller: Caller) -> Response:
    """Be later than planned; everyone with a seat hears of it."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        reason = code_of(body.reason)
        return _said(await trips.delay(tx, trip_id, body.delay_minutes, reason))

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/arrive")
async def arrive(trip_id: UUID, caller: Caller, body: AtBody | None = None) -> Response:
    """Be at the last stop."""
    caller.require(roles=COORDINATOR)
    at = body.at if body else None

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        return _said(await trips.arrive(tx, trip_id, at))

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/cancel")
async def cancel(trip_id: UUID, caller: Caller, body: ReasonBody | None = None) -> Response:
    """Let a trip not run; sister trips take whom they can."""
    caller.require(roles=COORDINATOR)
    reason = body.code if body else None

    async def effect(tx: Tx) -> Answer:
        return _said(await trips.cancel_trip(tx, await visible_trip(tx, trip_id), reason))

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/close")
async def close(trip_id: UUID, caller: Caller) -> Response:
    """Close a trip on which everyone aboard was handed over."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        return _said(await trips.close_trip(tx, trip_id))

    return await command(caller, effect)


def check_plan(trip: Trip, *, motorway: bool) -> None:
    """Refuse (422 `driver_rules`) a coach's plan that its drivers may not drive, leg by leg."""
    if trip.minimum_load > trip.vehicle.licensed_capacity:
        detail = "最低成行人数超过核定载客人数。The minimum load is more than the capacity."
        raise Problem(422, "invalid", detail, [Fault("/minimum_load", "out_of_range", detail)])
    if trip.vehicle.kind != "coach":
        return
    found = breaches(legs_of(trip.stops), len(trip.crew), motorway=motorway)
    if found:
        faults = [Fault(f"/stops/{b.leg}", b.rule, _RULES[b.rule]) for b in found]
        detail = "行车计划违反驾驶员规定。The plan breaks the rules for drivers."
        raise Problem(422, "driver_rules", detail, faults)


_RULES = {
    "no_driver": "客车须有驾驶员。A coach has a driver.",
    "four_hours_on_end": "连续驾驶超过4小时。More than 4 h on end.",
    "two_hours_by_night": "夜间连续驾驶超过2小时。More than 2 h on end by night.",
    "eight_hours_in_a_day": "24小时内驾驶超过8小时。More than 8 h in 24 h.",
    "second_driver": "超过400公里（全程高速600公里）须配两名驾驶员。Two drivers are needed.",
    "standstill_by_night": "凌晨2至5时须停车或换人。A coach stands from 02:00 to 05:00.",
    "too_fast": "此段时间短于限速所需。The leg takes longer than that at the speed limit.",
}


def _planned(body: TripBody, trip_id: UUID, minimum: int) -> Trip:
    vehicle = Carrier(**body.vehicle.model_dump())
    wanted = body.minimum_load
    return Trip(
        trip_id=trip_id,
        destination_division_code=body.destination_division_code,
        city=city_of(body.destination_division_code),
        vehicle=vehicle,
        operator=body.operator,
        contract_number=body.contract_number,
        crew=tuple(body.crew),
        escort=body.escort or "",
        minimum_load=min(minimum, vehicle.licensed_capacity) if wanted is None else wanted,
        stops=_stops(body.stops),
    )


def _stops(stops: Sequence[StopBody]) -> tuple[Stop, ...]:
    return tuple(
        Stop.planned((s.place_code, s.division_code), s.arrives_at, s.departs_at) for s in stops
    )


def _said(trip: Trip) -> Answer:
    body = {"trip_id": trip.trip_id, "state": trip.state, "delay_minutes": trip.delay_minutes}
    return Answer(200, body)
