"""`/inn`: who sleeps here tonight, check-in and check-out, rooms and beds night by night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from services.console.pages.doing import perform
from services.console.pages.forms import field
from services.console.pages.notice import Notice
from services.console.pages.people import mark, revealed
from services.console.pages.visit import PageRoute, Visit, Visitor
from shared.problem import NotFound
from shared.transaction import Tx

router = APIRouter(route_class=PageRoute)

NIGHTS: Final = 7
STAYS_MAX: Final = 200
_IN_A_BED: Final = ("held", "confirmed", "checked_in")
#: What the front desk does with a stay.
_STEPS: Final = {"confirmed": "stay.check-in", "checked_in": "stay.check-out"}


@dataclass(frozen=True, slots=True)
class Guest:
    """A line of tonight's list."""

    stay_id: str
    who: str
    phone: str
    room: str
    state: str
    gender: str
    until: date
    expected_at: str | None
    step: str | None


@router.get("/inn")
async def inn(visit: Visitor, on: date | None = None, inn_id: UUID | None = None) -> Response:
    """Show tonight's list without names, and the beds of the coming nights."""
    visit.require({"inn"}, {"coordinator"})
    return await _page(visit, on, inn_id)


@router.post("/inn")
async def inn_with_names(visit: Visitor) -> Response:
    """Show the list with names, for a purpose; first check in or out whom the form names."""
    visit.require({"inn"}, {"coordinator"})
    form = await visit.form()
    notice = await perform(visit, form) if form.get("do") else None
    inn_id, on = field(form, "inn_id", UUID), field(form, "on", date.fromisoformat)
    return await _page(visit, on, inn_id, field(form, "purpose", str), notice)


async def _page(
    visit: Visit, on: date | None, inn_id: UUID | None,
    purpose: str | None = None, notice: Notice | None = None,
) -> Response:  # fmt: skip
    inns = (await visit.ask("lodging", "/v1/inns", limit=STAYS_MAX))["items"]
    chosen = next((i for i in inns if inn_id is None or i["inn_id"] == str(inn_id)), None)
    if chosen is None:
        if inn_id is not None:
            raise NotFound
        return visit.page("inn.html", inn=None, inns=[], notice=notice)
    today = await visit.read(today_of)
    night = on or today
    place = f"/v1/inns/{chosen['inn_id']}"
    house = await visit.ask("lodging", place)
    stays = await _stays(visit, chosen["inn_id"])
    tonight = [s for s in stays if s["check_in_on"] <= night.isoformat() < s["check_out_on"]]
    leaving = [
        s for s in stays if s["check_out_on"] == night.isoformat() and s["state"] == "checked_in"
    ]
    scope = {"inn_id": chosen["inn_id"], "on": night.isoformat()}
    ids = [UUID(s["worker_id"]) for s in (*tonight, *leaving)]
    names = await revealed(visit, ids, purpose, scope) if purpose else {}
    return visit.page(
        "inn.html", inn=chosen, inns=inns, night=night, today=today,
        guests=[_guest(visit, s, names, today) for s in by_room(tonight)],
        leaving=[_guest(visit, s, names, today) for s in by_room(leaving)],
        nights=[night + timedelta(days=n) for n in range(NIGHTS)],
        rooms=_picture(house["rooms"], stays, night), purpose=purpose, notice=notice,
        key=str(visit.house.db.ids.uuid7()),
    )  # fmt: skip


async def today_of(tx: Tx) -> date:
    """Give the business date."""
    return tx.today


async def _stays(visit: Visit, inn_id: str) -> list[dict[str, Any]]:
    """Give all stays with a bed in the house from now on, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await visit.ask(
            "lodging", "/v1/stays", state=_IN_A_BED, inn_id=inn_id, limit=STAYS_MAX, cursor=cursor
        )
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def by_room(stays: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort stays as one walks through the house."""
    return sorted(stays, key=lambda s: (s["room"] or "", s["bed"] or "", s["stay_id"]))


def _guest(
    visit: Visit, stay: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], today: date
) -> Guest:
    worker = stay["worker_id"]
    shown = names.get(worker, {})
    return Guest(
        stay["stay_id"],
        shown.get("name") or visit.words("person.unnamed", mark=mark(worker)),
        shown.get("phone") or "",
        f"{stay['room'] or '—'} {stay['bed'] or ''}".strip(),
        stay["state"],
        stay["gender"],
        date.fromisoformat(stay["check_out_on"]),
        stay["expected_at"],
        _STEPS.get(stay["state"]) if stay["check_in_on"] <= today.isoformat() else None,
    )


def _picture(
    rooms: Sequence[Mapping[str, Any]], stays: Sequence[Mapping[str, Any]], first: date
) -> list[dict[str, Any]]:
    """Give each room with its beds, and of each bed what it is on each of the coming nights."""
    nights = [(first + timedelta(days=n)).isoformat() for n in range(NIGHTS)]
    taken: dict[tuple[str, str], Mapping[str, Any]] = {
        (s["bed_id"], night): s
        for s in stays
        for night in nights
        if s["bed_id"] and s["check_in_on"] <= night < s["check_out_on"]
    }
    return [
        {
            "room": room["room"],
            "beds": [
                {"bed": bed["bed"], "cells": [taken.get((bed["bed_id"], n)) for n in nights]}
                for bed in room["beds"]
            ],
        }
        for room in rooms
    ]
