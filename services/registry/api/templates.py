"""Routes of the roster's form: the template, and the header words that a tenant taught us."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import StringConstraints

from contracts.fields import Body, holds_long_number
from services.registry.api.caller import Caller, acting_tenant, invalid, workbook
from services.registry.domain import BatchKind
from services.registry.roster.fields import words
from services.registry.roster.workbook import template_workbook
from services.registry.store import batches
from shared.commands import Answer
from shared.transaction import Tx

router = APIRouter(tags=["roster form"])

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]


class HeaderSynonym(Body):
    """A tenant's own word for a column; `field` as issues name it."""

    word: Word
    field: Word
    office_id: UUID | None = None
    enterprise_id: UUID | None = None


@router.get("/v1/roster-template.xlsx")
async def template(caller: Caller, kind: BatchKind | None = None) -> Response:
    """Give the roster to fill in."""
    hires = caller.identity.tenant_kind == "enterprise"
    wanted: BatchKind = kind or ("new_hires" if hires else "origin_roster")
    content = template_workbook(wanted, caller.identity.division_code)
    return workbook(content, f"roster-{wanted}.xlsx")


@router.get("/v1/header-synonyms")
async def synonyms(caller: Caller) -> Response:
    """List the tenant's own header words."""

    async def view(tx: Tx) -> object:
        found = await batches.load_synonyms(tx, caller.identity.tenant_id)
        items = [{"word": word, "field": field} for word, field in sorted(found.items())]
        return {"items": items, "next_cursor": None}

    return await caller.query(view)


@router.put("/v1/header-synonyms")
async def teach(body: HeaderSynonym, caller: Caller) -> Response:
    """Remember a tenant's word for a column: later rosters of the tenant may use it."""
    tenant_id = acting_tenant(caller, body.office_id, body.enterprise_id)
    if tenant_id is None:
        raise invalid("/office_id", "请写明单位。Name the tenant.", "missing")
    if body.field not in words("new_hires"):
        raise invalid("/field", "没有这个字段。There is no such field.", "value_unknown")
    if holds_long_number(body.word):
        raise invalid("/word", "列名中不得含有长数字。No long numbers here.", "personal_data")
    return await caller.command(partial(_teach, tenant_id, body))


async def _teach(tenant_id: UUID, body: HeaderSynonym, tx: Tx) -> Answer:
    await tx.as_worker()
    await batches.upsert_synonym(tx, tenant_id, body.word, body.field)
    return Answer(200, {"word": body.word, "field": body.field})
