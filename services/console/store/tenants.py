"""Writes tenants: the console owns them, everyone else only hears of them."""

from typing import Final

from contracts.console import TenantFact
from shared.transaction import Tx

_INSERT: Final = """
INSERT INTO tenant (tenant_id, kind, name, division_code, uscc, inn_ids, active)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING true
"""
_UPDATE: Final = """
UPDATE tenant SET name = $2, division_code = $3, uscc = $4, inn_ids = $5, active = $6
WHERE tenant_id = $1 AND kind = $7
    AND (name, division_code, uscc, inn_ids, active) IS DISTINCT FROM ($2, $3, $4, $5::uuid[], $6)
RETURNING true
"""


async def insert_tenant(tx: Tx, tenant: TenantFact) -> bool:
    """Add a tenant; False when its id is taken."""
    inserted = await tx.fetchval(
        _INSERT, tenant.tenant_id, tenant.kind, tenant.name, tenant.division_code, tenant.uscc,
        list(tenant.inn_ids), tenant.active,
    )  # fmt: skip
    return bool(inserted)


async def update_tenant(tx: Tx, tenant: TenantFact) -> bool:
    """Change a tenant; False when that changes nothing."""
    changed = await tx.fetchval(
        _UPDATE, tenant.tenant_id, tenant.name, tenant.division_code, tenant.uscc,
        list(tenant.inn_ids), tenant.active, tenant.kind,
    )  # fmt: skip
    return bool(changed)
