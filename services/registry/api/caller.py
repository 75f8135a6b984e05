"""What several routes ask of a caller: who it is, and for which tenant it acts."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from shared.http import Call, call
from shared.problem import Fault, Problem

Caller = Annotated[Call, Depends(call)]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def acting_tenant(caller: Call, office_id: UUID | None, enterprise_id: UUID | None) -> UUID | None:
    """Give the tenant that an office or enterprise is, or that a coordinator names (else None).

    Raises `Problem` 403 for anybody else, 422 when a coordinator names two.
    """
    caller.require(tenant_kinds={"office", "enterprise"}, roles={"coordinator"})
    if caller.identity.tenant_kind != "bureau":
        return caller.identity.tenant_id
    if office_id and enterprise_id:
        raise invalid("/enterprise_id", "只能代一个单位提交。Name an office or an enterprise.")
    return office_id or enterprise_id


def invalid(pointer: str, detail: str, code: str = "invalid") -> Problem:
    """Make the refusal of one input."""
    return Problem(422, "invalid", detail, [Fault(pointer, code, detail)])


def workbook(content: bytes, name: str) -> Response:
    """Answer with a workbook to save; `name` is ASCII and tells nobody's name."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=XLSX, headers=disposition)
