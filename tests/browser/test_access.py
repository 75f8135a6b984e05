"""Every page for everybody: axe finds nothing serious, on a phone and a wall, by day and night."""

import asyncio
from typing import Any

import pytest

from stack import web_assets
from tests.browser.conftest import DESKTOP, PHONE, Desk, Office, Town

_RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.filter(v => ["serious", "critical"].includes(v.impact))
    .map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target.join(" ")).join(" | ")}`);
}"""
_UNFOLD = "for (const one of document.querySelectorAll('details')) one.open = true"
_WIDE = "[document.documentElement.scrollWidth, window.innerWidth]"
PATHS = {
    None: ("/", "/nowhere"),
    "admin": (
        "/", "/accounts", "/account", "/monitor/dead-letters", "/web-hooks?tenant={tenant}",
        "/web-hooks/{hook}",
    ),
    "auditor": ("/monitor", "/journeys"),
    "coordinator": (
        "/", "/monitor", "/monitor/pictures", "/monitor/journeys", "/monitor/dead-letters",
        "/trips", "/trips/{trip}", "/trips/{trip}/boarding", "/journeys/{hires}",
    ),
    "office-lincang": (
        "/", "/nowhere", "/account", "/office", "/rosters/{batch}", "/journeys/{journey}",
    ),
    "enterprise-changxing": ("/", "/enterprise", "/rosters/{hires}"),
    "inn-jiading": ("/", "/inn", "/inn/{inn}/desk"),
}  # fmt: skip


async def places(town: Town) -> dict[str, Any]:
    journeys = await town.world.journeys(town.asked)
    return {
        "trip": town.placed.trips[0],
        "batch": town.asked.batches[0],
        "journey": journeys[0]["journey_id"],
        "hires": town.hires,
        "inn": town.world.people["inn-jiading"].account.inn_ids[0],
        "tenant": town.world.people["enterprise-changxing"].account.tenant_id,
        "hook": await a_hook(town),
    }


async def a_hook(town: Town) -> str:
    """Give a hook of an enterprise that nobody answers at, with a trial on its page."""
    admin, path = town.world.people["admin"], "/v1/web-hooks"
    tenant = town.world.people["enterprise-changxing"].account.tenant_id
    if not (found := (await admin.get("console", path, tenant_id=tenant))["items"]):
        body = {
            "title": "人事系统", "url": "http://127.0.0.1:9/in", "tenant_id": tenant,
            "event_types": ["console.tenant-changed"],
        }  # fmt: skip
        found = [await admin.post("console", path, body)]
        await admin.post("console", f"{path}/{found[0]['web_hook_id']}/test")
    return str(found[0]["web_hook_id"])


async def faults(desk: Desk, axe: str) -> list[str]:
    """Ask axe in both themes and at both sizes, and whether the page is wider than its window."""
    if not await desk.page.evaluate("'axe' in window"):
        await desk.page.evaluate(axe)
    found = []
    for width, height in (PHONE, DESKTOP):
        await desk.page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            await desk.page.emulate_media(color_scheme=theme)
            found += [f"{width} px {theme} {one}" for one in await desk.page.evaluate(_RUN)]
        needed, there = await desk.page.evaluate(_WIDE)
        found += [] if needed <= there else [f"{needed} px wide in a window of {there}"]
    return found


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
@pytest.mark.parametrize("account", PATHS)
async def test_nothing_serious_stands_between_a_page_and_anybody(
    desks: Office, town: Town, account: str | None, locale: str
) -> None:
    """Axe is asked of every page in both themes, at 360 and 1920 px, in both languages."""
    axe = await asyncio.to_thread(web_assets.browser().axe.read_text, "utf-8")
    told = await places(town)
    async with desks.of(account, PHONE, locale=locale) as desk:
        for path in PATHS[account]:
            await desk.open(path.format(**told))
            await desk.page.evaluate(_UNFOLD)
            assert await faults(desk, axe) == [], path
        desk.complaints.clear()


async def test_axe_would_find_what_is_wrong(desks: Office) -> None:
    axe = await asyncio.to_thread(web_assets.browser().axe.read_text, "utf-8")
    async with desks.of(None, PHONE) as desk:
        await desk.page.evaluate(
            "document.querySelector('input[name=account]').closest('label').replaceWith("
            "document.querySelector('input[name=account]'))"
        )
        assert any("label" in fault for fault in await faults(desk, axe))


async def test_the_first_tab_leads_to_the_content(desks: Office) -> None:
    async with desks.of("office-lincang", DESKTOP) as desk:
        await desk.page.keyboard.press("Tab")
        assert await desk.page.evaluate("document.activeElement.className") == "skip"
        await desk.page.keyboard.press("Enter")
        await desk.page.wait_for_function("document.activeElement.id === 'main'")
