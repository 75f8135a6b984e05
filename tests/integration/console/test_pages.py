"""Pages at their edge: sessions, our own forms only, and nobody sees what isn't theirs."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx2
import pyotp
import pytest
import pytest_asyncio

from contracts import OWNER_TENANT_ID, Event
from contracts.console import TenantRegistered
from services.console.consumers import HANDLERS
from services.console.feed_bell import FeedBell
from services.console.handlers.passwords import hashed
from services.console.handlers.sign_in import SecondFactors
from services.console.handlers.tenants import register_tenant
from services.console.pages import live
from services.console.pages.live import Live, Told
from services.console.pages.visit import SESSION_COOKIE, Visit
from services.console.settings import ConsoleSettings
from services.console.store.accounts import Session, insert_account
from services.console.views.events import EventFilter
from services.console.words import EN, Words
from shared.database import Database
from shared.http import House
from shared.identity import Identity
from shared.ids import Ids
from tests.integration.console.test_projection import Way
from tests.support.events import heard, received
from tests.support.http import app_client
from tests.support.postgres import ServiceDb

IDS = Ids()
PASSWORD = "a long enough password"
INLINE = re.compile(
    r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", re.IGNORECASE
)
FOREIGN = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""")


def account(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "account": name, "password": PASSWORD, "tenant_id": str(IDS.uuid7()), "tenant_kind": kind,
        "tenant_name": name, "roles": [], "division_code": "530900", **fields,
    }  # fmt: skip


LINCANG = account("office-lincang", "office")
HONGHE = account("office-honghe", "office")
BUREAU = account(
    "coordinator", "bureau", tenant_id=str(OWNER_TENANT_ID), roles=["coordinator"],
    division_code="310000",
)  # fmt: skip


@pytest_asyncio.fixture
async def db(service_db: ServiceDb) -> Database:
    found = await service_db("console")
    # One slow hash for all of them: they have the same password.
    password_hash = await once_hashed()
    async with found.transaction(role="worker") as tx:
        for one in (LINCANG, HONGHE, BUREAU):
            tenant = {**one, "kind": one["tenant_kind"], "name": one["tenant_name"], "active": True}
            await register_tenant(tx, TenantRegistered.model_validate(tenant))
            identity = Identity(
                IDS.uuid7(), UUID(one["tenant_id"]), one["tenant_kind"], frozenset(one["roles"])
            )
            await insert_account(tx, identity, one["account"], password_hash)
    return found


async def once_hashed(known: list[str] = []) -> str:  # noqa: B006 (it is the memory)
    if not known:
        known.append(await hashed(PASSWORD))
    return known[0]


