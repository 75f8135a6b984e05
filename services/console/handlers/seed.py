"""The tenants and accounts that a local stack has from its start, from a file of its own."""

from collections.abc import Iterable
from typing import Any

from contracts.console import TenantRegistered
from services.console.handlers.tenants import AddAccount, add_account, register_tenant
from services.console.store.accounts import find_account, find_tenant_kind
from shared.database import Database
from shared.ids import Ids


async def seed(db: Database, seeds: Iterable[dict[str, Any]]) -> int:
    """Register what is missing; give how many accounts were added.

    A seed is `{account, password, tenant_id, tenant_kind, tenant_name, roles,
    division_code, uscc, inn_ids}`.
    """
    added = 0
    for one in seeds:
        added += await _seed_one(db, one)
    return added


async def _seed_one(db: Database, one: dict[str, Any]) -> int:
    async with db.transaction(role="worker") as tx:
        tenant = TenantRegistered.model_validate(
            {**one, "kind": one["tenant_kind"], "name": one["tenant_name"], "active": True}
        )
        if await find_tenant_kind(tx, tenant.tenant_id) is None:
            await register_tenant(tx, tenant)
        if await find_account(tx, one["account"]):
            return 0
        roles = frozenset(one.get("roles") or ())
        account_id = Ids().uuid7()
        command = AddAccount(account_id, tenant.tenant_id, one["account"], one["password"], roles)
        await add_account(tx, command)
    return 1
