"""An administrator invites somebody, who makes the account their own, with and without scripts."""

import pyotp
import pytest

from tests.browser.conftest import PHONE, Desk, Office

OWN = "a password of my own"


async def sign_in(desk: Desk, name: str, password: str, code: str = "") -> None:
    await desk.open("/")
    await desk.page.fill("[name=account]", name)
    await desk.page.fill("[name=password]", password)
    if code:
        await desk.page.click("details summary")
        await desk.page.fill("[name=totp]", code)
    await desk.page.click("button.primary")


@pytest.mark.parametrize(("javascript", "locale"), [(True, "zh-CN"), (False, "en-US")])
async def test_an_account_is_handed_out_made_one_s_own_and_secured(
    desks: Office, *, javascript: bool, locale: str
) -> None:
    name = f"clerk-{locale.lower()}"
    async with desks.of("admin", PHONE, javascript=javascript, locale=locale) as desk:
        await desk.open("/accounts")
        await desk.page.fill("#invite [name=account]", name)
        await desk.page.check("#invite [value=admin]")
        await desk.page.click("#invite .primary")
        handed = await desk.texts(".handed code")
        assert handed[0] == name
        assert name in await desk.text("#list")
    async with desks.of(None, PHONE, javascript=javascript, locale=locale) as desk:
        await sign_in(desk, name, handed[1])
        await desk.open("/monitor")
        assert desk.page.url.endswith("/account")
        await desk.page.fill("#password [name=password]", handed[1])
        for field in ("new", "again"):
            await desk.page.fill(f"#password [name={field}]", OWN)
        await desk.page.click("#password button")
        await desk.page.fill("#factor [name=password]", OWN)
        await desk.page.click("#factor .primary")
        assert await desk.page.wait_for_selector("svg.qr")
        secret = (await desk.text(".letters")).replace(" ", "")
        await desk.page.fill("[name=code]", pyotp.TOTP(secret).now())
        await desk.page.click("#factor .primary")
        codes = await desk.texts("#codes code")
        assert len(codes) == 10
    async with desks.of(None, PHONE, javascript=javascript, locale=locale) as desk:
        await sign_in(desk, name, OWN, codes[0])
        await desk.page.wait_for_selector("nav.nav")