@pytest_asyncio.fixture
async def browser(db: Database, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    # Nobody listens there: pages have to do without the other services.
    away = dict.fromkeys(
        ("registry_url", "recruitment_url", "transport_url", "lodging_url"), "http://127.0.0.1:9"
    )
    settings = ConsoleSettings.model_construct(
        signing_key_file=tmp_path / "signing.pem", local_stack=True, issuer_url="http://issuer",
        seed_file=None, **away,
    )  # fmt: skip
    async with app_client("console", db, settings=settings) as opened:
        yield opened


async def sign_in(browser: httpx2.AsyncClient, name: str, **form: str) -> httpx2.Response:
    return await browser.post("/sign-in", data={"account": name, "password": PASSWORD} | form)


async def token_of(browser: httpx2.AsyncClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', (await browser.get("/")).text)
    assert found
    return found[1]


async def test_who_is_not_signed_in_is_asked_to_and_brought_back(
    browser: httpx2.AsyncClient,
) -> None:
    sent = await browser.get("/monitor?service=lodging")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/?next=/monitor%3Fservice%3Dlodging"
    asked = await browser.get("/?next=/monitor")
    assert 'name="next" value="/monitor"' in asked.text
    back = await sign_in(browser, "coordinator", next="/monitor")
    assert back.headers["location"] == "/monitor"


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example", "//elsewhere.example"])
async def test_signing_in_leads_to_our_own_pages_only(
    browser: httpx2.AsyncClient, elsewhere: str
) -> None:
    back = await sign_in(browser, "office-lincang", next=elsewhere)
    assert back.headers["location"] == "/"


async def test_a_session_s_cookie_is_out_of_reach_of_scripts_and_other_sites(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await sign_in(browser, "office-lincang")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(SESSION_COOKIE)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_wrong_credentials_are_said_on_the_page_and_the_password_is_not_repeated(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await browser.post(
        "/sign-in",
        data={"account": "office-lincang", "password": "not the right one"},
        headers={"Accept-Language": "en"},
    )
    assert answer.status_code == 401
    assert "Account or password is wrong." in answer.text
    assert "not the right one" not in answer.text
    assert SESSION_COOKIE not in answer.cookies


async def test_a_second_factor_is_asked_for_when_there_is_one(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    house: House = browser._transport.app.state.house  # type: ignore[attr-defined]
    secret = pyotp.random_base32()
    desk = next(r for r in house._resources if hasattr(r, "factors"))
    factors: SecondFactors = desk.factors
    async with db.transaction(role="worker") as tx:
        await tx.execute(
            "UPDATE account SET totp_sealed = $1 WHERE name = 'coordinator'", factors.seal(secret)
        )
    asked = await sign_in(browser, "coordinator")
    assert asked.status_code == 401
    assert asked.text.count('name="totp"') == 1
    let_in = await sign_in(browser, "coordinator", totp=pyotp.TOTP(secret).now())
    assert let_in.status_code == 303


async def test_signing_out_ends_the_session_here_not_only_in_the_browser(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "office-lincang")
    kept = browser.cookies[SESSION_COOKIE]
    await browser.post("/sign-out", data={"form_token": await token_of(browser)})
    browser.cookies.set(SESSION_COOKIE, kept, domain="test")
    assert (await browser.get("/journeys")).headers["location"].startswith("/?next=")


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({}, {}),
        ({"form_token": "guessed"}, {}),
        ({"right": "yes"}, {"Sec-Fetch-Site": "cross-site"}),
        ({"right": "yes"}, {"Origin": "https://elsewhere.example"}),
    ],
)
async def test_a_form_that_is_not_this_session_s_own_does_nothing(
    browser: httpx2.AsyncClient, form: dict[str, str], headers: dict[str, str]
) -> None:
    await sign_in(browser, "office-lincang")
    if form.pop("right", None):
        form = {"form_token": await token_of(browser)}
    for path in ("/do", "/sign-out", "/rosters"):
        refused = await browser.post(path, data=form, headers=headers)
        assert refused.status_code == 403, path
    assert (await browser.get("/journeys")).status_code == 200


async def test_the_api_takes_the_session_but_commands_only_with_its_form_token(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "office-lincang")
    assert (await browser.get("/v1/tasks")).status_code == 200
    body = {"account": "second", "password": PASSWORD}
    refused = await browser.post("/v1/accounts", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_form_token")
    token = {"X-Form-Token": await token_of(browser)}
    # Past that gate the right itself is missing: an office's account without a role.
    assert (await browser.post("/v1/accounts", json=body, headers=token)).json()[
        "code"
    ] == "forbidden"
    elsewhere = token | {"Sec-Fetch-Site": "cross-site"}
    refused = await browser.post("/v1/accounts", json=body, headers=elsewhere)
    assert refused.json()["code"] == "wrong_form_token"


async def hear(db: Database, way: Way, *events: Event) -> None:
    await heard(db, HANDLERS, [received(e, 1, way.nomination_id) for e in events])


def way_of(tenant: dict[str, Any]) -> Way:
    way = Way()
    way.office_id = Ids().uuid7()
    way.__dict__["office_id"] = type(way.office_id)(tenant["tenant_id"])
    return way


async def test_an_office_finds_its_own_journeys_and_no_other(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    mine, other = way_of(LINCANG), way_of(HONGHE)
    for way in (mine, other):
        await hear(db, way, way.nominated(), way.confirmed())
    await sign_in(browser, "office-lincang")
    found = (await browser.get("/journeys")).text
    assert str(mine.nomination_id) in found
    assert str(other.nomination_id) not in found
    told = await browser.get(f"/journeys/{mine.nomination_id}", headers={"Accept-Language": "en"})
    assert "<b>office-lincang</b> nominated a worker" in told.text
    foreign = await browser.get(f"/journeys/{other.nomination_id}")
    assert foreign.status_code == 404
    nobody = await browser.get(f"/journeys/{IDS.uuid7()}")
    assert re.sub(r"[0-9a-f-]{36}|link.*", "", foreign.text) == re.sub(
        r"[0-9a-f-]{36}|link.*", "", nobody.text
    )


async def test_the_monitor_is_for_coordinators(browser: httpx2.AsyncClient) -> None:
    await sign_in(browser, "office-lincang")
    for path in ("", "/pictures", "/stream", "/standing", "/dead-letters"):
        assert (await browser.get(f"/monitor{path}")).status_code == 403, path


async def test_the_monitor_stands_while_every_other_service_is_away(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    way = way_of(LINCANG)
    await hear(db, way, way.nominated())
    await sign_in(browser, "coordinator")
    page = await browser.get("/monitor", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "nominated a worker from" in page.text
    assert page.text.count("does not answer") == 4


async def test_no_page_holds_script_or_style_or_another_origin(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    way = way_of(LINCANG)
    await hear(db, way, way.nominated(), way.confirmed())
    paths = (
        "/", "/monitor", "/monitor/pictures", "/monitor/dead-letters", "/journeys",
        f"/monitor/journeys/{way.nomination_id}", "/office", "/nowhere",
    )  # fmt: skip
    pages = [await browser.get("/")]
    await sign_in(browser, "coordinator")
    for page in [*pages, *[await browser.get(path) for path in paths]]:
        if "html" not in page.headers["content-type"]:
            continue
        assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
        assert not INLINE.search(page.text), page.url
        assert not FOREIGN.search(page.text), page.url
    assert INLINE.search('<p style="x">')
    assert FOREIGN.search('<a href="https://elsewhere.example">')


async def test_language_and_theme_are_kept_when_once_chosen(browser: httpx2.AsyncClient) -> None:
    first = await browser.get("/", headers={"Accept-Language": "fr"})
    assert '<html lang="zh-CN"' in first.text
    await browser.get("/?lang=en&theme=dark")
    later = await browser.get("/", headers={"Accept-Language": "zh-CN"})
    assert '<html lang="en" data-theme="dark"' in later.text


async def test_an_asset_may_be_kept_for_ever_because_its_address_tells_its_content(
    browser: httpx2.AsyncClient,
) -> None:
    found = re.search(r'href="(/static/[0-9a-f]{12}/shanhai\.css)"', (await browser.get("/")).text)
    assert found
    sheet = await browser.get(found[1])
    assert "immutable" in sheet.headers["cache-control"]
    older = await browser.get("/static/000000000000/shanhai.css")
    assert older.content == sheet.content
    assert older.headers["cache-control"] == "no-cache"
    assert (await browser.get("/static/x/..%2Fsettings.py")).status_code == 404


def a_visit(house: House, request: Any) -> Visit:
    identity = Identity(IDS.uuid7(), OWNER_TENANT_ID, "bureau", frozenset({"coordinator"}))
    return Visit(request, house, Session(identity, "c", "bureau", "t"), Words(EN), "auto")


async def test_the_stream_goes_on_after_the_last_position_and_leaves_nothing_out(
    db: Database, browser: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_S", 0.01)
    house: House = browser._transport.app.state.house  # type: ignore[attr-defined]
    ways = [way_of(LINCANG) for _ in range(5)]
    for way in ways:
        await hear(db, way, way.nominated())
    left = iter([False, True])

    async def is_disconnected() -> bool:
        return next(left)

    visit = a_visit(house, SimpleNamespace(is_disconnected=is_disconnected))
    await house.resource(FeedBell).ring()
    frames = [f async for f in Live(visit, EventFilter(), 2).frames()]
    frame = next(f for f in frames if b"data: " in f).decode()
    items = json.loads(frame.partition("data: ")[2])
    assert [i["id"] for i in items] == [3, 4, 5]
    assert frame.startswith("id: 5\n")
    assert [i["journey"] for i in items] == [str(w.nomination_id) for w in ways[2:]]


async def test_a_list_is_exported_as_it_was_seen_and_the_export_is_noted(
    db: Database, browser: httpx2.AsyncClient
) -> None:
    mine, other = way_of(LINCANG), way_of(HONGHE)
    for way in (mine, other):
        await hear(db, way, way.nominated(), way.confirmed())
    await sign_in(browser, "office-lincang")
    sheet = await browser.get("/exports/journeys.csv?state=moving")
    assert sheet.content.startswith(b"\xef\xbb\xbf")
    lines = sheet.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert str(mine.nomination_id) in lines[1]
    (line,) = (await browser.get("/exports/journeys.jsonl")).text.splitlines()
    assert json.loads(line)["journey_id"] == str(mine.nomination_id)
    assert (await browser.get("/exports/events.csv")).status_code == 403
    async with db.transaction(role="worker") as tx:
        rows = await tx.fetch("SELECT list, format, row_count FROM export_log ORDER BY export_id")
    assert [tuple(r) for r in rows] == [("journeys", "csv", 1), ("journeys", "jsonl", 1)]


async def test_a_filter_gets_a_name_for_everyone_who_watches_and_loses_it_again(
    browser: httpx2.AsyncClient,
) -> None:
    await sign_in(browser, "coordinator")
    token = await token_of(browser)
    form = {"form_token": token, "name": "床位", "service": "lodging"}
    await browser.post("/monitor/filters", data=form)
    page = (await browser.get("/monitor")).text
    assert '<a href="/monitor?service=lodging">床位</a>' in page
    # Its name is shown to others: nobody's number gets there.
    await browser.post("/monitor/filters", data=form | {"name": "13800001111"})
    assert "13800001111" not in (await browser.get("/monitor")).text
    await browser.post("/monitor/filters", data=form | {"do": "forget"})
    assert ">床位<" not in (await browser.get("/monitor")).text
    await sign_in(browser, "office-lincang")
    form["form_token"] = await token_of(browser)
    assert (await browser.post("/monitor/filters", data=form)).status_code == 403


async def test_streams_that_ask_alike_are_read_once_and_each_gets_everything(
    db: Database, browser: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAUSE_S", 0.0)
    house: House = browser._transport.app.state.house  # type: ignore[attr-defined]
    told, wanted = house.resource(Told), EventFilter()
    for way in (way_of(LINCANG) for _ in range(3)):
        await hear(db, way, way.nominated())
    visit, bell = a_visit(house, SimpleNamespace()), house.resource(FeedBell)
    first = await told.next(visit, wanted, 0, bell.count)
    again = await told.next(visit, wanted, 0, bell.count)
    assert again is first
    assert (first.position, b"data: " in first.frames) == (3, True)
    # Another filter, another place: read for itself.
    lodging = await told.next(visit, EventFilter(service="lodging"), 0, bell.count)
    assert b"data: " not in lodging.frames
    way = way_of(LINCANG)
    await hear(db, way, way.nominated())
    # Nobody has rung: the feed's end is as it was. After a ring it is looked up again.
    assert (await told.next(visit, wanted, 3, bell.count)).position == 3
    await bell.ring()
    later = await told.next(visit, wanted, 3, bell.count)
    assert later.position == 4
    assert str(way.nomination_id) in later.frames.decode()
