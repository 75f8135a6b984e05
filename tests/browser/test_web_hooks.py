"""A web hook is registered and tried on its page, and told by the running system what happens."""

import base64
import json

import pytest

from tests.browser.conftest import PHONE, Office, Town
from tests.integration.console.test_web_hooks import is_signed
from tests.support.receiver import a_receiver
from tests.support.world import eventually

WORDS = {"zh-CN": "对方已收到", "en-US": "It arrived"}


@pytest.mark.parametrize(("javascript", "locale"), [(True, "zh-CN"), (False, "en-US")])
async def test_a_hook_is_registered_tried_and_then_told_of_what_happens(
    desks: Office, town: Town, *, javascript: bool, locale: str
) -> None:
    world = town.world
    tenant = world.people["enterprise-changxing"].account.tenant_id
    async with (
        a_receiver() as receiver,
        desks.of("admin", PHONE, javascript=javascript, locale=locale) as desk,
    ):
        page = desk.page
        await desk.open(f"/web-hooks?tenant={tenant}")
        await page.fill("#add [name=title]", "人事系统")
        await page.fill("#add [name=url]", receiver.url)
        await page.check("#add [value=some]")
        await page.check("#add [value='recruitment.vacancy-posted']")
        await page.check("#add [value='recruitment.vacancy-withdrawn']")
        await page.click("#add button.primary")
        secret = await desk.text("#secret code")
        await page.click("[value=test]")
        assert WORDS[locale] in await desk.notice()
        vacancy = await world.vacancy(town.placed, "enterprise-changxing", 1)
        path = f"/v1/vacancies/{vacancy}/withdraw"
        await world.people["enterprise-changxing"].post("recruitment", path, {"reason": "other"})

        async def came() -> bool:
            return len(receiver.messages) >= 3

        await eventually(came, "the hook is told")
        told = [json.loads(m.body) for m in receiver.messages[1:]]
        assert {e["body"]["vacancy_id"] for e in told} == {vacancy}
        assert {e["type"].partition(".v1")[0] for e in told} == {
            "recruitment.vacancy-posted", "recruitment.vacancy-withdrawn",
        }  # fmt: skip
        key = base64.b64decode(secret.removeprefix("whsec_"))
        assert all(is_signed(m, key) for m in receiver.messages)

        async def noted() -> bool:
            await page.reload()
            return await desk.count("#deliveries .s-done") == 3

        await eventually(noted, "all that came is noted as delivered")
        await page.click("text=删除" if locale == "zh-CN" else "text=Delete")
        await page.check("[name=sure]")
        await page.click("button.danger")
        assert receiver.url not in await desk.text("main")
