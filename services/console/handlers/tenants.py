"""Tenants and their accounts: registered, changed, revoked."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contracts.console import AccessRevoked, TenantChanged, TenantRegistered
from services.console.domain.account import is_name, roles_fit
from services.console.handlers.passwords import check_password, hashed
from services.console.store import accounts as store
from services.console.store.tenants import insert_tenant, update_tenant
from shared.clock import real_now
from shared.identity import Identity
from shared.problem import Fault, NotFound, Problem
from shared.tenants import keep_revocations
from shared.transaction import Tx

TAKEN: Final = "这个名称或编号已被使用。This name or id is taken."


@dataclass(frozen=True, slots=True)
class AddAccount:
    """Add an account to a tenant; the password is in clear, in memory only."""

    account_id: UUID
    tenant_id: UUID
    name: str
    password: str
    roles: frozenset[str] = frozenset()
    temporary: bool = False


async def register_tenant(tx: Tx, tenant: TenantRegistered) -> None:
    """Register an organisation; raises a `Problem` (409) when its id is taken."""
    if not await insert_tenant(tx, tenant):
        raise Problem(409, "taken", TAKEN)
    tx.say(tenant, tenant_id=tenant.tenant_id)


async def change_tenant(tx: Tx, tenant: TenantChanged) -> None:
    """Change an organisation; its tokens are void when it takes part no longer."""
    if await update_tenant(tx, tenant):
        tx.say(tenant, tenant_id=tenant.tenant_id)
        if not tenant.active:
            await revoke(tx, tenant.tenant_id, None)


async def add_account(tx: Tx, command: AddAccount) -> None:
    """Add an account; raises a `Problem` for a name that is taken or roles that do not fit."""
    kind = await store.find_tenant_kind(tx, command.tenant_id)
    if kind is None:
        raise NotFound
    _check(command, kind)
    identity = Identity(command.account_id, command.tenant_id, "office", command.roles)
    password_hash = await hashed(command.password)
    if not await store.insert_account(
        tx, identity, command.name, password_hash, temporary=command.temporary
    ):
        raise Problem(409, "taken", TAKEN)


async def change_account(tx: Tx, account_id: UUID, change: store.AccountChange) -> None:
    """Change an account; its sessions and tokens are void from now on."""
    account = await store.find_account_by_id(tx, account_id)
    if account is None:
        raise NotFound
    if change.roles is not None and not roles_fit(
        account.identity.tenant_kind, frozenset(change.roles)
    ):
        raise _wrong_roles()
    await store.update_account(tx, account_id, change)
    await revoke(tx, account.identity.tenant_id, account_id)


async def revoke(tx: Tx, tenant_id: UUID, account_id: UUID | None) -> None:
    """Say that tokens issued before now (real time) are void, and refuse them here, too."""
    said = AccessRevoked(tenant_id=tenant_id, account_id=account_id, before=real_now())
    await keep_revocations(tx, [said])
    tx.say(said, tenant_id=tenant_id)


def _check(command: AddAccount, kind: str) -> None:
    if not is_name(command.name):
        detail = "账号名为2至63个小写字母、数字、点、横线。A name has 2 to 63 of a-z 0-9 . _ -"
        raise Problem(422, "invalid", detail, [Fault("/account", "wrong_form", detail)])
    if not roles_fit(kind, command.roles):
        raise _wrong_roles()
    check_password(command.password)


def _wrong_roles() -> Problem:
    detail = "该类机构不能有这样的角色。A tenant of this kind has no such roles."
    return Problem(422, "invalid", detail, [Fault("/roles", "wrong_roles", detail)])
