"""The route that shows names: for a trip, an inn's day, an enterprise's day, or an own batch."""

from datetime import date
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints, model_validator

from contracts.fields import Body, holds_long_number
from services.registry.api.caller import Caller, invalid
from services.registry.domain import REVEAL_IDS_MAX
from services.registry.handlers.intake import Intake
from services.registry.handlers.revealing import Reveal, reveal
from shared.commands import Answer
from shared.http import Call
from shared.transaction import Tx

router = APIRouter(tags=["reveals"])

Revealable = Literal["name", "resident_id", "phone", "emergency_contact", "emergency_phone"]
_KINDS = ("trip", "inn", "enterprise", "batch")


class Scope(Body):
    """What names are for: `{trip_id}`, `{inn_id, on}`, `{enterprise_id, on}` or `{batch_id}`."""

    trip_id: UUID | None = None
    inn_id: UUID | None = None
    enterprise_id: UUID | None = None
    batch_id: UUID | None = None
    on: date | None = None

    @model_validator(mode="after")
    def _one(self) -> "Scope":
        if len(self.named) != 1:
            raise ValueError("one of trip_id, inn_id, enterprise_id, batch_id")
        if (self.kind in {"inn", "enterprise"}) != (self.on is not None):
            raise ValueError("an inn's and an enterprise's scope is one day")
        return self

    @property
    def named(self) -> dict[str, UUID]:
        """The ids that were given, by kind."""
        ids = {kind: getattr(self, f"{kind}_id") for kind in _KINDS}
        return {kind: found for kind, found in ids.items() if found is not None}

    @property
    def kind(self) -> str:
        """Which kind of scope it is."""
        return next(iter(self.named))


class RevealBody(Body):
    """Who is to be shown, what of them, and what for."""

    worker_ids: Annotated[list[UUID], Field(min_length=1, max_length=REVEAL_IDS_MAX)]
    fields: Annotated[list[Revealable], Field(min_length=1, max_length=5)]
    purpose: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    scope: Scope


@router.post("/v1/reveals")
async def reveals(body: RevealBody, caller: Caller) -> Response:
    """Show persons whom the caller has a right to see now; the answer is stored nowhere."""
    caller.require(tenant_kinds={"office", "enterprise", "inn"}, roles={"coordinator", "escort"})
    if holds_long_number(body.purpose):
        raise invalid("/purpose", "用途中不得含有长数字。No long numbers here.", "personal_data")
    return await caller.command(partial(_reveal, caller, body), keep_answer=False)


async def _reveal(caller: Call, body: RevealBody, tx: Tx) -> Answer:
    kind = body.scope.kind
    wish = Reveal(
        worker_ids=body.worker_ids,
        fields=body.fields,
        purpose=body.purpose,
        kind=kind,
        of=body.scope.named[kind],
        on=body.scope.on,
        scope=body.scope.model_dump(mode="json", exclude_none=True),
    )
    return await reveal(tx, caller.resource(Intake).vault, caller.identity, wish)
