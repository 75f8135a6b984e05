"""Each role's main task from sign-in to its result, in a real browser on the real stack."""

import asyncio
import io
import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from shared.clock import SHANGHAI
from stack import web_assets
from stack.people import RosterSpec, invented_rows
from tests.browser.conftest import DESKTOP, PHONE, Desk, Office, Town
from tests.browser.test_access import faults
from tests.support.rosters import xlsx
from tests.support.world import eventually
from tests.unit.recruitment.sheets import a_row, a_workbook

CLICKS_MAX = 8
DEADLINE_MS = 60_000


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_stranger_is_told_what_was_wrong(desks: Office, *, javascript: bool) -> None:
    async with desks.of(None, PHONE, javascript=javascript) as desk:
        await desk.page.fill("[name=account]", "office-lincang")
        await desk.page.fill("[name=password]", "not the right one")
        await desk.page.click("button.primary")
        assert "账号或密码不正确" in await desk.notice()
        assert await desk.page.input_value("[name=account]") == "office-lincang"
        # The browser itself notes the refusal.
        desk.complaints.clear()


def a_faulty_roster(drive_rows: int) -> tuple[bytes, dict[str, str]]:
    """Give a roster with one broken phone, and what mends it."""
    rows = invented_rows(RosterSpec(drive_rows, 9_905, "530900", group_share=0.0))
    right = rows[2]["联系电话"]
    rows[2]["联系电话"] = "12345"
    headers = list(rows[0])
    table = [headers, *([row[h] for h in headers] for row in rows)]
    return xlsx(table), {"联系电话": right}


def mended(marked: bytes, right: dict[str, str]) -> bytes:
    """Do what an office does in its spreadsheet: write the right values into the marked rows."""
    book = openpyxl.load_workbook(io.BytesIO(marked))
    sheet: Any = book.active
    columns = {str(cell.value): cell.column for cell in sheet[1]}
    for name, value in right.items():
        sheet.cell(row=2, column=columns[name]).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def test_an_office_sends_a_roster_and_mends_it_within_eight_clicks(
    desks: Office, tmp_path: Path
) -> None:
    clicks = 0

    async def click(desk: Desk, what: str) -> None:
        nonlocal clicks
        clicks += 1
        await desk.page.click(what)

    content, right = a_faulty_roster(5)
    (tmp_path / "花名册.xlsx").write_bytes(content)
    async with desks.of("office-lincang", DESKTOP) as desk:
        await click(desk, "text=上传花名册")
        clicks += 1  # choosing the file
        await desk.page.set_input_files("[name=file]", tmp_path / "花名册.xlsx")
        await click(desk, "text=提交并核验")
        await desk.page.wait_for_selector("[data-final=yes]")
        fault = await desk.text("#faults tbody tr")
        assert "联系电话" in fault
        assert "12345" not in fault
        async with desk.page.expect_download() as download:
            await click(desk, "text=下载标注表格")
        marked = await (await download.value).path()
        (tmp_path / "改好.xlsx").write_bytes(mended(marked.read_bytes(), right))
        clicks += 1
        await desk.page.set_input_files(".again [name=file]", tmp_path / "改好.xlsx")
        await click(desk, "text=再次提交")
        await desk.page.wait_for_selector(".s-accepted")
        assert "全部通过" in await desk.text("main")
    assert clicks <= CLICKS_MAX


async def test_without_scripts_a_roster_is_sent_and_its_result_read(
    desks: Office, tmp_path: Path
) -> None:
    content, _ = a_faulty_roster(4)
    (tmp_path / "r.xlsx").write_bytes(content)
    async with desks.of("office-lincang", PHONE, javascript=False, locale="en-US") as desk:
        await desk.open("/office")
        await desk.page.set_input_files("[name=file]", tmp_path / "r.xlsx")
        await desk.page.click("text=Send and check")
        # The page asks again by itself until the rows are checked.
        await desk.page.wait_for_selector(".mend", timeout=DEADLINE_MS)
        assert "must be mended" in await desk.text("#issues")
        await desk.page.click(".kinds a:has-text('A mobile number has 11 digits')")
        assert "code=phone_invalid" in desk.page.url
        assert await desk.count("#faults tbody tr") == 1


