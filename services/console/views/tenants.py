"""Tenants and accounts as their keepers see them."""

from typing import Any, Final
from uuid import UUID

from shared.paging import after, page
from shared.transaction import Tx

_TENANT: Final = "SELECT tenant_id, kind, name, division_code, uscc, inn_ids, active FROM tenant"
_ACCOUNT: Final = """
SELECT account_id, tenant_id, name AS account, roles, active,
       totp_sealed IS NOT NULL AS second_factor, created_at, changed_at
FROM account
"""


async def get_tenant(tx: Tx, tenant_id: UUID) -> dict[str, Any] | None:
    """Give a tenant, or None."""
    row = await tx.fetchrow(f"{_TENANT} WHERE tenant_id = $1", tenant_id)
    return dict(row) if row else None


async def list_tenants(tx: Tx, *, limit: int, cursor: str | None) -> dict[str, object]:
    """Give a page of tenants by id."""
    (last,) = after(cursor, UUID)
    rows = await tx.fetch(
        f"{_TENANT} WHERE $1::uuid IS NULL OR tenant_id > $1 ORDER BY tenant_id LIMIT $2",
        last,
        limit + 1,
    )
    return page(rows, limit, "tenant_id")


async def get_account(tx: Tx, account_id: UUID) -> dict[str, Any] | None:
    """Give an account, or None; never its password's hash."""
    row = await tx.fetchrow(f"{_ACCOUNT} WHERE account_id = $1", account_id)
    return dict(row) if row else None


async def list_accounts(
    tx: Tx, *, limit: int, cursor: str | None, tenant_id: UUID | None = None
) -> dict[str, object]:
    """Give a page of accounts by id, of all tenants or of one."""
    (last,) = after(cursor, UUID)
    rows = await tx.fetch(
        f"{_ACCOUNT} WHERE ($1::uuid IS NULL OR account_id > $1)"
        " AND ($3::uuid IS NULL OR tenant_id = $3) ORDER BY account_id LIMIT $2",
        last,
        limit + 1,
        tenant_id,
    )
    return page(rows, limit, "account_id")
