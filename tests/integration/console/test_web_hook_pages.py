"""The pages of web hooks: registered, tried and mended without a script, by administrators only."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio

from contracts.console import TenantRegistered
from services.console.consumers import HANDLERS
from services.console.domain.web_hook import kinds_for
from services.console.handlers.tenants import register_tenant
from services.console.settings import ConsoleSettings
from services.console.store.accounts import insert_account
from shared.database import Database
from shared.identity import Identity
from tests.integration.console.test_account_pages import send, shown
from tests.integration.console.test_pages import FOREIGN, IDS, INLINE, account, once_hashed, sign_in
from tests.integration.console.test_projection import Way
from tests.support.events import heard, received
from tests.support.http import app_client
from tests.support.postgres import ServiceDb

ADMIN = account("works-admin", "enterprise", roles=["admin"], uscc="91350100M000100Y43")
CLERK = {**ADMIN, "account": "works-clerk", "roles": []}
OTHER = account("lincang-admin", "office", roles=["admin"])
URL = "http://127.0.0.1:9/in"


@pytest_asyncio.fixture
async def db(service_db: ServiceDb) -> Database:
    found = await service_db("console")
    async with found.transaction(role="worker") as tx:
        for one in (ADMIN, OTHER):
            tenant = {**one, "kind": one["tenant_kind"], "name": one["tenant_name"], "active": True}
            await register_tenant(tx, TenantRegistered.model_validate(tenant))
        for one in (ADMIN, CLERK, OTHER):
            who = Identity(
                IDS.uuid7(), UUID(one["tenant_id"]), one["tenant_kind"], frozenset(one["roles"])
            )
            await insert_account(tx, who, one["account"], await once_hashed())
    return found


@pytest_asyncio.fixture
async def browser(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx2.AsyncClient]:
    # Nobody sends here, so nothing comes of a trial.
    monkeypatch.setattr("services.console.pages.web_hooks.TRIAL_WAIT_S", 0.0)
    away = dict.fromkeys(
        ("registry_url", "recruitment_url", "transport_url", "lodging_url"), "http://127.0.0.1:9"
    )
    settings = ConsoleSettings.model_construct(
        signing_key_file=tmp_path / "signing.pem", local_stack=True, issuer_url="http://issuer",
        seed_file=None, second_factor="optional", **away,
    )  # fmt: skip
    async with app_client("console", db, settings=settings) as opened:
        opened.headers["Accept-Language"] = "en"
        await sign_in(opened, "works-admin")
        yield opened


async def registered(browser: httpx2.AsyncClient, **form: Any) -> tuple[str, str]:
    """Register a hook on the page; give its page's path and its secret."""
    fields = {"title": "人事系统", "url": URL, "which": "all"} | form
    made = await send(browser, "/web-hooks", **fields)
    assert made.status_code == 200
    assert not INLINE.search(made.text)
    assert not FOREIGN.search(made.text)
    return shown(made, r'action="(/web-hooks/[0-9a-f-]{36})"'), shown(made, r"(whsec_[^<]+)<")


async def place(db: Database, count: int = 1) -> list[str]:
    ways = [Way() for _ in range(count)]
    for way in ways:
        way.enterprise_id = UUID(ADMIN["tenant_id"])
    found = await heard(db, HANDLERS, [received(w.confirmed(), 1, w.nomination_id) for w in ways])
    return [str(r.envelope.id) for r in found]