async def test_a_file_that_is_no_roster_is_refused_where_it_was_chosen(
    desks: Office, tmp_path: Path
) -> None:
    (tmp_path / "roster.xlsx").write_bytes(b"<html>no workbook</html>")
    async with desks.of("office-honghe", DESKTOP) as desk:
        await desk.open("/office")
        await desk.page.set_input_files("[name=file]", tmp_path / "roster.xlsx")
        await desk.page.click("text=提交并核验")
        assert await desk.text("#upload .notice") != ""
        desk.complaints.clear()


async def test_an_office_answers_its_offers_without_scripts(desks: Office, town: Town) -> None:
    async with desks.of("office-lincang", PHONE, javascript=False) as desk:
        await desk.page.wait_for_load_state()
        boxes = desk.page.locator("input[name=id]")
        assert await boxes.count() >= 12
        for n in range(await boxes.count() - 1):
            await boxes.nth(n).check()
        await desk.page.click("button[value='offer.accept']")
        assert "接受录用：完成" in await desk.notice()
        await desk.page.locator("input[name=id]").first.check()
        await desk.page.select_option("select[name=reason]", "too_far")
        await desk.page.click("button[value='offer.decline']")
        assert "谢绝录用：完成 1 项" in await desk.notice()
    await town.world.settled(town.asked)


async def test_an_enterprise_confirms_the_beds_that_are_held_for_it(
    desks: Office, town: Town
) -> None:
    async with desks.of("enterprise-nanxiang", DESKTOP, locale="en-US") as desk:

        async def held() -> bool:
            await desk.open("/")
            return await desk.count("button[value='stay.confirm']") > 0

        await eventually(held, "a bed is held for the enterprise")
        await desk.page.check("[data-all]")
        await desk.page.click("button[value='stay.confirm']")
        assert re.search(r"confirm the bed: \d+ done", await desk.notice())


async def test_an_enterprise_sees_who_arrives_and_posts_a_vacancy(
    desks: Office, town: Town
) -> None:
    async with desks.of("enterprise-changxing", PHONE) as desk:
        await desk.open("/enterprise")
        assert "嘉定区" in await desk.text("#arrivals")
        await desk.page.click("#post summary")
        day = (await town.world.today() + timedelta(days=40)).isoformat()
        for name, value in {
            "title": "叉车司机", "occupation": "电子装配工", "site": "二号厂区", "town": "安亭镇",
            "openings": "3", "starts_on": day, "monthly_pay_min": "5000",
            "monthly_pay_max": "7000",
        }.items():  # fmt: skip
            await desk.page.fill(f"#post [name={name}]", value)
        await desk.page.select_option("#post [name=division_code]", "310114")
        await desk.page.select_option("#post [name=labour_brand]", "nanxiang_dim_sum")
        await desk.page.click("#post .primary")
        assert "岗位已发布" in await desk.notice()
        assert "叉车司机" in await desk.text("#vacancies")
        assert "南翔小笼中式面点师" in await desk.text("#vacancies")


