"""A sheet of guests goes the way of a request for some, with its faults told row by row."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.lodging.__main__ import SERVICE
from tests.integration.lodging.test_requests import hired, new_hires
from tests.integration.lodging.world import USCC, World
from tests.support.http import a_coordinator, an_enterprise, an_inn, app_client, bearer
from tests.unit.recruitment.sheets import a_csv, a_workbook

HEADER = (
    "人员编号", "入住日期", "入住天数", "住宿项目", "同住组", "家庭", "客栈", "是否候补",
)  # fmt: skip


def row(world: World, worker_id: object, **overrides: object) -> list[object]:
    values = {"人员编号": worker_id, "入住日期": str(world.first_night), "入住天数": 5}
    return [{**values, **overrides}.get(word, "") for word in HEADER]


def a_sheet(*rows: Sequence[object], header: Sequence[str] = HEADER) -> bytes:
    return a_workbook(*rows, header=header)


async def send(
    client: httpx2.AsyncClient, sheet: bytes, name: str = "住宿申请.xlsx", **more: Any
) -> httpx2.Response:
    return await client.post("/v1/stay-sheets", files={"file": (name, sheet)}, **more)


async def me(world: World) -> Any:
    return await an_enterprise(world.db, tenant_id=world.enterprise_id, uscc=USCC)


@pytest.mark.parametrize("name", ["住宿申请.xlsx", "住宿申请.csv"])
async def test_good_rows_get_their_beds_and_bad_rows_are_told(world: World, name: str) -> None:
    await world.inn([2, 2])
    workers = await new_hires(world, 2)
    rows = [
        row(world, workers[0]),
        row(world, "张三", 入住天数="两周"),
        row(world, workers[1], 住宿项目="有“嘉”客栈", 是否候补="否"),
        row(world, workers[0]),
        row(world, uuid4(), 入住日期="2020-01-01"),
    ]
    data = a_sheet(*rows) if name.endswith("x") else a_csv(*rows, header=HEADER).encode("gb18030")
    async with app_client(SERVICE, world.db, await me(world)) as client:
        answer = await send(client, data, name)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    counts = {k: v for k, v in told.items() if k.endswith("_count")}
    assert counts == {"row_count": 5, "requested_count": 2, "rejected_count": 3}
    assert [(i["row"], i["column"], i["code"]) for i in told["issues"]] == [
        (3, "A", "worker_id_invalid"), (3, "C", "number_invalid"), (5, "A", "duplicate"),
        (6, "B", "day_gone"),
    ]  # fmt: skip
    assert all(i["message"].startswith("第") for i in told["issues"])
    assert "张三" not in answer.text
    await world.settle()
    assert {(await world.stay(w))["state"] for w in workers} == {"confirmed"}
    assert [s["row"] for s in told["stays"]] == [2, 4]
    assert {s["stay_id"] for s in told["stays"]} == {
        str((await world.stay(w))["stay_id"]) for w in workers
    }


async def test_a_group_of_rows_is_lodged_in_one_inn_or_waits_whole(world: World) -> None:
    await world.inn([2, 1], name="甲")
    await world.inn([2, 2], name="乙")
    four, five = await new_hires(world, 4), await new_hires(world, 5)
    rows = [row(world, w, 同住组="一组") for w in four] + [
        row(world, w, 同住组="二组") for w in five
    ]
    async with app_client(SERVICE, world.db, await me(world)) as client:
        answer = await send(client, a_sheet(*rows))
    assert answer.json()["requested_count"] == 9
    await world.settle()
    stays = [await world.stay(w) for w in four]
    assert {s["state"] for s in stays} == {"confirmed"}
    assert len({s["inn_id"] for s in stays}) == 1
    assert {(await world.stay(w))["state"] for w in five} == {"waitlisted"}


async def test_a_family_of_rows_shares_a_room(world: World) -> None:
    await world.inn([2])
    pair = [uuid4(), uuid4()]
    await world.hear(hired(world, pair[0]), hired(world, pair[1], gender="female"))
    async with app_client(SERVICE, world.db, await me(world)) as client:
        await send(client, a_sheet(*(row(world, w, 家庭="李家") for w in pair)))
    await world.settle()
    assert {(await world.stay(w))["state"] for w in pair} == {"confirmed"}


async def test_a_group_with_a_wrong_or_differing_row_is_left_out_whole(world: World) -> None:
    inn_id = await world.inn([8], name="嘉定店")
    workers = await new_hires(world, 7)
    rows = [
        row(world, workers[0], 同住组="甲"), row(world, workers[1], 同住组="甲", 入住天数="多"),
        row(world, workers[2], 同住组="乙"), row(world, workers[3], 同住组="乙", 入住天数=3),
        row(world, workers[4], 家庭="丙"), row(world, workers[5], 家庭="丙", 客栈="嘉定店"),
        row(world, workers[6], 客栈=str(inn_id)), row(world, uuid4(), 客栈="别处"),
    ]  # fmt: skip
    async with app_client(SERVICE, world.db, await me(world)) as client:
        answer = await send(client, a_sheet(*rows))
    told = answer.json()
    assert sorted((i["row"], i["code"]) for i in told["issues"]) == [
        (2, "group_incomplete"), (3, "number_invalid"), (4, "group_differs"), (5, "group_differs"),
        (6, "group_differs"), (7, "group_differs"), (9, "inn_unknown"),
    ]  # fmt: skip
    assert [s["row"] for s in told["stays"]] == [8]
    assert len(await world.stays()) == 1


async def test_the_commands_own_limits_hold_for_a_row(world: World) -> None:
    worker, other = await new_hires(world, 2)
    rows = [
        row(world, worker, 入住天数=400),
        row(world, uuid4(), 住宿项目="a b"),
        row(world, other),
    ]
    async with app_client(SERVICE, world.db, await me(world)) as client:
        answer = await send(client, a_sheet(*rows))
    assert [(i["row"], i["column"]) for i in answer.json()["issues"]] == [(2, "C"), (3, "D")]
    assert [s["row"] for s in answer.json()["stays"]] == [4]


async def test_personal_columns_are_neither_read_nor_kept(world: World) -> None:
    (worker,) = await new_hires(world, 1)
    header = (*HEADER, "姓名", "身份证号")
    cells = [*row(world, worker), "王小明", "11010519491231002X"]
    async with app_client(SERVICE, world.db, await me(world)) as client:
        answer = await send(client, a_sheet(cells, header=header))
    told = answer.json()
    assert [(i["header"], i["code"]) for i in told["issues"]] == [
        ("姓名", "personal_data"), ("身份证号", "personal_data"),
    ]  # fmt: skip
    assert told["requested_count"] == 1
    assert "王小明" not in answer.text
    assert "11010519491231002X" not in answer.text


async def test_a_sheet_without_a_good_row_asks_for_nothing(world: World) -> None:
    async with app_client(SERVICE, world.db, await me(world)) as client:
        answer = await send(client, a_sheet(row(world, "李四")))
        headless = await send(client, a_workbook(["x"], header=["姓名", "电话"]))
        broken = await send(client, b"x", "a.xlsx")
        nameless = await client.post("/v1/stay-sheets", data={"programme": "YOUJIA"})
        no_form = await client.post("/v1/stay-sheets", json={})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "no_valid_rows")
    assert [(e["pointer"], e["code"]) for e in told["errors"]] == [
        ("/rows/2/worker_id", "worker_id_invalid")
    ]
    assert (headless.status_code, headless.json()["code"]) == (422, "header_not_found")
    assert (broken.status_code, broken.json()["code"]) == (415, "content_mismatch")
    assert (nameless.status_code, no_form.status_code) == (415, 415)
    assert await world.stays() == []


async def test_only_who_may_ask_for_one_may_send_a_sheet(world: World) -> None:
    (worker,) = await new_hires(world, 1)
    data = a_sheet(row(world, worker))
    on_behalf = {"enterprise_id": str(world.enterprise_id)}
    mine = await me(world)
    async with app_client(SERVICE, world.db, await an_enterprise(world.db)) as client:
        inn = bearer(await an_inn(world.db, uuid4()))
        coordinator = bearer(await a_coordinator(world.db))
        assert (await send(client, data, headers=inn)).status_code == 403
        assert (await send(client, data, data=on_behalf)).status_code == 403
        assert (await send(client, data, headers=coordinator)).status_code == 422
        made = await send(client, data, headers=coordinator, data=on_behalf)
        assert made.status_code == 201
        seen = (await client.get("/v1/stays", headers=bearer(mine))).json()["items"]
        hidden = (await client.get("/v1/stays")).json()["items"]
    assert [UUID(s["worker_id"]) for s in seen] == [worker]
    assert hidden == []


async def test_the_same_sheet_with_the_same_key_counts_once(world: World) -> None:
    (worker,) = await new_hires(world, 1)
    key = {"Idempotency-Key": "sheet-1"}
    data = a_sheet(row(world, worker))
    async with app_client(SERVICE, world.db, await me(world)) as client:
        first = await send(client, data, headers=key)
        again = await send(client, data, headers=key)
        reused = await send(client, a_sheet(row(world, worker, 入住天数=1)), headers=key)
    assert first.json() == again.json()
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await world.stays()) == 1


async def test_a_thousand_rows_are_asked_for_in_requests_of_five_hundred(world: World) -> None:
    rows = [row(world, uuid4()) for _ in range(1001)]
    async with app_client(SERVICE, world.db, await me(world)) as client:
        answer = await send(client, a_sheet(*rows))
    stays = answer.json()["stays"]
    assert len(stays) == 1001
    sizes = Counter(s["stay_request_id"] for s in stays)
    assert sorted(sizes.values()) == [1, 500, 500]
