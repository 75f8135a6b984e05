"""Vehicles over HTTP: the bureau's coordinators keep them."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from services.transport import views
from services.transport.api.bodies import VehicleBody
from services.transport.api.caller import COORDINATOR, Caller, page_of
from services.transport.store.vehicles import (
    Vehicle,
    delete_vehicle,
    insert_vehicle,
    update_vehicle,
)
from shared.commands import Answer
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, page
from shared.problem import NotFound, Problem
from shared.transaction import Tx

router = APIRouter()


@router.post("/v1/vehicles", status_code=201)
async def post_vehicle(body: VehicleBody, caller: Caller) -> Response:
    """Add a vehicle; 409 `plate_known` when there is one with that plate."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        vehicle = Vehicle(tx.ids.uuid7(), **body.model_dump())
        await tx.as_worker()
        if not await insert_vehicle(tx, vehicle):
            raise _known()
        return Answer(201, {"vehicle_id": vehicle.vehicle_id, "state": "active"})

    return await caller.command(effect)


@router.get("/v1/vehicles")
async def get_vehicles(
    caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List the vehicles that the caller sees."""
    where = page_of(limit, cursor)

    async def view(tx: Tx) -> object:
        return page(await views.list_vehicles(tx, where), limit, "vehicle_id")

    return await caller.query(view)


@router.get("/v1/vehicles/{vehicle_id}")
async def get_vehicle(vehicle_id: UUID, caller: Caller) -> Response:
    """Give a vehicle."""
    return await caller.query(partial(views.find_vehicle, vehicle_id=vehicle_id))


@router.put("/v1/vehicles/{vehicle_id}")
async def put_vehicle(vehicle_id: UUID, body: VehicleBody, caller: Caller) -> Response:
    """Write the whole of a vehicle; trips keep what they were planned with."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        await _found(tx, vehicle_id)
        if not await update_vehicle(tx, Vehicle(vehicle_id, **body.model_dump())):
            raise _known()
        return Answer(200, {"vehicle_id": vehicle_id, "state": "active"})

    return await caller.command(effect)


@router.delete("/v1/vehicles/{vehicle_id}")
async def remove_vehicle(vehicle_id: UUID, caller: Caller) -> Response:
    """Forget a vehicle."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        await _found(tx, vehicle_id)
        await delete_vehicle(tx, vehicle_id)
        return Answer(200, {"vehicle_id": vehicle_id, "state": "deleted"})

    return await caller.command(effect)


async def _found(tx: Tx, vehicle_id: UUID) -> None:
    if await views.find_vehicle(tx, vehicle_id) is None:
        raise NotFound
    await tx.as_worker()


def _known() -> Problem:
    return Problem(409, "plate_known", "车牌号已登记。There is a vehicle with this plate.")
