"""A sheet of vacancies goes the way of single ones, with its faults told row by row."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.recruitment.__main__ import SERVICE
from tests.integration.recruitment.world import TODAY, World, ok
from tests.support.http import a_coordinator, an_enterprise, an_office, app_client, bearer
from tests.unit.recruitment.sheets import HEADER, a_csv, a_row, a_workbook

SOON = str(TODAY + timedelta(days=30))


def good(**overrides: object) -> list[object]:
    return a_row(HEADER, **{"到岗日期": SOON, **overrides})


async def send(
    client: httpx2.AsyncClient, drive_id: UUID, data: bytes, name: str = "岗位.xlsx", **more: Any
) -> httpx2.Response:
    fields = {"drive_id": str(drive_id), **more.pop("fields", {})}
    return await client.post(
        "/v1/vacancy-sheets", data=fields, files={"file": (name, data)}, **more
    )


@pytest.mark.parametrize("name", ["岗位.xlsx", "岗位.csv"])
async def test_good_rows_are_posted_and_bad_rows_told(world: World, name: str) -> None:
    me = await an_enterprise(world.db)
    drive_id = await world.open_drive(enterprises=(me.tenant_id,))
    rows = [good(), good(招聘人数="若干", 区县="某某区"), good(岗位名称="电工", 工种="电工")]
    data = a_workbook(*rows) if name.endswith("xlsx") else a_csv(*rows).encode("gb18030")
    async with app_client(SERVICE, world.db, me) as client:
        answer = await send(client, drive_id, data, name)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        listed = await ok(await client.get("/v1/vacancies"))
    counts = {k: v for k, v in told.items() if k.endswith("_count")}
    assert counts == {"row_count": 3, "posted_count": 2, "rejected_count": 1}
    assert [(v["row"], v["state"]) for v in told["vacancies"]] == [(2, "posted"), (4, "posted")]
    assert [(i["row"], i["column"], i["code"]) for i in told["issues"]] == [
        (3, "C", "number_invalid"), (3, "G", "division_unknown"),
    ]  # fmt: skip
    posted = await world.said("vacancy-posted")
    assert [p["vacancy_id"] for p in posted] == [v["vacancy_id"] for v in told["vacancies"]]
    assert {p["tenant"] for p in posted} == {str(me.tenant_id)}
    assert {v["vacancy_id"] for v in listed["items"]} == {p["vacancy_id"] for p in posted}
    first = next(v for v in listed["items"] if v["vacancy_id"] == posted[0]["vacancy_id"])
    assert first["site"] == {"name": "嘉定一号车间", "division_code": "310114", "town": "南翔镇"}
    assert first["labour_brand"] == "nufang_pujiang_builder"
    assert (first["openings"], first["requirements"]["education_code"]) == (20, "70")


async def test_the_commands_own_rules_hold_for_a_row_and_echo_nothing(world: World) -> None:
    me = await an_enterprise(world.db)
    drive_id = await world.open_drive(enterprises=(me.tenant_id,))
    rows = [
        good(岗位名称="缝纫工 13800138000"),
        good(月薪="7500-5500"),
        good(招聘人数=20_000),
        good(年龄要求="45-18"),
        good(年龄要求="12-18"),
        good(工作地点="张三13900139000"),
        good(住宿项目="有"),
        good(),
    ]
    async with app_client(SERVICE, world.db, me) as client:
        answer = await send(client, drive_id, a_workbook(*rows))
    assert answer.status_code == 201, answer.text
    assert [(i["row"], i["column"], i["code"]) for i in answer.json()["issues"]] == [
        (2, "A", "personal_data"),
        (3, "E", "max_below_min"),
        (4, "C", "out_of_range"),
        (5, "J", "age_max_below_age_min"),
        (6, "J", "out_of_range"),
        (7, "F", "personal_data"),
        (8, "M", "wrong_form"),
    ]
    assert all(i["message"].startswith("第") for i in answer.json()["issues"])
    assert "13800138000" not in answer.text
    assert "13900139000" not in answer.text
    assert len(await world.said("vacancy-posted")) == 1


async def test_a_sheet_without_a_good_row_posts_nothing(world: World) -> None:
    me = await an_enterprise(world.db)
    drive_id = await world.open_drive(enterprises=(me.tenant_id,))
    async with app_client(SERVICE, world.db, me) as client:
        answer = await send(client, drive_id, a_workbook(good(招聘人数="若干")))
        broken = await send(client, drive_id, b"x", "a.xlsx")
        nameless = await client.post("/v1/vacancy-sheets", data={"drive_id": str(drive_id)})
        driveless = await client.post("/v1/vacancy-sheets", files={"file": ("a.csv", b"a")})
        no_form = await client.post("/v1/vacancy-sheets", json={})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "no_valid_rows")
    assert [(e["pointer"], e["code"]) for e in told["errors"]] == [
        ("/rows/2/openings", "number_invalid")
    ]
    assert (broken.status_code, broken.json()["code"]) == (415, "content_mismatch")
    assert (nameless.status_code, driveless.status_code, no_form.status_code) == (415, 422, 415)
    assert await world.said("vacancy-posted") == []


async def test_only_who_may_post_one_may_post_a_sheet(world: World) -> None:
    me, other = await an_enterprise(world.db), await an_enterprise(world.db)
    drive_id = await world.open_drive(enterprises=(me.tenant_id,))
    data = a_workbook(good())
    on_behalf = {"enterprise_id": str(me.tenant_id)}
    coordinator = bearer(await a_coordinator(world.db))
    async with app_client(SERVICE, world.db, other) as client:
        office = bearer(await an_office(world.db))
        assert (await send(client, drive_id, data, headers=office)).status_code == 403
        assert (await send(client, drive_id, data, fields=on_behalf)).status_code == 403
        assert (await send(client, drive_id, data)).status_code == 404
        assert (await send(client, drive_id, data, headers=coordinator)).status_code == 422
        made = await send(client, drive_id, data, headers=coordinator, fields=on_behalf)
        assert made.status_code == 201
        await world.close_drive(drive_id)
        late = await send(client, drive_id, data, headers=bearer(me))
    assert (late.status_code, late.json()["code"]) == (409, "wrong_state")
    assert [p["tenant"] for p in await world.said("vacancy-posted")] == [str(me.tenant_id)]


async def test_the_same_sheet_with_the_same_key_is_posted_once(world: World) -> None:
    me = await an_enterprise(world.db)
    drive_id = await world.open_drive(enterprises=(me.tenant_id,))
    key = {"Idempotency-Key": "sheet-1"}
    data = a_workbook(good())
    async with app_client(SERVICE, world.db, me) as client:
        first = await send(client, drive_id, data, headers=key)
        again = await send(client, drive_id, data, headers=key)
        reused = await send(client, drive_id, a_workbook(good(招聘人数=1)), headers=key)
    assert first.json() == again.json()
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await world.said("vacancy-posted")) == 1


async def test_an_enterprise_fetches_the_template_and_the_brands_and_an_office_no_template(
    world: World,
) -> None:
    async with app_client(SERVICE, world.db, await an_enterprise(world.db)) as client:
        answer = await client.get("/v1/vacancy-template.xlsx")
        assert (answer.status_code, answer.content[:2]) == (200, b"PK")
        assert "vacancies.xlsx" in answer.headers["content-disposition"]
        brands = (await ok(await client.get("/v1/labour-brands")))["items"]
        assert {"code": "caiyun_blue_firefighter", "name": "彩云之蓝消防员"} in brands
    async with app_client(SERVICE, world.db, await an_office(world.db)) as client:
        assert (await client.get("/v1/vacancy-template.xlsx")).status_code == 403
