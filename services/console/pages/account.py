"""`/account`: one's own password and second factor; who owes one of them sees nothing else."""

import base64
import binascii
from dataclasses import replace
from typing import Final

import pyotp
import segno
from fastapi import APIRouter, Response
from markupsafe import Markup
from starlette.datastructures import FormData

from services.console.desk import Desk
from services.console.domain.account import PASSWORD_LENGTH_MIN
from services.console.handlers.passwords import check_password, hashed
from services.console.handlers.sign_in import (
    Credentials,
    begin_session,
    code_digest,
    digest,
    new_recovery_codes,
    owed,
    sign_in,
)
from services.console.handlers.tenants import change_account
from services.console.pages.notice import Notice
from services.console.pages.visit import ACCOUNT_PAGE, PageRoute, Visit, Visitor, with_session
from services.console.store import accounts as store
from services.console.store.accounts import AccountChange
from shared.clock import real_now
from shared.problem import NotFound, Problem

router = APIRouter(route_class=PageRoute)
ISSUER: Final = "山海 Shanhai"


@router.get(ACCOUNT_PAGE)
async def account(visit: Visitor) -> Response:
    """Show one's own account."""
    return await _page(visit)


async def _page(visit: Visit, status: int = 200, **shown: object) -> Response:
    session = visit.session
    if session is None:
        raise Problem(401, "missing_token", "请先登录。Sign in first.")
    async with visit.house.db.transaction(role="worker", read_only=True) as tx:
        left = await store.count_recovery_codes(tx, session.identity.account_id)
    required = visit.house.settings.factor_required
    shown = {"qr": "", "secret": "", "sealed": "", "codes": [], "wrong": ""} | shown
    return visit.page(
        "account.html", status, left=left, length=PASSWORD_LENGTH_MIN,
        owes=owed(session, factor_required=required), **shown,
    )  # fmt: skip


@router.post("/account/password")
async def change_password(visit: Visitor) -> Response:
    """Change one's own password; every other session ends."""
    form = await visit.form()
    try:
        await _proven(visit, form)
        password = _new_password(visit, form)
    except Problem as problem:
        return await _page(visit, problem.status, wrong=visit.words.said(problem.detail))
    change = AccountChange(password_hash=await hashed(password))
    return await _changed(visit, change, "account.password_changed")


def _new_password(visit: Visit, form: FormData) -> str:
    password = str(form.get("new", ""))
    if password != form.get("again"):
        raise Problem(422, "invalid", visit.words("account.not_twice"))
    if password == form.get("password"):
        raise Problem(422, "invalid", visit.words("account.same"))
    check_password(password)
    return password


async def _proven(visit: Visit, form: FormData) -> None:
    """Refuse whoever sits at an open session without knowing its password."""
    given = Credentials(
        visit.session.name if visit.session else "",
        str(form.get("password", "")),
        str(form.get("totp", "")).replace(" ", "") or None,
    )
    await sign_in(visit.house.db, visit.house.resource(Desk).factors, given)


@router.post("/account/factor")
async def change_factor(visit: Visitor) -> Response:
    """Set up a second factor in two steps, make new recovery codes, or take the factor away."""
    form = await visit.form()
    do = form.get("do")
    try:
        if do == "confirm":
            return await _confirm(visit, form)
        await _proven(visit, form)
        if do == "codes":
            return await _page(visit, codes=await _new_codes(visit))
        if do == "remove":
            return await _changed(visit, AccountChange(second_factor=b""), "account.factor_gone")
    except Problem as problem:
        return await _page(visit, problem.status, wrong=visit.words.said(problem.detail))
    return await _offered(visit, pyotp.random_base32())


async def _offered(visit: Visit, secret: str, wrong: str = "") -> Response:
    """Show a secret as a picture to scan and as letters; it comes back sealed with the code."""
    name = visit.session.name if visit.session else ""
    uri = pyotp.TOTP(secret, name=name, issuer=ISSUER).provisioning_uri()
    drawn = segno.make(uri, error="m", micro=False).svg_inline(
        scale=1, border=3, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    sealed = base64.urlsafe_b64encode(visit.house.resource(Desk).factors.seal(secret)).decode()
    return await _page(
        visit,
        422 if wrong else 200,
        qr=Markup(drawn),  # noqa: S704 (drawn here, of squares)
        secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        sealed=sealed,
        wrong=wrong,
    )


async def _confirm(visit: Visit, form: FormData) -> Response:
    factors = visit.house.resource(Desk).factors
    try:
        sealed = base64.urlsafe_b64decode(str(form.get("sealed", "")))
    except (binascii.Error, ValueError):
        sealed = b""
    secret = factors.open(sealed)
    if secret is None:
        raise Problem(422, "invalid", visit.words("account.again"))
    step = factors.step(sealed, str(form.get("code", "")).replace(" ", ""))
    if step is None:
        return await _offered(visit, secret, visit.words("account.wrong_code"))
    after, cookie = await _change(visit, AccountChange(second_factor=sealed, totp_step=step))
    page = await _page(after, codes=await _new_codes(after))
    return with_session(after, page, cookie)


async def _new_codes(visit: Visit) -> list[str]:
    codes = new_recovery_codes()
    async with visit.house.db.transaction(role="worker") as tx:
        digests = [code_digest(c) for c in codes]
        await store.replace_recovery_codes(tx, visit.identity.account_id, digests)
    return codes


async def _changed(visit: Visit, change: AccountChange, said: str) -> Response:
    after, cookie = await _change(visit, change)
    return with_session(after, after.go(ACCOUNT_PAGE, Notice("done", visit.words(said))), cookie)


async def _change(visit: Visit, change: AccountChange) -> tuple[Visit, str]:
    """Change one's own account, and go on in a new session: the change ends all others."""
    mine = visit.identity.account_id
    async with visit.house.db.transaction(role="worker") as tx:
        await change_account(tx, mine, change)
        found = await store.find_account_by_id(tx, mine)
    if found is None:
        raise NotFound
    cookie = await begin_session(visit.house.db, found)
    async with visit.house.db.transaction(role="worker", read_only=True) as tx:
        session = await store.find_session(tx, digest(cookie), real_now())
    return replace(visit, session=session), cookie
