"""A Chromium, a running stack, and a small world in which every role has something to do."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright

from stack import web_assets
from stack.plan import Plan
from tests.support.stack import People, people, stack
from tests.support.world import Campaign, Wanted, World

__all__ = ["people", "stack"]

HERE = Path(__file__).parent
# The package's arguments are for a server without a screen; these make it another browser.
_UNWANTED = frozenset({
    "--single-process", "--no-zygote", "--disable-web-security", "--allow-running-insecure-content",
})  # fmt: skip
PHONE, DESKTOP = (360, 740), (1920, 1080)
#: A browser on a machine at work: its first start is the longest.
PATIENCE_MS = 90_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the whole stack."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest_asyncio.fixture(scope="package")
async def chromium() -> AsyncIterator[Browser]:
    """The browser, started once."""
    async with a_chromium() as browser:
        yield browser


@asynccontextmanager
async def a_chromium(*more: str) -> AsyncIterator[Browser]:
    """Start a browser; `more` are arguments beside its own."""
    found = await asyncio.to_thread(web_assets.browser)
    arguments = [a for a in found.arguments if a not in _UNWANTED and "--headless" not in a]
    arguments += more
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.executable, args=arguments, timeout=PATIENCE_MS
        )
        yield browser
        await browser.close()


@dataclass
class Town:
    """The world, its two campaigns, and whatever the browser asked for."""

    world: World
    asked: Campaign
    placed: Campaign
    hires: str
    requests: list[str] = field(default_factory=list)


@pytest_asyncio.fixture(scope="package")
async def town(stack: Plan, people: People) -> Town:
    """Offers wait for an office, holds for an enterprise, beds for guests, seats for passengers."""
    world = World(stack, people)
    await world.open_house()
    asked = await world.campaign(
        Wanted(openings=(30,), acceptance="by_office", enterprises=("enterprise-nanxiang",))
    )
    placed = await world.campaign(Wanted("532500", openings=(20,)))
    await world.roster(asked, 12, boarding_share=1.0, bed_share=1.0)
    await world.roster(placed, 12, boarding_share=1.0, bed_share=1.0)
    hires = await world.hires("enterprise-changxing", 4)
    await world.batch(hires)
    await world.settled(asked, placed)
    return Town(world, asked, placed, hires)


@dataclass
class Desk:
    """One person at a browser; every request is noted, and what the page complains about."""

    page: Page
    context: BrowserContext
    base: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        await self.page.goto(self.base + path)

    async def notice(self) -> str:
        """Give what the page says about the form that was just sent."""
        return await self.text(".notice")

    async def text(self, selector: str) -> str:
        """Give a part of the page once all of it has come: who clicks waits for its beginning."""
        await self.page.wait_for_load_state()
        return await self.page.inner_text(selector)

    async def texts(self, selector: str) -> list[str]:
        """Give all such parts of the page once all of it has come; there may be none."""
        await self.page.wait_for_load_state()
        return await self.page.locator(selector).all_inner_texts()

    async def count(self, selector: str) -> int:
        """Count such parts of the page once all of it has come."""
        return len(await self.texts(selector))

    def check(self) -> None:
        """Hold the browser to our own origin, and the page to its own policy."""
        assert {urlsplit(url).netloc for url in self.requests} == {urlsplit(self.base).netloc}
        assert self.complaints == []


@dataclass
class Office:
    """Lets people sit down: `async with desks.of("office-lincang", size=PHONE) as desk`."""

    chromium: Browser
    plan: Plan

    def password(self, account: str) -> str:
        seeds = json.loads(self.plan.accounts_file.read_text("utf-8"))
        return str(next(s["password"] for s in seeds if s["account"] == account))

    @asynccontextmanager
    async def of(
        self, account: str | None, size: Sequence[int] = DESKTOP, **options: Any
    ) -> AsyncIterator[Desk]:
        """Give a desk, signed in through the sign-in page; `javascript=False` has no scripts."""
        context = await self.chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=options.get("locale", "zh-CN"),
            color_scheme=options.get("theme", "light"),
            java_script_enabled=options.get("javascript", True),
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE_MS)
        base = self.plan.ports.url("console")
        desk = Desk(await context.new_page(), context, base)
        self._listen(desk)
        await desk.open("/")
        if account is not None:
            await desk.page.fill("[name=account]", account)
            await desk.page.fill("[name=password]", self.password(account))
            await desk.page.click("button.primary")
            await desk.page.wait_for_selector("nav.nav")
            await desk.page.wait_for_load_state()
        try:
            yield desk
            desk.check()
        finally:
            await context.close()

    def _listen(self, desk: Desk) -> None:
        def request(one: Request) -> None:
            if not one.url.startswith(("data:", "blob:")):
                desk.requests.append(one.url)

        desk.context.on("request", request)
        desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        desk.page.on(
            "console", lambda m: desk.complaints.append(m.text) if m.type == "error" else None
        )


@pytest.fixture(scope="package")
def desks(chromium: Browser, stack: Plan, town: Town) -> Office:
    """Desks for the accounts of the stack."""
    return Office(chromium, stack)
