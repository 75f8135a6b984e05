"""Nobody sees what isn't theirs, and nobody does what isn't theirs to do."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.identity import Identity
from tests.integration.recruitment.world import (
    TODAY,
    World,
    a_nomination,
    ok,
)
from tests.support.http import (
    a_coordinator,
    an_admin,
    an_auditor,
    an_enterprise,
    an_inn,
    an_office,
    app_client,
)

LISTS = ("drives", "vacancies", "offers", "placements", "retention-checks")


class Scene:
    """Two offices and two enterprises with a job each in a drive, and a drive elsewhere."""

    def __init__(self, world: World, **who: Identity) -> None:
        self.world = world
        self.who = who

    async def ids(self, name: str, thing: str) -> set[str]:
        """List what a caller sees, by id."""
        key = thing.removesuffix("s").replace("-", "_") + "_id"
        key = {"vacancie_id": "vacancy_id"}.get(key, key)
        async with app_client("recruitment", self.world.db, self.who[name]) as client:
            found = await ok(await client.get(f"/v1/{thing}?limit=200"))
        return {i[key] for i in found["items"]}

    async def status(self, name: str, method: str, path: str, body: Any = None) -> int:
        async with app_client("recruitment", self.world.db, self.who[name]) as client:
            answer = await client.request(method, path, json=body)
        return answer.status_code


@pytest.fixture
async def scene(world: World) -> Scene:
    lincang = await an_office(world.db, division_code="530900")
    honghe = await an_office(world.db, division_code="532500")
    fuyang = await an_office(world.db, division_code="341200")
    one, two = await an_enterprise(world.db), await an_enterprise(world.db)
    drive_id = await world.open_drive(
        {"enterprise_id": one.tenant_id, "requirements": {"gender": "female"}},
        {"enterprise_id": two.tenant_id, "requirements": {"gender": "male"}},
        origins=("530000",),
        enterprises=(one.tenant_id, two.tenant_id),
    )
    await world.open_drive(origins=("340000",), enterprises=(two.tenant_id,))
    mine = a_nomination(drive_id, office_id=lincang.tenant_id, gender="female")
    theirs = a_nomination(drive_id, office_id=honghe.tenant_id, gender="male")
    await world.nominate(mine, theirs)
    coordinator = await a_coordinator(world.db)
    async with app_client("recruitment", world.db, coordinator) as client:
        for offer in await world.said("offer-made"):
            await ok(await client.post(f"/v1/offers/{offer['offer_id']}/accept"))
        for placement in await world.said("placement-confirmed"):
            await ok(await client.post(f"/v1/placements/{placement['placement_id']}/start"))
    return Scene(
        world, lincang=lincang, honghe=honghe, fuyang=fuyang, one=one, two=two,
        coordinator=coordinator, auditor=await an_auditor(world.db),
        inn=await an_inn(world.db), admin=await an_admin(world.db),
    )  # fmt: skip


async def test_each_tenant_lists_its_own_and_the_bureau_everything(scene: Scene) -> None:
    for thing in LISTS:
        all_ids = await scene.ids("coordinator", thing)
        assert all_ids == await scene.ids("auditor", thing)
        assert len(all_ids) == (4 if thing == "retention-checks" else 2)
        assert await scene.ids("inn", thing) == set()
    for thing in LISTS[2:]:
        lincang, honghe = await scene.ids("lincang", thing), await scene.ids("honghe", thing)
        assert lincang
        assert honghe
        assert not lincang & honghe
        assert await scene.ids("one", thing) == lincang
        assert await scene.ids("two", thing) == honghe
        assert await scene.ids("fuyang", thing) == set()
    assert await scene.ids("lincang", "drives") == await scene.ids("one", "drives")
    assert len(await scene.ids("two", "drives")) == 2
    assert not await scene.ids("fuyang", "drives") & await scene.ids("lincang", "drives")
    assert not await scene.ids("one", "vacancies") & await scene.ids("two", "vacancies")


async def test_a_foreign_id_is_not_found_by_any_route(scene: Scene) -> None:
    (offer,) = await scene.ids("honghe", "offers")
    (placement,) = await scene.ids("honghe", "placements")
    (vacancy,) = await scene.ids("two", "vacancies")
    check = min(await scene.ids("honghe", "retention-checks"))
    drive = min(await scene.ids("two", "drives") - await scene.ids("one", "drives") or {"-"})
    foreign: list[tuple[str, str, str, Any]] = [
        ("lincang", "GET", f"/v1/offers/{offer}", None),
        ("lincang", "POST", f"/v1/offers/{offer}/accept", None),
        ("lincang", "POST", f"/v1/offers/{offer}/decline", {}),
        ("lincang", "GET", f"/v1/placements/{placement}", None),
        ("lincang", "POST", f"/v1/retention-checks/{check}/answer", {"result": "left"}),
        ("lincang", "GET", f"/v1/drives/{drive}", None),
        ("lincang", "GET", f"/v1/drives/{drive}/matches", None),
        ("lincang", "GET", f"/v1/vacancies/{vacancy}", None),
        ("one", "GET", f"/v1/vacancies/{vacancy}", None),
        ("one", "POST", f"/v1/vacancies/{vacancy}/withdraw", {}),
        ("one", "POST", f"/v1/offers/{offer}/withdraw", {}),
        ("one", "POST", f"/v1/placements/{placement}/cancel", {}),
        ("one", "POST", f"/v1/placements/{placement}/change", {}),
        ("one", "POST", f"/v1/placements/{placement}/start", {}),
        ("one", "POST", f"/v1/placements/{placement}/end", {}),
    ]
    for name, method, path, body in foreign:
        assert await scene.status(name, method, path, body) == 404, path


async def test_with_row_security_off_the_same_lists_show_everybodys(scene: Scene) -> None:
    """The negative control: what lists leave out is left out by the policies alone."""
    conn = await asyncpg.connect(scene.world.superuser_url)
    for table in ("offer", "placement", "retention_check", "vacancy", "drive"):
        await conn.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        await conn.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    await conn.close()
    for thing in LISTS:
        assert await scene.ids("fuyang", thing) == await scene.ids("coordinator", thing)


async def test_a_right_that_is_missing_is_refused(scene: Scene) -> None:
    (offer,) = await scene.ids("lincang", "offers")
    (placement,) = await scene.ids("lincang", "placements")
    drive = min(await scene.ids("one", "drives"))
    refused: list[tuple[str, str, Any]] = [
        ("lincang", f"/v1/offers/{offer}/withdraw", {}),
        ("lincang", f"/v1/placements/{placement}/start", {}),
        ("one", f"/v1/offers/{offer}/accept", None),
        ("one", f"/v1/drives/{drive}/match", None),
        ("one", f"/v1/drives/{drive}/close", None),
        ("inn", f"/v1/placements/{placement}/cancel", {}),
        ("auditor", f"/v1/placements/{placement}/cancel", {}),
        ("admin", f"/v1/drives/{drive}/match", None),
    ]
    for name, path, body in refused:
        assert await scene.status(name, "POST", path, body) == 403, path
    async with app_client("recruitment", scene.world.db) as client:
        assert (await client.get("/v1/offers")).status_code == 401


async def test_an_enterprise_posts_for_itself_and_a_coordinator_on_its_behalf(
    scene: Scene,
) -> None:
    drive = min(await scene.ids("one", "drives"))
    body: dict[str, Any] = {
        "drive_id": drive,
        "site": {"name": "一厂", "division_code": "310114", "town": "南翔镇"},
        "title": "装配工",
        "occupation_code": "6-99-00-00",
        "openings": 3,
        "starts_on": str(TODAY),
        "monthly_pay_min": 5000,
        "monthly_pay_max": 6000,
        "requirements": {"age_max": 45},
    }
    assert await scene.status("one", "POST", "/v1/vacancies", body) == 201
    other = {"enterprise_id": str(scene.who["two"].tenant_id)}
    assert await scene.status("one", "POST", "/v1/vacancies", body | other) == 403
    assert await scene.status("coordinator", "POST", "/v1/vacancies", body) == 422
    assert await scene.status("coordinator", "POST", "/v1/vacancies", body | other) == 201
    stranger = {"enterprise_id": str(UUID(int=7))}
    assert await scene.status("coordinator", "POST", "/v1/vacancies", body | stranger) == 422
    for wrong in (
        {"title": "联系电话13800138000"},
        {"openings": 0},
        {"monthly_pay_max": 1},
        {"starts_on": "yesterday"},
        {"unknown": 1},
    ):
        assert await scene.status("one", "POST", "/v1/vacancies", body | wrong) == 422, wrong
    async with app_client("recruitment", scene.world.db, scene.who["one"]) as client:
        answer = await client.post("/v1/vacancies", json=body | {"title": "电话13800138000"})
    assert "13800138000" not in answer.text
    assert answer.json()["errors"][0]["code"] == "personal_data"


async def test_lists_come_page_by_page(scene: Scene) -> None:
    seen: list[str] = []
    cursor = ""
    async with app_client("recruitment", scene.world.db, scene.who["coordinator"]) as client:
        while True:
            url = f"/v1/retention-checks?limit=3{cursor}"
            found = await ok(await client.get(url))
            seen += [i["retention_check_id"] for i in found["items"]]
            if found["next_cursor"] is None:
                break
            cursor = f"&cursor={found['next_cursor']}"
    assert len(seen) == len(set(seen)) == 4
    assert seen == sorted(seen, reverse=True)