@pytest.mark.parametrize("javascript", [True, False])
async def test_an_enterprise_posts_a_sheet_and_reads_what_is_wrong_with_which_row(
    desks: Office, town: Town, tmp_path: Path, *, javascript: bool
) -> None:
    start = str(await town.world.today() + timedelta(days=40))
    name = f"整表岗位{int(javascript)}"
    rows = [
        a_row(到岗日期=start, 岗位名称=name),
        a_row(到岗日期=start, 岗位名称="坏岗位", 招聘人数="若干", 区县="某某区"),
    ]
    (tmp_path / "岗位.xlsx").write_bytes(a_workbook(*rows))
    (tmp_path / "坏岗位.xlsx").write_bytes(a_workbook(rows[1]))
    async with desks.of("enterprise-changxing", PHONE, javascript=javascript) as desk:
        await desk.open("/enterprise")
        await desk.page.click("#sheet summary")
        async with desk.page.expect_download() as download:
            await desk.page.click("text=下载空白岗位表")
        empty = (await (await download.value).path()).read_bytes()
        book = openpyxl.load_workbook(io.BytesIO(empty))
        assert str(book.worksheets[0]["A1"].value).startswith("岗位名称")
        await desk.page.set_input_files("#sheet [name=file]", tmp_path / "岗位.xlsx")
        await desk.page.click("text=核验并发布")
        wrong = await desk.texts("#faults tbody tr")
        assert any("招聘人数" in f and "3" in f for f in wrong)
        assert await desk.texts(".figures dd") == ["1", "1"]
        if javascript:
            # Nobody comes to this page by its address alone.
            axe = await asyncio.to_thread(web_assets.browser().axe.read_text, "utf-8")
            assert await faults(desk, axe) == []
        await desk.page.click("text=回到岗位")
        assert name in await desk.text("#vacancies")
        assert "怒放浦江建筑工" in await desk.text("#vacancies")
        await desk.page.click("#sheet summary")
        await desk.page.set_input_files("#sheet [name=file]", tmp_path / "坏岗位.xlsx")
        await desk.page.click("text=核验并发布")
        assert await desk.texts(".figures dd") == ["0", "1"]
        # The browser itself notes the refusal.
        desk.complaints.clear()


async def test_an_enterprise_asks_for_beds_for_its_new_hires(desks: Office, town: Town) -> None:
    async with desks.of("enterprise-changxing", DESKTOP) as desk:
        await desk.open(f"/rosters/{town.hires}")
        await desk.page.check("#people [data-all]")
        await desk.page.click("text=申请床位")
        assert "床位申请已提交" in await desk.notice()
    await town.world.rest()


async def test_news_comes_to_the_monitor_by_itself_and_a_pause_counts_it(
    desks: Office, town: Town
) -> None:
    async with desks.of("coordinator", DESKTOP) as desk:
        await desk.open("/monitor")
        await desk.page.wait_for_selector("[data-link][data-state=on]")
        title = {"title": "即时专场一", **_drive(town)}
        await town.world.coordinator.post("recruitment", "/v1/drives", title)
        news = desk.page.locator(".stream li", has_text="即时专场一")
        await news.wait_for(timeout=DEADLINE_MS)
        await desk.page.click("[data-pause-button]")
        title = {"title": "即时专场二", **_drive(town)}
        await town.world.coordinator.post("recruitment", "/v1/drives", title)
        await desk.page.get_by_text("已暂停，期间 1 条").wait_for(timeout=DEADLINE_MS)
        assert "即时专场二" not in await desk.page.inner_text(".stream")
        await desk.page.click("[data-pause-button]")
        await desk.page.locator(".stream li", has_text="即时专场二").wait_for(timeout=DEADLINE_MS)
        await desk.page.select_option("[name=service]", "lodging")
        await desk.page.click(".filters button")
        assert "service=lodging" in desk.page.url
        await desk.page.locator(".stream .svc").first.wait_for(timeout=DEADLINE_MS)
        services = await desk.texts(".stream .svc")
        assert set(services) == {"过渡住宿"}


def _drive(town: Town) -> dict[str, Any]:
    day = town.placed.window.first_day
    return {
        "kind": "job_fair", "origins": ["341200"], "enterprises": [], "opens_on": str(day),
        "closes_on": str(day), "acceptance": "by_office", "runs_transport": False,
    }  # fmt: skip


async def test_after_a_lost_link_the_monitor_goes_on_and_leaves_nothing_out(
    desks: Office, town: Town
) -> None:
    async with desks.of("coordinator", DESKTOP) as desk:
        await desk.open("/monitor")
        await desk.page.wait_for_selector("[data-link][data-state=on]")
        await desk.context.set_offline(True)
        await desk.page.evaluate("source.dispatchEvent(new Event('error'))")
        for n in range(3):
            body = {"title": f"离线专场{n}", **_drive(town)}
            await town.world.coordinator.post("recruitment", "/v1/drives", body)
        await desk.context.set_offline(False)
        for n in range(3):
            row = desk.page.locator(".stream li", has_text=f"离线专场{n}")
            await row.wait_for(timeout=DEADLINE_MS)
            assert await row.count() == 1
        desk.complaints.clear()


