"""`/trips`: each trip with its manifest, boarding on a phone, hand-over, and lists to print."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from starlette.datastructures import FormData

from contracts.reference import place
from services.console.domain.reasons import TROUBLES
from services.console.pages.forms import field
from services.console.pages.notice import Notice
from services.console.pages.people import mark, masked_names, revealed
from services.console.pages.rosters import handed_out
from services.console.pages.speech import Speech
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.views.names import Names
from shared.problem import Problem
from shared.transaction import Tx

router = APIRouter(route_class=PageRoute)

TRIPS_MAX: Final = 200
OUTCOMES: Final = ("received", "not_arrived", "left_early")
_READERS: Final = frozenset({"office", "enterprise", "auditor"})
_ROLES: Final = frozenset({"coordinator", "escort", "admin"})
ABOARD: Final = frozenset({"coordinator", "escort"})
_LIVE: Final = frozenset({"scheduled", "open", "departed", "arrived"})
#: What a coordinator may do with a trip in which state.
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "scheduled": ("trip.open", "trip.cancel"),
    "open": ("trip.depart", "trip.delay", "trip.publish", "trip.cancel"),
    "departed": ("trip.arrive", "trip.delay"),
    "arrived": ("trip.close",),
}


@dataclass(frozen=True, slots=True)
class Passenger:
    """A line of a manifest."""

    booking_id: str
    who: str
    phone: str
    state: str
    outcome: str | None
    stop: str
    journey_id: str | None


@router.get("/trips")
async def trips(visit: Visitor) -> Response:
    """List the trips that the visitor has somebody on, those under way first."""
    visit.require(_READERS, _ROLES)
    found = (await visit.ask("transport", "/v1/trips", limit=TRIPS_MAX))["items"]
    found.sort(key=lambda t: (t["state"] not in _LIVE, _leaves(t)))
    return visit.page("trips.html", trips=found, route=speech_of(visit).route, live=_LIVE)


def _leaves(trip: Mapping[str, Any]) -> str:
    return str(trip["stops"][0].get("departs_at") or "")


def speech_of(visit: Visit) -> Speech:
    """Give what says places and routes; it needs nobody's name."""
    return Speech(visit.words, Names({}, {}, {}))


@router.get("/trips/{trip_id}")
async def trip_page(trip_id: UUID, visit: Visitor) -> Response:
    """Show a trip and who is on it, masked."""
    visit.require(_READERS, _ROLES)
    return await _trip(visit, trip_id, None)


@router.post("/trips/{trip_id}")
async def trip_with_names(trip_id: UUID, visit: Visitor) -> Response:
    """Show a trip with names, for a purpose that was given; first board whom the form ticks."""
    visit.require({"office", "enterprise"}, ABOARD)
    form = await visit.form()
    notice = None
    if form.get("do") == "board":
        notice = await _board(visit, trip_id, form)
    return await _trip(visit, trip_id, field(form, "purpose", str), notice)


async def _trip(
    visit: Visit, trip_id: UUID, purpose: str | None, notice: Notice | None = None
) -> Response:
    trip = await visit.ask("transport", f"/v1/trips/{trip_id}")
    manifest = await visit.ask("transport", f"/v1/trips/{trip_id}/manifest")
    bookings = manifest["passengers"]
    ids = [UUID(b["worker_id"]) for b in bookings]
    shown = await revealed(visit, ids, purpose, {"trip_id": str(trip_id)}) if purpose else {}
    masked = {} if purpose else await masked_names(visit, ids)
    passengers = [_passenger(visit, b, shown.get(b["worker_id"], {}), masked) for b in bookings]
    return visit.page(
        "trip.html", trip=trip, passengers=passengers, purpose=purpose, notice=notice,
        route=speech_of(visit).route, place=speech_of(visit).place, outcomes=OUTCOMES,
        steps=STEPS.get(trip["state"], ()) if visit.may(roles={"coordinator"}) else (),
        may_board=visit.may(roles=ABOARD) and trip["state"] in {"open", "departed"},
        may_hand_over=visit.may({"enterprise"}, {"coordinator"})
        and trip["state"] in {"departed", "arrived"},
        may_print=visit.may({"office", "enterprise"}, ABOARD), troubles=TROUBLES,
        key=str(visit.house.db.ids.uuid7()),
    )  # fmt: skip


