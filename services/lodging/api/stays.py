"""Stays: lists, and what people do with them."""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.lodging.api.bodies import AtBody, ExtendBody, MoveBody, NextHomeBody, ReasonBody
from services.lodging.api.caller import COORDINATOR, ENTERPRISE, INN, Caller
from services.lodging.domain.stay import State, Stay
from services.lodging.handlers import guests
from services.lodging.store.houses import load_bed_places
from services.lodging.store.stays import find_stay
from services.lodging.views import stays as views
from services.lodging.views.stays import StayFilter
from shared.commands import Answer
from shared.http import Call
from shared.paging import LIMIT_DEFAULT, LIMIT_MAX
from shared.problem import NotFound
from shared.transaction import Tx

router = APIRouter()


class StayQuery(BaseModel):
    """Which stays to list; several states may be named."""

    worker_id: UUID | None = None
    placement_id: UUID | None = None
    inn_id: UUID | None = None
    stay_request_id: UUID | None = None
    enterprise_id: UUID | None = None
    on: date | None = None
    state: list[State] = Field(default_factory=list)
    limit: int = Field(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
    cursor: str | None = Field(None, max_length=500)


@router.get("/v1/stays")
async def get_stays(caller: Caller, wanted: Annotated[StayQuery, Query()]) -> Response:
    """List stays; `inn_id` and `on` give an inn's list for a night."""
    which = StayFilter(
        wanted.worker_id,
        wanted.placement_id,
        wanted.inn_id,
        wanted.stay_request_id,
        wanted.enterprise_id,
        wanted.on,
        tuple(wanted.state),
    )
    return await caller.query(lambda tx: views.list_stays(tx, which, wanted.limit, wanted.cursor))


@router.get("/v1/stays/{stay_id}")
async def get_stay(stay_id: UUID, caller: Caller) -> Response:
    """Show a stay, and why it was decided so."""
    return await caller.query(lambda tx: views.find_stay(tx, stay_id))


@router.post("/v1/stays/{stay_id}/confirm")
async def confirm(stay_id: UUID, caller: Caller) -> Response:
    """Confirm a hold; one that today's rules refuse is released, and the answer names the rule."""
    caller.require(tenant_kinds=ENTERPRISE, roles=COORDINATOR)
    return await _act(caller, stay_id, lambda tx: guests.confirm(tx, stay_id))


@router.post("/v1/stays/{stay_id}/check-in")
async def check_in(stay_id: UUID, caller: Caller, body: AtBody | None = None) -> Response:
    """Note that the guest is in house; `at` for what is told late."""
    caller.require(tenant_kinds=INN, roles=COORDINATOR)
    at = body.at if body else None
    return await _act(caller, stay_id, lambda tx: guests.check_in(tx, stay_id, at))


@router.post("/v1/stays/{stay_id}/check-out")
async def check_out(stay_id: UUID, caller: Caller, body: AtBody | None = None) -> Response:
    """Note that the guest has left; nights not used are given back."""
    caller.require(tenant_kinds=INN, roles=COORDINATOR)
    at = body.at if body else None
    return await _act(caller, stay_id, lambda tx: guests.check_out(tx, stay_id, at))


@router.post("/v1/stays/{stay_id}/extend")
async def extend(stay_id: UUID, body: ExtendBody, caller: Caller) -> Response:
    """Add nights at the end, if they are free and the cap allows them."""
    caller.require(tenant_kinds=ENTERPRISE, roles=COORDINATOR)
    return await _act(caller, stay_id, lambda tx: guests.extend(tx, stay_id, body.nights))


@router.post("/v1/stays/{stay_id}/move")
async def move(stay_id: UUID, body: MoveBody, caller: Caller) -> Response:
    """Give the guest another bed for the nights that are left; an inn within its own houses."""
    caller.require(tenant_kinds=INN, roles=COORDINATOR)
    return await _act(caller, stay_id, partial(_move, caller, stay_id, body.bed_id))


async def _move(caller: Call, stay_id: UUID, bed_id: UUID, tx: Tx) -> Stay:
    places = await load_bed_places(tx, [bed_id])
    mine = caller.identity
    if not places or (mine.tenant_kind == "inn" and places[0].inn_id not in mine.inn_ids):
        raise NotFound
    return await guests.move(tx, stay_id, bed_id)


@router.post("/v1/stays/{stay_id}/cancel")
async def cancel(stay_id: UUID, caller: Caller, body: ReasonBody | None = None) -> Response:
    """Give up a stay before the check-in."""
    caller.require(tenant_kinds=ENTERPRISE, roles=COORDINATOR)
    reason = body.reason if body else "cancelled"
    return await _act(caller, stay_id, lambda tx: guests.cancel(tx, stay_id, reason))


@router.post("/v1/stays/{stay_id}/next-home")
async def next_home(stay_id: UUID, body: NextHomeBody, caller: Caller) -> Response:
    """Record where the guest goes from here."""
    caller.require(tenant_kinds=ENTERPRISE | INN, roles=COORDINATOR)
    return await _act(
        caller, stay_id, lambda tx: guests.tell_next_home(tx, stay_id, body.next_home)
    )


async def _act(caller: Call, stay_id: UUID, step: Callable[[Tx], Awaitable[Stay]]) -> Response:
    """Do something with a stay that the caller sees; others aren't there for it."""

    async def effect(tx: Tx) -> Answer:
        if await find_stay(tx, stay_id) is None:
            raise NotFound
        await tx.as_worker()
        return Answer(200, guests.summary(await step(tx)))

    return await caller.command(effect)
