"""`/accounts`: who may sign in for an organisation; its own administrator adds and changes them."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData

from services.console import views
from services.console.domain.account import roles_of
from services.console.handlers.passwords import hashed
from services.console.handlers.sign_in import new_password
from services.console.handlers.tenants import AddAccount, add_account, change_account
from services.console.pages.forms import field, wrong_field
from services.console.pages.notice import Notice
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.store.accounts import AccountChange
from services.console.views.names import list_tenant_names
from shared.paging import Cursor
from shared.problem import Forbidden, NotFound, Problem

router = APIRouter(route_class=PageRoute)
PAGE_SIZE: Final = 100
_KINDS: Final = ("office", "enterprise", "inn", "bureau", "auditor")
_CHANGES: Final = frozenset({"reset", "off", "on", "roles"})


@router.get("/accounts")
async def accounts(
    visit: Visitor,
    tenant: Annotated[str, Query(max_length=36)] = "",
    cursor: Cursor = None,
) -> Response:
    """List the accounts of one's organisation; the bureau's administrator may choose any."""
    return await _page(visit, tenant, cursor)


async def _page(
    visit: Visit, tenant: str = "", cursor: str | None = None, /, **shown: object
) -> Response:
    _require_admin(visit)
    tenant_id = _tenant(visit, tenant)
    found: Any = await visit.read(
        lambda tx: views.list_accounts(tx, limit=PAGE_SIZE, cursor=cursor, tenant_id=tenant_id)
    )
    chosen = await visit.read(lambda tx: views.get_tenant(tx, tenant_id))
    if chosen is None:
        raise NotFound
    status = 422 if shown.get("wrong") else 200
    shown = {"handed": None, "wrong": "", "typed": ""} | shown
    return visit.page(
        "accounts.html", status, accounts=found["items"], next_cursor=found["next_cursor"],
        chosen=chosen, roles=sorted(roles_of(chosen["kind"])), tenants=await _tenants(visit),
        mine=visit.identity.account_id, **shown,
    )  # fmt: skip


def _require_admin(visit: Visit) -> None:
    if "admin" not in visit.identity.roles:
        raise Forbidden


def _tenant(visit: Visit, asked: str) -> UUID:
    """Give the organisation in question: the session's own, but for the bureau's administrator."""
    if visit.kind != "bureau" or not asked:
        return visit.identity.tenant_id
    try:
        return UUID(asked)
    except ValueError:
        raise NotFound from None


async def _tenants(visit: Visit) -> list[Any]:
    if visit.kind != "bureau":
        return []
    return await visit.read(lambda tx: list_tenant_names(tx, _KINDS))


@router.post("/accounts")
async def invite(visit: Visitor) -> Response:
    """Add an account; its first password is shown once, and serves to choose another."""
    _require_admin(visit)
    form = await visit.form()
    tenant = str(form.get("tenant", ""))
    name, password = str(form.get("account", "")).strip(), new_password()
    command = AddAccount(
        visit.house.db.ids.uuid7(), _tenant(visit, tenant), name, password, _roles(form), True
    )
    try:
        async with visit.house.db.transaction(role="worker") as tx:
            await add_account(tx, command)
    except Problem as problem:
        return await _page(visit, tenant, wrong=visit.words.said(problem.detail), typed=name)
    return await _page(visit, tenant, handed={"account": name, "password": password})


def _roles(form: FormData) -> frozenset[str]:
    return frozenset(map(str, form.getlist("role")))


@router.post("/accounts/{account_id}")
async def change(account_id: UUID, visit: Visitor) -> Response:
    """Change an account of one's organisation: its roles, whether it may sign in, its password."""
    _require_admin(visit)
    form = await visit.form()
    do = field(form, "do", str)
    found = await visit.read(lambda tx: views.get_account(tx, account_id))
    # An auditor sees all, too, and changes only its own.
    if found is None or (visit.kind != "bureau" and found["tenant_id"] != visit.identity.tenant_id):
        raise NotFound
    if do not in _CHANGES:
        raise wrong_field("do")
    tenant = str(found["tenant_id"])
    if account_id == visit.identity.account_id:
        # Nobody shuts the door behind the last key.
        return await _page(visit, tenant, wrong=visit.words("accounts.not_oneself"))
    password = new_password()
    try:
        await _change(visit, account_id, await _wanted(do, form, password))
    except Problem as problem:
        return await _page(visit, tenant, wrong=visit.words.said(problem.detail))
    if do == "reset":
        handed = {"account": found["account"], "password": password}
        return await _page(visit, tenant, handed=handed)
    said = visit.words(f"accounts.done_{do}", account=found["account"])
    return visit.go(visit.link("/accounts", tenant=tenant), Notice("done", said))


async def _wanted(do: str, form: FormData, password: str) -> AccountChange:
    if do == "reset":
        # Whoever lost the password has often lost the phone as well.
        return AccountChange(await hashed(password), second_factor=b"", temporary=True)
    if do == "roles":
        return AccountChange(roles=sorted(_roles(form)))
    return AccountChange(active=do == "on")


async def _change(visit: Visit, account_id: UUID, change: AccountChange) -> None:
    async with visit.house.db.transaction(role="worker") as tx:
        await change_account(tx, account_id, change)