def _passenger(
    visit: Visit, booking: Mapping[str, Any], shown: Mapping[str, str], masked: Mapping[str, str]
) -> Passenger:
    worker = booking["worker_id"]
    name = shown.get("name") or masked.get(worker)
    return Passenger(
        booking["booking_id"],
        name or visit.words("person.unnamed", mark=mark(worker)),
        shown.get("phone") or "",
        booking["state"],
        booking.get("outcome"),
        booking.get("board_stop") or "",
        booking.get("nomination_id"),
    )


async def _board(visit: Visit, trip_id: UUID, form: FormData) -> Notice:
    """Send a scan for each passenger that was ticked; sent twice it counts once."""
    now = await visit.read(_now)
    key = field(form, "key", UUID) or visit.house.db.ids.uuid7()
    scans = []
    for one in form.getlist("id"):
        booking_id, _, stop = str(one).partition(" ")
        scan_id = uuid.uuid5(key, booking_id)
        scans.append({
            "scan_id": str(scan_id), "booking_id": booking_id, "scanned_at": now.isoformat(),
            "stop": stop,
        })  # fmt: skip
    if not scans:
        return Notice("failed", visit.words("doing.nothing_chosen"))
    path = f"/v1/trips/{trip_id}/boarding-scans"
    try:
        answer = await visit.desk.tell("transport", visit.identity, path, scans)
    except Problem as problem:
        return Notice("failed", visit.words.said(problem.detail))
    refused = [visit.words.said(i["detail"]) for i in answer["items"] if not i["accepted"]]
    kind: Literal["done", "failed"] = "failed" if refused else "done"
    text = visit.words("trip.boarded_n", n=len(scans) - len(refused))
    return Notice(kind, " ".join([text, *dict.fromkeys(refused)]))


async def _now(tx: Tx) -> datetime:
    return tx.now


def _place_code(text: str) -> str:
    if place(text) is None:
        raise ValueError(text)
    return text


@router.post("/trips/{trip_id}/stops")
async def synced(trip_id: UUID, visit: Visitor) -> Response:
    """Say that everyone of a stop was checked: who wasn't there is declared missing after grace."""
    visit.require(roles=ABOARD)
    form = await visit.form()
    stop = field(form, "stop", _place_code)
    if stop is None:
        return visit.go(f"/trips/{trip_id}")
    path = f"/v1/trips/{trip_id}/stops/{stop}/synced"
    return await _told(visit, trip_id, path, {}, "trip.synced")


@router.post("/trips/{trip_id}/handovers")
async def hand_over(trip_id: UUID, visit: Visitor) -> Response:
    """Say how passengers were received."""
    visit.require({"enterprise"}, {"coordinator"})
    form = await visit.form()
    told = [
        {"booking_id": name.removeprefix("outcome."), "outcome": str(value)}
        for name, value in form.multi_items()
        if name.startswith("outcome.") and value in OUTCOMES
    ]
    if not told:
        return visit.go(f"/trips/{trip_id}", Notice("failed", visit.words("trip.no_outcome")))
    path = f"/v1/trips/{trip_id}/handovers"
    return await _told(visit, trip_id, path, told, "trip.handed_over")


async def _told(visit: Visit, trip_id: UUID, path: str, body: object, good: str) -> Response:
    try:
        await visit.desk.tell("transport", visit.identity, path, body)
    except Problem as problem:
        notice = Notice("failed", visit.words.said(problem.detail))
    else:
        notice = Notice("done", visit.words(good))
    return visit.go(f"/trips/{trip_id}", notice)


@router.get("/trips/{trip_id}/manifest.{ending}")
async def printed(trip_id: UUID, ending: Literal["pdf", "xlsx"], visit: Visitor) -> Response:
    """Hand out the manifest to print, with the names that the visitor may see."""
    return await handed_out(visit, "transport", f"/v1/trips/{trip_id}/manifest.{ending}")
