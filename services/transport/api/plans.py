"""Plans over HTTP: which vehicles at hand take whom of the pool, and over which stops."""

from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field, model_validator

from contracts.fields import DivisionCode, PlaceCode
from contracts.reference import city_of, station_of
from contracts.transport import VehicleKind
from services.transport import views
from services.transport.api.bodies import PASSENGERS_MAX, Body
from services.transport.api.caller import COORDINATOR, Caller
from services.transport.domain.trip import civil_date
from services.transport.planning import Fleet, Plan, Planned, Planner, Run, Task
from services.transport.planning.demand import parties_of
from shared.commands import rendered
from shared.transaction import Tx

router = APIRouter()

VEHICLES_MAX: Final = 200
SECONDS_MAX: Final = 20.0


class FleetBody(Body):
    """Vehicles of one kind at hand, with the drivers each one has."""

    kind: VehicleKind = "coach"
    licensed_capacity: int = Field(ge=1, le=PASSENGERS_MAX)
    count: int = Field(1, ge=1, le=VEHICLES_MAX)
    drivers: int = Field(2, ge=1, le=4)


class PlanBody(Body):
    """What to plan: the pool of a destination, to arrive by a moment, before work starts."""

    destination_division_code: DivisionCode
    destination_place_code: PlaceCode | None = None
    depart_from: AwareDatetime
    arrive_by: AwareDatetime
    vehicles: list[FleetBody] = Field(min_length=1, max_length=20)
    minimum_load: int = Field(20, ge=0, le=PASSENGERS_MAX)
    seconds_max: float = Field(8.0, ge=1.0, le=SECONDS_MAX)

    @model_validator(mode="after")
    def _possible(self) -> "PlanBody":
        if self.depart_from >= self.arrive_by:
            raise ValueError("times_out_of_order")
        if sum(v.count for v in self.vehicles) > VEHICLES_MAX:
            raise ValueError("too_many")
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
        waiting = await _waiting(tx, where)
    planned = await caller.resource(Planner).plan(_task(body, waiting))
    return Response(rendered(_answer(planned)), media_type="application/json")


async def _waiting(
    tx: Tx, where: views.PoolFilter
) -> list[tuple[UUID, UUID | None, tuple[str, str]]]:
    rows = await views.list_pool(tx, where)
    return [(r["booking_id"], r["group_id"], (r["place_code"], r["division_code"])) for r in rows]


def _task(body: PlanBody, waiting: list[tuple[UUID, UUID | None, tuple[str, str]]]) -> Task:
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
    )


def _answer(planned: Planned) -> dict[str, object]:
    plan = planned.plan
    refused = [r for r in plan.runs if r.itinerary and r.itinerary.breaches]
    return {
        "state": "refused" if refused else "proposed",
        "runs": [_run(r) for r in plan.runs],
        "unserved": _unserved(plan),
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
