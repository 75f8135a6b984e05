"""Tenants and accounts: the bureau's admin keeps them all, a tenant's own admin its accounts."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field, SecretStr

from contracts.console import TenantChanged, TenantKind, TenantRegistered
from contracts.fields import Body, DivisionCode, Title, TypedUscc
from services.console import views
from services.console.desk import Desk
from services.console.domain.account import PASSWORD_LENGTH_MAX
from services.console.handlers.passwords import check_password, hashed
from services.console.handlers.tenants import (
    AddAccount,
    add_account,
    change_account,
    change_tenant,
    register_tenant,
)
from services.console.store.accounts import AccountChange
from shared.commands import Answer
from shared.http import Call, call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit
from shared.problem import Forbidden, NotFound
from shared.transaction import Tx

router = APIRouter()
Caller = Annotated[Call, Depends(call)]


class TenantBody(Body):
    """A tenant; its id may be the client's own."""

    tenant_id: UUID | None = None
    kind: TenantKind
    name: Title
    division_code: DivisionCode
    uscc: TypedUscc | None = None
    inn_ids: tuple[UUID, ...] = ()
    active: bool = True


class AccountBody(Body):
    """A new account."""

    tenant_id: UUID | None = None
    account: str = Field(max_length=63)
    password: SecretStr = Field(max_length=PASSWORD_LENGTH_MAX)
    roles: frozenset[str] = frozenset()


class AccountChangeBody(Body):
    """What changes about an account; a second factor's secret is base32, empty for none."""

    password: SecretStr | None = Field(None, max_length=PASSWORD_LENGTH_MAX)
    roles: frozenset[str] | None = None
    active: bool | None = None
    totp_secret: SecretStr | None = Field(None, max_length=128)


@router.post("/v1/tenants", status_code=201)
async def post_tenant(body: TenantBody, caller: Caller) -> Response:
    """Register an organisation."""
    caller.require(roles={"admin"})

    async def effect(tx: Tx) -> Answer:
        tenant_id = body.tenant_id or tx.ids.uuid7()
        fields = body.model_dump() | {"tenant_id": tenant_id}
        await tx.as_worker()
        await register_tenant(tx, TenantRegistered.model_validate(fields))
        return Answer(201, {"tenant_id": tenant_id, "state": "active"})

    return await caller.command(effect)


@router.put("/v1/tenants/{tenant_id}")
async def put_tenant(tenant_id: UUID, body: TenantBody, caller: Caller) -> Response:
    """Change an organisation; its kind stays what it is."""
    caller.require(roles={"admin"})

    async def effect(tx: Tx) -> Answer:
        if await views.get_tenant(tx, tenant_id) is None:
            raise NotFound
        fields = body.model_dump() | {"tenant_id": tenant_id}
        await tx.as_worker()
        await change_tenant(tx, TenantChanged.model_validate(fields))
        return Answer(200, await views.get_tenant(tx, tenant_id))

    return await caller.command(effect)


@router.get("/v1/tenants")
async def tenants(caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
    """List the organisations that the caller may see."""
    return await caller.query(partial(views.list_tenants, limit=limit, cursor=cursor))


@router.get("/v1/tenants/{tenant_id}")
async def tenant(tenant_id: UUID, caller: Caller) -> Response:
    """Give an organisation."""
    return await caller.query(partial(views.get_tenant, tenant_id=tenant_id))


@router.post("/v1/accounts", status_code=201)
async def post_account(body: AccountBody, caller: Caller) -> Response:
    """Add an account to a tenant, by default to the caller's own."""
    tenant_id = body.tenant_id or caller.identity.tenant_id
    _require_admin(caller, tenant_id)

    async def effect(tx: Tx) -> Answer:
        if await views.get_tenant(tx, tenant_id) is None:
            raise NotFound
        account_id = tx.ids.uuid7()
        password = body.password.get_secret_value()
        await tx.as_worker()
        command = AddAccount(account_id, tenant_id, body.account, password, body.roles)
        await add_account(tx, command)
        return Answer(201, {"account_id": account_id, "state": "active"})

    return await caller.command(effect)


@router.get("/v1/accounts")
async def accounts(caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
    """List the accounts of the caller's tenant; a bureau sees all."""
    return await caller.query(partial(views.list_accounts, limit=limit, cursor=cursor))


@router.patch("/v1/accounts/{account_id}")
async def patch_account(account_id: UUID, body: AccountChangeBody, caller: Caller) -> Response:
    """Change an account: its password, roles, second factor, or whether it may sign in."""
    factors = caller.resource(Desk).factors

    async def effect(tx: Tx) -> Answer:
        found = await views.get_account(tx, account_id)
        if found is None:
            raise NotFound
        if account_id != caller.identity.account_id or body.roles is not None:
            _require_admin(caller, found["tenant_id"])
        secret = body.totp_secret.get_secret_value() if body.totp_secret else None
        sealed = None if secret is None else factors.seal(secret) if secret else b""
        change = AccountChange(await _hash(body), _roles(body), body.active, sealed)
        await tx.as_worker()
        await change_account(tx, account_id, change)
        return Answer(200, await views.get_account(tx, account_id))

    return await caller.command(effect)


async def _hash(body: AccountChangeBody) -> str | None:
    if body.password is None:
        return None
    check_password(body.password.get_secret_value())
    return await hashed(body.password.get_secret_value())


def _roles(body: AccountChangeBody) -> list[str] | None:
    return None if body.roles is None else sorted(body.roles)


def _require_admin(caller: Call, tenant_id: UUID) -> None:
    mine = caller.identity
    if "admin" not in mine.roles:
        raise Forbidden
    if mine.tenant_kind != "bureau" and mine.tenant_id != tenant_id:
        raise NotFound
