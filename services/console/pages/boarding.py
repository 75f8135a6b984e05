"""`/trips/{id}/boarding`: boarding on an escort's phone, also where there is no network."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field

from services.console.pages import offline
from services.console.pages.figures import moment
from services.console.pages.offline import Key, Taking, handed, names_for, person, prove, taken
from services.console.pages.trips import ABOARD, speech_of
from services.console.pages.visit import PageRoute, Visit, Visitor

router = APIRouter()
page = APIRouter(route_class=PageRoute)

#: So long after its last stop a trip's list is of no more use.
KEPT_AFTER_ARRIVAL: Final = timedelta(hours=12)


class Scan(BaseModel):
    """A passenger that was checked, maybe long ago."""

    scan_id: UUID
    booking_id: UUID
    scanned_at: AwareDatetime
    stop: str = Field(max_length=20)
    ticket: str | None = Field(None, max_length=200)


@page.get("/trips/{trip_id}/boarding")
async def boarding_page(trip_id: UUID, visit: Visitor) -> Response:
    """Show the page itself, without anybody on it."""
    visit.require(roles=ABOARD)
    trip = await visit.ask("transport", f"/v1/trips/{trip_id}")
    stops = [s["place_code"] for s in trip["stops"] if s.get("departs_at")]
    speech = speech_of(visit)
    return offline.shell(
        visit, "boarding.html", trip=trip, stops=stops, route=speech.route, place=speech.place
    )


@router.post("/trips/{trip_id}/boarding/list")
async def take_list(trip_id: UUID, taking: Taking, visit: Visitor) -> Response:
    """Give the passengers of this trip to take along."""
    prove(visit)
    visit.require(roles=ABOARD)
    manifest = await visit.ask("transport", f"/v1/trips/{trip_id}/manifest")
    lines = manifest["passengers"]
    ids = [UUID(b["worker_id"]) for b in lines]
    names = await names_for(visit, ids, taking.purpose, {"trip_id": str(trip_id)})
    people = [_passenger(visit, n, b, names) for n, b in enumerate(lines, start=1)]
    stops = [_stop(visit, s) for s in manifest["stops"] if s.get("departs_at")]
    return handed(await taken(visit, people, _ends(manifest)) | {"stops": stops})


def _ends(manifest: Mapping[str, Any]) -> datetime | None:
    arrives = manifest["stops"][-1].get("arrives_at")
    return datetime.fromisoformat(arrives) + KEPT_AFTER_ARRIVAL if arrives else None


def _passenger(
    visit: Visit, number: int, booking: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    return person(visit, number, booking["worker_id"], names) | {
        "id": booking["booking_id"],
        "stop": booking.get("board_stop") or "",
        "state": booking["state"],
    }


def _stop(visit: Visit, stop: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "code": stop["place_code"],
        "name": str(speech_of(visit).place(stop["place_code"])),
        "departs": moment(stop["departs_at"], visit.locale),
        "done": bool(stop.get("synced_at")),
    }


@router.post("/trips/{trip_id}/boarding/scans")
async def tell_scan(trip_id: UUID, scan: Scan, visit: Visitor, key: Key) -> Response:
    """Tell of one scan, with the time at which it was made; told twice it counts once."""
    prove(visit)
    visit.require(roles=ABOARD)
    path = f"/v1/trips/{trip_id}/boarding-scans"
    body = [scan.model_dump(mode="json", exclude_none=True)]
    answer = await offline.told(visit, "transport", path, body, key)
    return JSONResponse(_scanned(visit, answer))


def _scanned(visit: Visit, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the answer of the one scan that was told; a wrong bus names the right one."""
    if "items" not in answer:
        return answer
    item = answer["items"][0]
    if item["accepted"]:
        return {"accepted": True}
    found = offline.refused(visit, item["result"], item["detail"])
    elsewhere = item.get("expected_trip_id")
    return found | {"go": f"/trips/{elsewhere}/boarding"} if elsewhere else found


@router.post("/trips/{trip_id}/boarding/stops/{place_code}")
async def tell_stop(trip_id: UUID, place_code: str, visit: Visitor, key: Key) -> Response:
    """Tell that everyone of a stop was checked; it comes after the scans of that stop."""
    prove(visit)
    visit.require(roles=ABOARD)
    path = f"/v1/trips/{trip_id}/stops/{place_code}/synced"
    answer = await offline.told(visit, "transport", path, {}, key)
    return JSONResponse(answer if "accepted" in answer else {"accepted": True})
