"""Vacancies and drives over HTTP: what is kept of them, and what is refused, with its place."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest_asyncio

from tests.integration.recruitment.world import (
    ENTERPRISE,
    JIADING,
    SEWER,
    TODAY,
    World,
    a_drive,
    a_nomination,
    ok,
)
from tests.support.http import a_coordinator, an_enterprise, an_office, app_client, bearer


@pytest_asyncio.fixture
async def client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    coordinator = await a_coordinator(world.db)
    async with app_client("recruitment", world.db, coordinator) as found:
        yield found


def body_of(drive_id: UUID, **overrides: Any) -> dict[str, Any]:
    fields = {
        "drive_id": str(drive_id),
        "enterprise_id": str(ENTERPRISE),
        "site": JIADING,
        "title": "缝纫工",
        "occupation_code": SEWER,
        "openings": 1,
        "starts_on": str(TODAY + timedelta(days=30)),
        "monthly_pay_min": 6000,
        "monthly_pay_max": 8000,
    }
    return fields | overrides


async def faults(client: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> list[Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 422, answer.text
    return [(e["pointer"], e["code"]) for e in answer.json()["errors"]]


async def test_a_labour_brand_is_kept_shown_said_and_looked_for(
    world: World, client: httpx2.AsyncClient
) -> None:
    drive_id = await world.open_drive(acceptance="on_nomination")
    brand = "nanxiang_dim_sum"
    plain = await ok(await client.post("/v1/vacancies", json=body_of(drive_id, openings=9)))
    made = await ok(await client.post("/v1/vacancies", json=body_of(drive_id, labour_brand=brand)))
    assert (plain["labour_brand"], made["labour_brand"]) == (None, brand)
    found = await ok(await client.get(f"/v1/vacancies?labour_brand={brand}"))
    assert [v["vacancy_id"] for v in found["items"]] == [made["vacancy_id"]]
    assert len((await ok(await client.get("/v1/vacancies")))["items"]) == 2
    one = await ok(await client.get(f"/v1/vacancies/{made['vacancy_id']}"))
    assert one["labour_brand"] == brand
    await world.nominate(*(a_nomination(drive_id) for _ in range(10)))
    (filled,) = [
        f for f in await world.said("vacancy-filled") if f["vacancy_id"] == made["vacancy_id"]
    ]
    assert filled["labour_brand"] == brand


async def test_a_brand_is_a_code_and_no_text(world: World, client: httpx2.AsyncClient) -> None:
    drive_id = await world.open_drive()
    body = body_of(drive_id, labour_brand="张三的品牌")
    assert await faults(client, "/v1/vacancies", body) == [("/labour_brand", "wrong_form")]


async def test_what_is_out_of_order_is_refused_at_its_place(
    world: World, client: httpx2.AsyncClient
) -> None:
    drive_id = await world.open_drive()
    body = body_of(drive_id, monthly_pay_max=5999, requirements={"age_min": 40, "age_max": 39})
    assert await faults(client, "/v1/vacancies", body) == [
        ("/monthly_pay_max", "max_below_min"),
        ("/requirements", "age_max_below_age_min"),
    ]
    assert await world.said("vacancy-posted") == []


async def test_a_drive_closes_on_the_day_of_its_opening_at_the_earliest(
    world: World, client: httpx2.AsyncClient
) -> None:
    told = a_drive().model_dump(mode="json", exclude={"drive_id"})
    broken = told | {"closes_on": str(TODAY - timedelta(days=1))}
    assert await faults(client, "/v1/drives", broken) == [("/closes_on", "closes_before_opens")]
    assert await world.said("drive-announced") == []
    made = await ok(await client.post("/v1/drives", json=told | {"closes_on": str(TODAY)}))
    assert (made["opens_on"], made["closes_on"]) == (str(TODAY), str(TODAY))


async def test_an_office_reports_the_drives_of_its_origins_and_what_was_offered_there(
    world: World,
) -> None:
    here = await world.open_drive({"openings": 5}, {"openings": 7})
    await world.open_drive({"openings": 100}, origins=("532500",))
    await world.open_drive({"openings": 3}, opens_on=TODAY - timedelta(days=40))
    gone = await world.post(here, openings=50)
    async with app_client("recruitment", world.db, await a_coordinator(world.db)) as client:
        await ok(await client.post(f"/v1/vacancies/{gone}/withdraw", json={}))
        everywhere = await ok(await client.get("/v1/statistics"))
    async with app_client("recruitment", world.db, await an_office(world.db)) as client:
        mine = await ok(await client.get("/v1/statistics"))
        quarter = await ok(await client.get(f"/v1/statistics?since={TODAY}"))
        before = await ok(await client.get(f"/v1/statistics?as_of={TODAY - timedelta(days=1)}"))
        backwards = await client.get(f"/v1/statistics?since={TODAY + timedelta(days=9)}")
        enterprise = bearer(await an_enterprise(world.db))
        assert (await client.get("/v1/statistics", headers=enterprise)).status_code == 403
    counted = [
        [told[name] for name in ("drives_held", "vacancies_posted", "posts_offered")]
        for told in (everywhere, mine, quarter, before)
    ]
    assert counted == [[3, 4, 115], [2, 3, 15], [1, 2, 12], [1, 0, 0]]
    assert backwards.status_code == 422
