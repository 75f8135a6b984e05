"""Who may do what at lodging's routes."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends

from shared.http import Call, call
from shared.identity import TenantKind
from shared.problem import Fault, Forbidden, Problem

Caller = Annotated[Call, Depends(call)]

COORDINATOR: Final = frozenset({"coordinator"})
ENTERPRISE: Final[frozenset[TenantKind]] = frozenset({"enterprise"})
INN: Final[frozenset[TenantKind]] = frozenset({"inn"})


def acting_enterprise(caller: Call, named: UUID | None) -> UUID:
    """Give the enterprise that acts: the caller, or the one that a coordinator names (else 422)."""
    caller.require(tenant_kinds=ENTERPRISE, roles=COORDINATOR)
    if caller.identity.tenant_kind == "enterprise":
        if named not in {None, caller.identity.tenant_id}:
            raise Forbidden
        return caller.identity.tenant_id
    if named is None:
        raise invalid("/enterprise_id", "required", "请注明企业。Name the enterprise.")
    return named


def invalid(pointer: str, code: str, detail: str) -> Problem:
    """Give the refusal of one field."""
    return Problem(422, "invalid", detail, [Fault(pointer, code, detail)])
