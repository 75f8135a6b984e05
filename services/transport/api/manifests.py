"""Manifests over HTTP: who sits where, without a name; publishing freezes a version."""

import asyncio
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.transport import views
from services.transport.api.caller import ABOARD, COORDINATOR, Caller, command, visible_trip
from services.transport.handlers import manifests
from services.transport.printing import Names, Sheet, as_pdf, as_workbook
from services.transport.printing.sheet import Stamp
from services.transport.settings import TransportSettings
from services.transport.store.manifests import load_ticket_key
from shared.commands import Answer
from shared.http import Call
from shared.problem import NotFound
from shared.transaction import Tx

router = APIRouter()

PDF: Final = "application/pdf"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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


@router.get("/v1/trips/{trip_id}/manifest.xlsx")
async def get_workbook(trip_id: UUID, caller: Caller) -> Response:
    """Print the manifest as a workbook, with the names that the caller may see."""
    sheet = await _printed(trip_id, caller)
    return _file(await asyncio.to_thread(as_workbook, sheet), "xlsx", XLSX)


@router.get("/v1/trips/{trip_id}/manifest.pdf")
async def get_pdf(trip_id: UUID, caller: Caller) -> Response:
    """Print the manifest on A4, a signed ticket for each passenger."""
    sheet = await _printed(trip_id, caller)
    settings = caller.house.settings
    fonts = settings.font_dir if isinstance(settings, TransportSettings) else None
    return _file(await asyncio.to_thread(as_pdf, sheet, fonts), "pdf", PDF)


async def _printed(trip_id: UUID, caller: Call) -> Sheet:
    """Put a sheet together; no transaction is open while the registry is asked."""
    caller.require(tenant_kinds={"office", "enterprise"}, roles=ABOARD)
    db = caller.house.db
    async with db.transaction(role="api", identity=caller.identity, read_only=True) as tx:
        trip = await views.find_trip(tx, trip_id)
        if trip is None:
            raise NotFound
        passengers = await views.list_passengers(tx, trip_id)
        await tx.as_worker()
        stamp = Stamp(tx.now, await load_ticket_key(tx))
    authorization = caller.request.headers.get("authorization", "")
    ids = [p["worker_id"] for p in passengers]
    persons = await caller.resource(Names).of(trip_id, ids, authorization)
    return Sheet.of(dict(trip), [dict(p) for p in passengers], persons, stamp)


def _file(content: bytes, ending: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="manifest.{ending}"'}
    return Response(content, media_type=media_type, headers=headers)


@router.post("/v1/trips/{trip_id}/manifest", status_code=201)
async def post_manifest(trip_id: UUID, caller: Caller) -> Response:
    """Publish the manifest: a version, frozen, with the difference to the last one."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        return Answer(201, await manifests.publish(tx, trip_id))

    return await command(caller, effect)
