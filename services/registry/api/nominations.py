"""Routes of nominations: who is offered, and no longer offered."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from contracts.fields import Body
from services.registry.api.caller import Caller
from services.registry.handlers.nominations import withdraw_nomination
from services.registry.views import people
from services.registry.views.batches import Page
from services.registry.views.people import NominationFilter
from shared.commands import Answer
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after
from shared.transaction import Tx

router = APIRouter(tags=["nominations"])


@dataclass(frozen=True)
class Wanted(NominationFilter):
    """Which nominations a list shows."""

    state: Literal["active", "ended"] | None = None


class Withdrawal(Body):
    """Why a person is no longer offered; any text, kept nowhere, for it may name a person."""

    reason: str | None = Field(None, max_length=500)


@router.get("/v1/nominations")
async def nominations(
    caller: Caller,
    only: Annotated[Wanted, Depends()],
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List nominations, newest first."""
    (last,) = after(cursor, UUID)
    return await caller.query(lambda tx: people.list_nominations(tx, Page(last, limit), only))


@router.get("/v1/nominations/{nomination_id}")
async def nomination(nomination_id: UUID, caller: Caller) -> Response:
    """Show a nomination."""
    return await caller.query(lambda tx: people.find_nomination(tx, nomination_id))


@router.post("/v1/nominations/{nomination_id}/withdraw")
async def withdraw(
    nomination_id: UUID, caller: Caller, _body: Withdrawal | None = None
) -> Response:
    """End a nomination: the office no longer offers the person; another office may."""
    caller.require(tenant_kinds={"office"}, roles={"coordinator"})
    return await caller.command(partial(_withdraw, nomination_id))


async def _withdraw(nomination_id: UUID, tx: Tx) -> Answer:
    return await withdraw_nomination(tx, nomination_id)