async def test_a_hook_is_registered_its_secret_shown_once_and_all_its_deeds_done_by_forms(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    path, secret = await registered(browser)
    page = await browser.get(path)
    assert secret not in page.text
    assert "人事系统" in (await browser.get("/web-hooks")).text
    (event_id,) = await place(db)
    page = await browser.get(path)
    assert event_id in page.text
    # Whose it was is one click away.
    journey = shown(page, r'href="(/journeys/[0-9a-f-]{36})"')
    assert (await browser.get(journey)).status_code == 200
    for do, state in (("pause", "paused"), ("resume", "active")):
        assert (await send(browser, path, do=do)).status_code == 303
        async with db.transaction(role="worker") as tx:
            assert await tx.fetchval("SELECT state FROM web_hook") == state
    assert (await send(browser, path, do="test")).status_code == 303
    turned = await send(browser, path, do="rotate")
    assert shown(turned, r"(whsec_[^<]+)<") != secret
    gone = await send(browser, path, do="delete", sure="on")
    assert gone.headers["location"] == "/web-hooks"
    assert (await browser.get(path)).status_code == 404


async def test_what_failed_is_told_again_ticked_or_all_of_it_and_its_reason_is_said(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    path, _ = await registered(browser)
    ids = await place(db, 3)
    async with db.transaction(role="worker") as tx:
        await tx.execute("UPDATE hook_delivery SET state = 'failed', error = 'timeout'")
    page = await browser.get(path, params={"state": "failed"})
    assert "no answer within 15 s" in page.text
    assert "Tell all 3 failed again" in page.text
    assert (await send(browser, path, do="replay", id=ids[:1])).status_code == 303
    assert await states(db) == {"waiting": 1, "failed": 2}
    await send(browser, path, do="replay_failed")
    assert await states(db) == {"waiting": 3}
    assert "told again" in (await browser.get(path)).text
    assert "works-admin" in (await browser.get(path)).text


async def states(db: Database) -> dict[str, int]:
    async with db.transaction(role="worker") as tx:
        rows = await tx.fetch("SELECT state, count(*) AS n FROM hook_delivery GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


async def test_which_events_are_told_is_chosen_one_by_one_or_all_at_once(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    one = "lodging.stay-confirmed"
    path, _ = await registered(browser, which="some", event_types=[one])

    async def kinds() -> list[str]:
        async with db.transaction(role="worker") as tx:
            found: list[str] = await tx.fetchval("SELECT event_types FROM web_hook")
            return found

    assert await kinds() == [one]
    changed = {"title": "另一个", "url": URL, "which": "all", "event_types": [one]}
    assert (await send(browser, path, do="change", **changed)).status_code == 303
    assert await kinds() == list(kinds_for("enterprise"))
    assert "另一个" in (await browser.get("/web-hooks")).text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "https://10.0.0.1/in"}, "Addresses inside a network are refused"),
        ({"url": "ftp://127.0.0.1/in"}, "must begin with https://"),
        ({"which": "some"}, "Choose at least one kind"),
        ({"title": "张三 13800138000"}, "must not hold 7 digits"),
        ({"title": " "}, "The length is out of range"),
    ],
)
async def test_what_is_wrong_is_said_beside_the_form_and_what_was_typed_stays(
    browser: httpx2.AsyncClient, wrong: dict[str, Any], said: str
) -> None:
    fields = {"title": "人事系统", "url": URL, "which": "all"} | wrong
    page = await send(browser, "/web-hooks", **fields)
    assert page.status_code == 422
    assert said in page.text
    assert fields["url"] in page.text


async def test_nobody_but_an_administrator_has_the_page_and_only_of_the_own_organisation(
    browser: httpx2.AsyncClient,
) -> None:
    path, _ = await registered(browser)
    await sign_in(browser, "works-clerk")
    for page in ("/web-hooks", path):
        assert (await browser.get(page)).status_code == 403
    assert "/web-hooks" not in (await browser.get("/")).text
    await sign_in(browser, "lincang-admin")
    assert (await browser.get(path)).status_code == 404
    assert (await send(browser, path, do="rotate")).status_code == 404
    asked = await browser.get("/web-hooks", params={"tenant": ADMIN["tenant_id"]})
    assert "人事系统" not in asked.text


async def test_the_first_page_tells_administrators_of_a_hook_that_was_paused_by_the_system(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    path, _ = await registered(browser)
    assert path not in (await browser.get("/")).text
    async with db.transaction(role="worker") as tx:
        await tx.execute("UPDATE web_hook SET state = 'paused', paused_why = 'failing'")
    assert path in (await browser.get("/")).text
    await sign_in(browser, "works-clerk")
    assert path not in (await browser.get("/")).text
