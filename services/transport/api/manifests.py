"""Manifests over HTTP: who sits where, without a name; publishing freezes a version."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.transport import views
from services.transport.api.caller import COORDINATOR, Caller, command, visible_trip
from services.transport.handlers import manifests
from shared.commands import Answer
from shared.problem import NotFound
from shared.transaction import Tx

router = APIRouter()


@router.get("/v1/trips/{trip_id}/manifest")
async def get_manifest(
    trip_id: UUID, caller: Caller, version: Annotated[int | None, Query(ge=1)] = None
) -> Response:
    """Give the manifest as it is now, or a published version of it (the bureau's only)."""

    async def view(tx: Tx) -> object:
        trip = await views.find_trip(tx, trip_id)
        if trip is None:
            raise NotFound
        if version is not None:
            frozen = await views.find_manifest(tx, trip_id, version)
            return None if frozen is None else {"trip_id": trip_id, **frozen}
        return {
            "trip_id": trip_id,
            "state": trip["state"],
            "version": trip["manifest_version"],
            "stops": trip["stops"],
            "vehicle": trip["vehicle"],
            "passengers": await views.list_passengers(tx, trip_id),
        }

    return await caller.query(view)


@router.post("/v1/trips/{trip_id}/manifest")
async def post_manifest(trip_id: UUID, caller: Caller) -> Response:
    """Publish the manifest: a version, frozen, with the difference to the last one."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        return Answer(201, await manifests.publish(tx, trip_id))

    return await command(caller, effect)
