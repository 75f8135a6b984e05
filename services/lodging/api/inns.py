"""Inns, their occupancy, and beds out of service."""

from datetime import date, timedelta
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.lodging.api.bodies import ClosureBody, InnBody
from services.lodging.api.caller import COORDINATOR, INN, Caller, invalid
from services.lodging.domain.calendar import Nights
from services.lodging.handlers.inns import close_beds, open_inn, reopen_bed
from services.lodging.store.houses import Closure, NewInn, NewRoom
from services.lodging.views import inns as views
from shared.commands import Answer
from shared.http import Call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit
from shared.problem import NotFound
from shared.transaction import Tx

router = APIRouter()

OCCUPANCY_DAYS_MAX: Final = 400
# An open-ended period ends on a day that nobody books.
NO_END: Final = date(2199, 12, 31)
REASONS: Final = frozenset({"repair", "cleaning", "renovation", "contract_ended", "other"})
_TWICE: Final = "名称重复。The name occurs twice."


@router.post("/v1/inns", status_code=201)
async def post_inn(body: InnBody, caller: Caller) -> Response:
    """Open an inn with its rooms and beds; its id may be the client's own."""
    caller.require(roles=COORDINATOR)
    names = [room.room for room in body.rooms]
    if len(set(names)) != len(names):
        raise invalid("/rooms", "duplicate", _TWICE)
    for n, room in enumerate(body.rooms):
        if len(set(room.beds)) != len(room.beds):
            raise invalid(f"/rooms/{n}/beds", "duplicate", _TWICE)
    return await caller.command(partial(_post_inn, body))


async def _post_inn(body: InnBody, tx: Tx) -> Answer:
    await tx.as_worker()
    rooms = tuple(NewRoom(r.room, tuple(r.beds)) for r in body.rooms)
    inn_id = body.inn_id or tx.ids.uuid7()
    inn = NewInn(inn_id, body.name, body.town, body.division_code, tuple(body.programmes), rooms)
    await open_inn(tx, inn)
    beds = sum(len(r.beds) for r in rooms)
    return Answer(201, {"inn_id": inn_id, "state": "open", "bed_count": beds})


@router.get("/v1/inns")
async def get_inns(caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
    """List inns; an inn sees its own houses."""
    return await caller.query(lambda tx: views.list_inns(tx, limit, cursor))


@router.get("/v1/inns/{inn_id}")
async def get_inn(inn_id: UUID, caller: Caller) -> Response:
    """Show an inn with its rooms and beds."""
    return await caller.query(lambda tx: views.find_inn(tx, inn_id))


@router.get("/v1/inns/{inn_id}/occupancy")
async def get_occupancy(
    inn_id: UUID,
    since: Annotated[date, Query(alias="from")],
    until: Annotated[date, Query(alias="to")],
    caller: Caller,
) -> Response:
    """Count beds and guests for each night from `from` to the day before `to`."""
    _require_house(caller, inn_id, reading=True)
    if not timedelta(0) < until - since <= timedelta(days=OCCUPANCY_DAYS_MAX):
        raise invalid("/to", "out_of_range", "日期范围有误。The range of dates is wrong.")
    return await caller.query(lambda tx: views.find_occupancy(tx, inn_id, since, until))


@router.post("/v1/inns/{inn_id}/out-of-service", status_code=201)
async def post_closure(inn_id: UUID, body: ClosureBody, caller: Caller) -> Response:
    """Take beds out of service; their guests move by rule."""
    _require_house(caller, inn_id)
    if body.to_on is not None and body.to_on <= body.from_on:
        raise invalid("/to", "out_of_range", "止日须晚于起日。It ends before it begins.")
    return await caller.command(partial(_post_closure, inn_id, body))


async def _post_closure(inn_id: UUID, body: ClosureBody, tx: Tx) -> Answer:
    if await views.find_inn(tx, inn_id) is None:
        raise NotFound
    await tx.as_worker()
    nights = Nights(body.from_on, body.to_on or NO_END)
    reason = body.reason if body.reason in REASONS else "other"
    closure = Closure(inn_id, tuple(dict.fromkeys(body.bed_ids)), nights, reason)
    periods = await close_beds(tx, closure, body.to_on)
    return Answer(201, {"period_ids": periods, "state": "out_of_service"})


@router.post("/v1/inns/{inn_id}/out-of-service/{period_id}/end")
async def end_closure(inn_id: UUID, period_id: UUID, caller: Caller) -> Response:
    """Put a bed back into service."""
    _require_house(caller, inn_id)
    return await caller.command(partial(_end_closure, inn_id, period_id))


async def _end_closure(inn_id: UUID, period_id: UUID, tx: Tx) -> Answer:
    if await views.find_inn(tx, inn_id) is None:
        raise NotFound
    await tx.as_worker()
    await reopen_bed(tx, inn_id, period_id)
    return Answer(200, {"period_id": period_id, "state": "in_service"})


def _require_house(caller: Call, inn_id: UUID, *, reading: bool = False) -> None:
    """Let an inn at its own houses only: others aren't there for it."""
    if reading and caller.identity.tenant_kind in {"bureau", "auditor"}:
        return
    caller.require(tenant_kinds=INN, roles=COORDINATOR)
    if caller.identity.tenant_kind == "inn" and inn_id not in caller.identity.inn_ids:
        raise NotFound
