"""What the console says: tenants, and tokens that no longer count."""

from typing import Literal
from uuid import UUID

from contracts.event import Event
from contracts.fields import DivisionCode, Instant, Title, Uscc

TenantKind = Literal["office", "enterprise", "inn", "bureau", "auditor"]


class TenantFact(Event):
    """The whole of a tenant; `inn_ids` are the inns that an inn's tenant keeps."""

    tenant_id: UUID
    kind: TenantKind
    name: Title
    division_code: DivisionCode
    uscc: Uscc | None = None
    inn_ids: tuple[UUID, ...] = ()
    active: bool


class TenantRegistered(TenantFact, service="console", noun="tenant", key="tenant_id"):
    """An organisation takes part."""


class TenantChanged(TenantFact, service="console", noun="tenant", key="tenant_id"):
    """The new whole of a tenant."""


class AccessRevoked(Event, service="console", noun="tenant", key="tenant_id"):
    """Tokens issued before `before` are void: of one account, or (without one) of the tenant."""

    tenant_id: UUID
    account_id: UUID | None = None
    before: Instant