async def test_a_journey_tells_who_caused_what(desks: Office, town: Town) -> None:
    journey = (await town.world.journeys(town.placed))[0]
    async with desks.of("office-honghe", PHONE, locale="en-US") as desk:
        await desk.open(f"/journeys/{journey['journey_id']}")
        told = await desk.text(".timeline")
        assert "nominated a worker" in told
        assert "caused by no." in told
        assert await desk.count(".rail .r-reached") >= 3


async def test_a_manifest_is_printed_with_names(desks: Office, town: Town) -> None:
    async with desks.of("coordinator", DESKTOP) as desk:
        await desk.open(f"/trips/{town.placed.trips[0]}")
        async with desk.page.expect_download() as download:
            await desk.page.click("text=Excel")
        content = (await (await download.value).path()).read_bytes()
        book = openpyxl.load_workbook(io.BytesIO(content))
        cells = {str(c.value) for row in book.worksheets[0].iter_rows() for c in row}
        assert cells & {row["姓名"] for row in town.placed.rows}


async def test_a_trip_is_boarded_on_a_phone_and_handed_over(desks: Office, town: Town) -> None:
    window, trip = town.placed.window, town.placed.trips[0]
    await town.world.advance_to(datetime.combine(window.leaves_on, time(7, 30), SHANGHAI))
    async with desks.of("coordinator", PHONE) as desk:
        await desk.open(f"/trips/{trip}")
        await desk.page.click("text=显示姓名")
        assert "本次查看已留痕" in await desk.text("main")
        names = {row["姓名"] for row in town.placed.rows}
        shown = await desk.texts("td label")
        assert len(names & {name.strip() for name in shown}) >= 10
        for box in await desk.page.locator("td.tick input").all():
            await box.check()
        await desk.page.click("button[value=board]")
        assert "已核验上车" in await desk.notice()
        await desk.open(f"/trips/{trip}")
        await desk.page.click("text=发车")
        await town.world.advance_to(datetime.combine(window.arrives_on, time(16), SHANGHAI))
        await desk.open(f"/trips/{trip}")
        await desk.page.click("text=登记抵达")
    async with desks.of("enterprise-changxing", PHONE, javascript=False) as desk:
        await desk.open(f"/trips/{trip}")
        await desk.page.click("text=办理交接")
        assert "交接已登记" in await desk.notice()


async def test_a_guest_is_found_by_name_and_checked_in_on_a_phone(
    desks: Office, town: Town
) -> None:
    async with desks.of("inn-jiading", PHONE) as desk:
        await desk.open("/inn")
        await desk.page.click("text=显示姓名")
        first = desk.page.locator("[data-filterable] tbody tr", has_text="办理入住").first
        name = (await first.locator("td").nth(1).inner_text()).split()[0]
        assert name in {row["姓名"] for row in town.world.rows}
        assert name not in desk.page.url
        await desk.page.fill("[data-finder] input", name)
        await desk.page.locator("tr:visible button", has_text="办理入住").first.click()
        assert "办理入住：完成 1 项" in await desk.notice()
        row = desk.page.locator("[data-filterable] tbody tr", has_text=name).first
        assert "已入住" in await row.inner_text()


async def test_names_are_neither_in_addresses_nor_in_the_console_s_log(
    desks: Office, town: Town
) -> None:
    async with desks.of("inn-jiading", PHONE) as desk:
        await desk.open("/inn")

    async def logged() -> str:
        found = (town.world.plan.logs / "console-1.log").read_text("utf-8")
        return found if '"path": "/inn"' in found else ""

    log = await eventually(logged, "the visit is in the log")
    for row in (*town.placed.rows, *town.asked.rows):
        for personal in (row["姓名"], row["身份证号"], row["联系电话"]):
            assert personal not in log
