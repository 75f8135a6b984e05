"""One's own password and second factor, and the accounts that an organisation's admin keeps."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pyotp
import pytest
import pytest_asyncio

from contracts.console import TenantRegistered
from services.console.handlers.tenants import register_tenant
from services.console.settings import ConsoleSettings
from services.console.store.accounts import insert_account
from shared.database import Database
from shared.identity import Identity
from tests.integration.console.test_pages import IDS, PASSWORD, account, once_hashed, sign_in
from tests.support.http import app_client
from tests.support.postgres import ServiceDb

LINCANG = account("lincang-admin", "office", roles=["admin"])
CLERK = {**LINCANG, "account": "lincang-clerk", "roles": []}
HONGHE = account("honghe-clerk", "office")
AUDITOR = account("auditor-admin", "auditor", roles=["admin"])
OWN = "another long password"


@pytest_asyncio.fixture
async def db(service_db: ServiceDb) -> Database:
    found = await service_db("console")
    password_hash = await once_hashed()
    async with found.transaction(role="worker") as tx:
        for one in (LINCANG, HONGHE, AUDITOR):
            tenant = {**one, "kind": one["tenant_kind"], "name": one["tenant_name"], "active": True}
            await register_tenant(tx, TenantRegistered.model_validate(tenant))
        for one in (LINCANG, CLERK, HONGHE, AUDITOR):
            identity = Identity(
                IDS.uuid7(), UUID(one["tenant_id"]), one["tenant_kind"], frozenset(one["roles"])
            )
            await insert_account(tx, identity, one["account"], password_hash)
    return found


@pytest_asyncio.fixture(params=["optional"])
async def browser(
    db: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[httpx2.AsyncClient]:
    away = dict.fromkeys(
        ("registry_url", "recruitment_url", "transport_url", "lodging_url"), "http://127.0.0.1:9"
    )
    settings = ConsoleSettings.model_construct(
        signing_key_file=tmp_path / "signing.pem", local_stack=True, issuer_url="http://issuer",
        seed_file=None, second_factor=request.param, **away,
    )  # fmt: skip
    async with app_client("console", db, settings=settings) as opened:
        opened.headers["Accept-Language"] = "en"
        yield opened


required = pytest.mark.parametrize("browser", ["required"], indirect=True)


async def send(browser: httpx2.AsyncClient, path: str, **form: Any) -> httpx2.Response:
    """Send a form as its page would, with the session's token."""
    token = re.search(r'name="form_token" value="([^"]+)"', (await browser.get("/account")).text)
    assert token
    return await browser.post(path, data={"form_token": token[1], **form})


async def id_of(db: Database, name: str) -> str:
    async with db.transaction(role="worker") as tx:
        return str(await tx.fetchval("SELECT account_id FROM account WHERE name = $1", name))


def shown(page: httpx2.Response, pattern: str) -> str:
    found = re.search(pattern, page.text)
    assert found, page.text
    return found[1]


async def a_factor(browser: httpx2.AsyncClient) -> tuple[pyotp.TOTP, list[str]]:
    """Set a second factor up on the page; give it and the recovery codes."""
    offered = await send(browser, "/account/factor", do="begin", password=PASSWORD)
    secret = shown(offered, r'class="letters">([A-Z2-7 ]+)<').replace(" ", "")
    assert 'class="qr"' in offered.text
    sealed = shown(offered, r'name="sealed" value="([^"]+)"')
    assert secret not in sealed
    code = pyotp.TOTP(secret).now()
    done = await send(browser, "/account/factor", do="confirm", sealed=sealed, code=code)
    return pyotp.TOTP(secret), re.findall(
        r"<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})<", done.text
    )


async def test_an_admin_invites_somebody_who_then_chooses_a_password(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "lincang-admin")
    page = await send(browser, "/accounts", account="lincang-new", role="admin")
    first = shown(page, r"First password</dt><dd><code>([^<]+)<")
    # It is shown this once.
    assert first not in (await browser.get("/accounts")).text
    await browser.post("/sign-in", data={"account": "lincang-new", "password": first})
    for path in ("/journeys", "/office", "/"):
        assert (await browser.get(path)).headers["location"] == "/account", path
    assert (await browser.get("/v1/tasks")).json()["code"] == "password_change_required"
    given = {"account": "lincang-new", "password": first}
    refused = await browser.post("/v1/tokens", json=given)
    assert (refused.status_code, refused.json()["code"]) == (403, "password_change_required")
    await send(browser, "/account/password", password=first, new=OWN, again=OWN)
    assert (await browser.get("/journeys")).status_code == 200
    assert (await browser.post("/v1/tokens", json=given)).status_code == 401
    assert (await browser.post("/v1/tokens", json=given | {"password": OWN})).status_code == 200


