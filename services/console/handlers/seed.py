"""The tenants and accounts that a local stack has from its start, from a file of its own."""

from collections.abc import Iterable
from typing import Any

from contracts.console import TenantRegistered
from services.console.handlers.tenants import AddAccount, add_account, register_tenant
from services.console.store.accounts import find_account, find_tenant_kind
from shared.database import Database
from shared.ids import Ids


async def seed(db: Database, seeds: Iterable[dict[str, Any]]) -> None:
    """Register what is missing of a local stack's tenants and accounts.

    A seed is `{account, password, tenant_id, tenant_kind, tenant_name, roles,
    division_code, uscc, inn_ids}`.
    """
    for one in seeds:
        await _seed_one(db, one)


async def _seed_one(db: Database, one: dict[str, Any]) -> None:
    async with db.transaction(role="worker") as tx:
        tenant = TenantRegistered.model_validate(
            {**one, "kind": one["tenant_kind"], "name": one["tenant_name"], "active": True}
        )
        if await find_tenant_kind(tx, tenant.tenant_id) is None:
            await register_tenant(tx, tenant)
        if await find_account(tx, one["account"]):
            return
        roles = frozenset(one.get("roles") or ())
        account_id = Ids().uuid7()
        command = AddAccount(account_id, tenant.tenant_id, one["account"], one["password"], roles)
        await add_account(tx, command)
