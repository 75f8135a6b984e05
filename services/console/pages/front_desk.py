"""`/inn/{id}/desk`: check-in on the front desk's phone, also where there is no network."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel

from services.console.pages import offline
from services.console.pages.inn import STAYS_MAX, by_room, today_of
from services.console.pages.offline import Key, Taking, handed, names_for, person, prove, taken
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.views.tickets import load_tickets
from shared.clock import SHANGHAI

router = APIRouter()
page = APIRouter(route_class=PageRoute)

#: Tonight ends at the next day's noon.
NIGHT_ENDS: Final = time(12)
_TICKET_DIGITS: Final = 32


class CheckIn(BaseModel):
    """A guest who came, maybe hours ago."""

    stay_id: UUID
    at: AwareDatetime


@page.get("/inn/{inn_id}/desk")
async def desk_page(inn_id: UUID, visit: Visitor) -> Response:
    """Show the page itself, without anybody on it."""
    visit.require({"inn"}, {"coordinator"})
    inn = await visit.ask("lodging", f"/v1/inns/{inn_id}")
    return offline.shell(visit, "front_desk.html", inn=inn)


@router.post("/inn/{inn_id}/desk/list")
async def take_list(inn_id: UUID, taking: Taking, visit: Visitor) -> Response:
    """Give tonight's guests who have not come yet, and nobody else, to take along."""
    prove(visit)
    visit.require({"inn"}, {"coordinator"})
    tonight = await visit.read(today_of)
    stays = await _awaited(visit, inn_id, tonight.isoformat())
    ids = [UUID(s["worker_id"]) for s in stays]
    scope = {"inn_id": str(inn_id), "on": tonight.isoformat()}
    names = await names_for(visit, ids, taking.purpose, scope)
    tickets = await visit.read(lambda tx: load_tickets(tx, [UUID(s["stay_id"]) for s in stays]))
    people = [
        _guest(s, tickets) | person(visit, n, s["worker_id"], names)
        for n, s in enumerate(stays, start=1)
    ]
    ends_at = datetime.combine(tonight + timedelta(days=1), NIGHT_ENDS, SHANGHAI)
    return handed(await taken(visit, people, ends_at))


async def _awaited(visit: Visit, inn_id: UUID, night: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        part = await visit.ask(
            "lodging", "/v1/stays", state=("confirmed",), inn_id=inn_id, on=night,
            limit=STAYS_MAX, cursor=cursor,
        )  # fmt: skip
        found += part["items"]
        cursor = part["next_cursor"]
        if cursor is None:
            return by_room(found)


def _guest(stay: Mapping[str, Any], tickets: Mapping[str, list[str]]) -> dict[str, Any]:
    """Give a guest; a coach ticket is known by its digest only: the inn has no bookings."""
    return {
        "id": stay["stay_id"],
        "room": f"{stay['room'] or '—'} {stay['bed'] or ''}".strip(),
        "state": stay["state"],
        "tickets": [ticket_digest(t) for t in tickets.get(stay["stay_id"], [])],
    }


def ticket_digest(booking_id: str) -> str:
    """Give what stands for a coach ticket: its booking's id, digested as the page does."""
    return sha256(UUID(booking_id).hex.encode()).hexdigest()[:_TICKET_DIGITS]


@router.post("/inn/desk/check-ins")
async def tell_check_in(guest: CheckIn, visit: Visitor, key: Key) -> Response:
    """Tell of a check-in, with the time at which it was; told twice it counts once."""
    prove(visit)
    visit.require({"inn"}, {"coordinator"})
    path = f"/v1/stays/{guest.stay_id}/check-in"
    answer = await offline.told(visit, "lodging", path, {"at": guest.at.isoformat()}, key)
    return JSONResponse(answer if "accepted" in answer else {"accepted": True})
