"""Plans over HTTP: which vehicles at hand take whom of the pool, and over which stops."""

from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field, model_validator

from contracts.fields import Body, DivisionCode, PlaceCode
from contracts.reference import city_of, station_of
from contracts.transport import VehicleKind
from services.transport import views
from services.transport.api.bodies import PASSENGERS_MAX, STOPS_MAX
from services.transport.api.caller import COORDINATOR, Caller
from services.transport.domain.itinerary import BOARDING
from services.transport.domain.trip import civil_date, midnight
from services.transport.domain.window import Window
from services.transport.planning import Fleet, Plan, Planned, Planner, Rider, Run, Task
from services.transport.planning.demand import parties_of
from shared.commands import rendered

if TYPE_CHECKING:
    from asyncpg import Record

router = APIRouter()

VEHICLES_MAX: Final = 200
SECONDS_MAX: Final = 20.0


class FleetBody(Body):
    """Vehicles of one kind at hand, with the drivers each one has."""

    kind: VehicleKind = "coach"
    licensed_capacity: int = Field(ge=1, le=PASSENGERS_MAX)
    count: int = Field(1, ge=1, le=VEHICLES_MAX)
    drivers: int = Field(2, ge=1, le=4)


class WindowBody(Body):
    """When people board at a place, the whole of the boarding; absent: no limit on that side."""

    place_code: PlaceCode
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _possible(self) -> "WindowBody":
        if self.opens_at and self.closes_at and self.closes_at < self.opens_at + BOARDING:
            raise ValueError("times_out_of_order")
        return self


class PlanBody(Body):
    """What to plan: the pool of a destination, to arrive by a moment, before work starts.

    Everybody leaves on or after `available_from` and arrives before the day of `starts_on`.
    """

    destination_division_code: DivisionCode
    destination_place_code: PlaceCode | None = None
    depart_from: AwareDatetime
    arrive_by: AwareDatetime
    vehicles: list[FleetBody] = Field(min_length=1, max_length=20)
    minimum_load: int = Field(20, ge=0, le=PASSENGERS_MAX)
    seconds_max: float = Field(8.0, ge=1.0, le=SECONDS_MAX)
    windows: list[WindowBody] = Field(default_factory=list, max_length=STOPS_MAX)

    @model_validator(mode="after")
    def _possible(self) -> "PlanBody":
        if self.depart_from >= self.arrive_by:
            raise ValueError("times_out_of_order")
        if sum(v.count for v in self.vehicles) > VEHICLES_MAX:
            raise ValueError("too_many")
        if len({w.place_code for w in self.windows}) < len(self.windows):
            raise ValueError("stop_twice")
        return self


@router.post("/v1/plans")
async def post_plan(body: PlanBody, caller: Caller) -> Response:
    """Plan the waiting pool; nothing is kept: each run can be scheduled as a trip as it stands."""
    caller.require(roles=COORDINATOR)
    where = views.PoolFilter(
        city_of(body.destination_division_code),
        civil_date(body.depart_from),
        civil_date(body.arrive_by),
    )
    db = caller.house.db
    async with db.transaction(role="api", identity=caller.identity, read_only=True) as tx:
        waiting = [_rider(r, body) for r in await views.list_pool(tx, where)]
    planned = await caller.resource(Planner).plan(_task(body, waiting))
    return Response(rendered(_answer(planned)), media_type="application/json")


def _rider(row: "Record", body: PlanBody) -> Rider:
    """Give who waits; days that the plan's own moments keep anyway limit nothing."""
    place = row["place_code"], row["division_code"]
    first, last = midnight(row["available_from"]), midnight(row["starts_on"])
    days = first if first > body.depart_from else None, last if last <= body.arrive_by else None
    return Rider(row["booking_id"], row["group_id"], place, days)


def _task(body: PlanBody, waiting: list[Rider]) -> Task:
    division = body.destination_division_code
    place = body.destination_place_code or station_of(division) or f"{division}-00"
    return Task(
        parties_of(waiting),
        [Fleet(v.kind, v.licensed_capacity, v.count, v.drivers) for v in body.vehicles],
        (place, division),
        body.depart_from,
        body.arrive_by,
        body.minimum_load,
        body.seconds_max,
        {w.place_code: Window(w.opens_at, w.closes_at) for w in body.windows},
    )


def _answer(planned: Planned) -> dict[str, object]:
    plan = planned.plan
    refused = any(r.itinerary and r.itinerary.breaches for r in plan.runs)
    nobody = bool(plan.missed) and not plan.runs
    return {
        "state": "refused" if refused or nobody else "proposed",
        "runs": [_run(r) for r in plan.runs],
        "unserved": _unserved(plan),
        "missed": [
            {"stop": m.stop, "rule": m.rule, "booking_ids": ids} for m, ids in plan.missed.items()
        ],
        "totals": _totals(plan),
        "county_by_county": _totals(planned.by_hand),
    }


def _run(run: Run) -> dict[str, object]:
    itinerary = run.itinerary
    return {
        "vehicle": {
            "kind": run.vehicle.kind,
            "licensed_capacity": run.vehicle.licensed_capacity,
            "drivers": run.vehicle.drivers,
        },
        "load": run.load,
        "booking_ids": [b for p in run.parties for b in p.booking_ids],
        "waiting_minutes": run.waiting_minutes,
        "stops": [
            {
                "place_code": v.place_code,
                "division_code": v.division_code,
                "arrives_at": _utc(v.arrives_at),
                "departs_at": _utc(v.departs_at),
            }
            for v in (itinerary.stops if itinerary else ())
        ],
        "refused": [
            {"leg": b.leg, "rule": b.rule} for b in (itinerary.breaches if itinerary else ())
        ],
    }


def _utc(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _unserved(plan: Plan) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for booking_id, reason in plan.unserved.items():
        found.setdefault(reason, []).append(booking_id)
    return found


def _totals(plan: Plan) -> dict[str, int]:
    return {
        "vehicles": len(plan.runs),
        "seated": sum(r.load for r in plan.runs),
        "unserved": len(plan.unserved),
        "waiting_minutes": plan.waiting_minutes,
    }