async def test_nobody_but_an_admin_keeps_accounts_and_only_those_of_the_own_organisation(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    clerk, foreign = await id_of(db, "lincang-clerk"), await id_of(db, "honghe-clerk")
    await sign_in(browser, "lincang-clerk")
    assert (await browser.get("/accounts")).status_code == 403
    assert (await send(browser, "/accounts", account="one-more")).status_code == 403
    assert (await send(browser, f"/accounts/{foreign}", do="off")).status_code == 403
    for admin in ("lincang-admin", "auditor-admin"):
        await sign_in(browser, admin)
        assert "honghe-clerk" not in (await browser.get("/accounts")).text
        listed = await browser.get("/accounts", params={"tenant": HONGHE["tenant_id"]})
        assert "honghe-clerk" not in listed.text
        assert (await send(browser, f"/accounts/{foreign}", do="off")).status_code == 404
        page = await send(browser, "/accounts", account=f"{admin}-2", tenant=HONGHE["tenant_id"])
        assert "First password" in page.text
    async with db.transaction(role="worker") as tx:
        assert await tx.fetchval(
            "SELECT count(*) FROM account WHERE tenant_id = $1", UUID(HONGHE["tenant_id"])
        ) == 1  # fmt: skip
    await sign_in(browser, "lincang-admin")
    assert (await send(browser, f"/accounts/{clerk}", do="off")).status_code == 303
    assert (await sign_in(browser, "lincang-clerk")).status_code == 401


async def test_an_admin_does_not_shut_its_own_door_nor_give_roles_that_do_not_fit(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    await sign_in(browser, "lincang-admin")
    own, clerk = await id_of(db, "lincang-admin"), await id_of(db, "lincang-clerk")
    for do in ("off", "roles", "reset"):
        assert (await send(browser, f"/accounts/{own}", do=do)).status_code == 422
    assert (
        await send(browser, f"/accounts/{clerk}", do="roles", role="coordinator")
    ).status_code == 422
    assert (await browser.get("/accounts")).status_code == 200
    taken = await send(browser, "/accounts", account="honghe-clerk")
    assert "taken" in taken.text


async def test_a_second_factor_is_set_up_on_the_page_and_asked_for_from_then_on(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "lincang-clerk")
    factor, codes = await a_factor(browser)
    assert len(set(codes)) == 10
    assert "On" in (await browser.get("/account")).text
    assert (await sign_in(browser, "lincang-clerk")).status_code == 401
    assert (await sign_in(browser, "lincang-clerk", totp=the_next(factor))).status_code == 303


def the_next(factor: pyotp.TOTP) -> str:
    """Give the code after the one that the phone shows: that one was used just now."""
    return factor.at(datetime.now(UTC), counter_offset=1)


async def test_a_code_of_the_second_factor_serves_once_wherever_it_was_used_first(
    browser: httpx2.AsyncClient,
) -> None:
    """INVARIANT: a code that somebody saw being typed opens nothing, even while it is shown."""
    await sign_in(browser, "lincang-clerk")
    factor, _ = await a_factor(browser)
    now = datetime.now(UTC)
    earlier, code = factor.at(now), factor.at(now, counter_offset=1)
    answers = await asyncio.gather(
        *(sign_in(browser, "lincang-clerk", totp=code) for _ in range(4))
    )
    assert sorted(a.status_code for a in answers) == [303, 401, 401, 401]
    refused = await sign_in(browser, "lincang-clerk", totp=code)
    assert "wait for the next" in refused.text
    given = {"account": "lincang-clerk", "password": PASSWORD, "totp": code}
    token = await browser.post("/v1/tokens", json=given)
    assert (token.status_code, token.json()["code"]) == (401, "second_factor")
    # An earlier one is no better, though its time isn't over yet.
    assert (await sign_in(browser, "lincang-clerk", totp=earlier)).status_code == 401


async def test_the_code_by_which_a_second_factor_was_set_up_signs_nobody_in(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "lincang-clerk")
    offered = await send(browser, "/account/factor", do="begin", password=PASSWORD)
    secret = shown(offered, r'class="letters">([A-Z2-7 ]+)<').replace(" ", "")
    sealed = shown(offered, r'name="sealed" value="([^"]+)"')
    code = pyotp.TOTP(secret).now()
    await send(browser, "/account/factor", do="confirm", sealed=sealed, code=code)
    assert (await sign_in(browser, "lincang-clerk", totp=code)).status_code == 401


async def test_a_recovery_code_serves_once_however_it_is_typed(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    await sign_in(browser, "lincang-clerk")
    _, codes = await a_factor(browser)
    typed = codes[0].replace("-", " ").upper()
    assert (await sign_in(browser, "lincang-clerk", totp=typed)).status_code == 303
    assert "9 recovery codes" in (await browser.get("/account")).text
    assert (await sign_in(browser, "lincang-clerk", totp=codes[0])).status_code == 401
    async with db.transaction(role="worker") as tx:
        kept = await tx.fetchval("SELECT string_agg(digest::text, '') FROM recovery_code")
    assert codes[1] not in kept


async def test_a_wrong_code_changes_nothing_and_a_foreign_seal_is_refused(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "lincang-clerk")
    offered = await send(browser, "/account/factor", do="begin", password=PASSWORD)
    sealed = shown(offered, r'name="sealed" value="([^"]+)"')
    for given in ({"sealed": sealed, "code": "000000"}, {"sealed": "AAAA", "code": "000000"}):
        assert (await send(browser, "/account/factor", do="confirm", **given)).status_code == 422
    assert (await sign_in(browser, "lincang-clerk")).status_code == 303


@pytest.mark.parametrize("do", ["begin", "codes", "remove"])
async def test_an_open_session_alone_changes_no_factor_and_no_password(
    browser: httpx2.AsyncClient, do: str
) -> None:
    await sign_in(browser, "lincang-clerk")
    refused = await send(browser, "/account/factor", do=do, password="a guess of mine")
    assert refused.status_code == 401
    form = {"password": "a guess of mine", "new": OWN, "again": OWN}
    assert (await send(browser, "/account/password", **form)).status_code == 401
    assert (await sign_in(browser, "lincang-clerk")).status_code == 303


async def test_a_reset_takes_the_lost_phone_away_and_ends_every_session(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    await sign_in(browser, "lincang-clerk")
    await a_factor(browser)
    await sign_in(browser, "lincang-admin")
    page = await send(browser, f"/accounts/{await id_of(db, 'lincang-clerk')}", do="reset")
    first = shown(page, r"First password</dt><dd><code>([^<]+)<")
    let_in = await browser.post("/sign-in", data={"account": "lincang-clerk", "password": first})
    assert let_in.status_code == 303
    assert "own first" in (await browser.get("/account")).text


@required
async def test_who_may_see_names_sets_up_a_second_factor_before_anything_else(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "lincang-clerk")
    assert (await browser.get("/office")).headers["location"] == "/account"
    assert (await browser.get("/v1/tasks")).json()["code"] == "second_factor_required"
    given = {"account": "lincang-clerk", "password": PASSWORD}
    refused = await browser.post("/v1/tokens", json=given)
    assert refused.json()["code"] == "second_factor_required"
    factor, _ = await a_factor(browser)
    assert (await browser.get("/journeys")).status_code == 200
    given["totp"] = the_next(factor)
    assert (await browser.post("/v1/tokens", json=given)).status_code == 200


@required
async def test_an_auditor_sees_no_names_and_needs_no_second_factor(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "auditor-admin")
    assert (await browser.get("/journeys")).status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/do", 405)])
async def test_a_person_is_told_on_a_page_and_a_program_by_problem_details(
    browser: httpx2.AsyncClient, path: str, status: int
) -> None:
    page = await browser.get(path, headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
    assert page.status_code == status
    assert '<html lang="zh-CN"' in page.text
    assert "default-src 'none'; script-src" in page.headers["content-security-policy"]
    for asked, accept in ((path, "*/*"), ("/v1/nowhere", "text/html")):
        told = await browser.get(asked, headers={"Accept": accept})
        assert told.headers["content-type"] == "application/problem+json"
    assert "未能完成" in page.text or "没有找到" in page.text
