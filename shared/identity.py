"""Who calls: what a verified token says about the caller."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

TenantKind = Literal["office", "enterprise", "inn", "bureau", "auditor"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller: an account of one tenant. `roles` are of coordinator, escort, admin, or none."""

    account_id: UUID
    tenant_id: UUID
    tenant_kind: TenantKind
    roles: frozenset[str] = frozenset()
    division_code: str | None = None
    uscc: str | None = None
    inn_ids: tuple[UUID, ...] = ()
