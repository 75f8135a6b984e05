"""Lodging's routes: what each kind of caller may do, and that nobody sees what isn't theirs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from shared.identity import Identity
from tests.integration.lodging.world import USCC, World
from tests.support import http
from tests.support.http import app_client, bearer

OFFICE, ENTERPRISE, INN = "office", "enterprise", "inn"


@dataclass
class Callers:
    """A client, and one caller of each kind; `other_*` have nothing to do with the stays."""

    client: Any
    who: dict[str, Identity]

    async def get(self, who: str, url: str, **params: Any) -> Any:
        return await self.client.get(url, params=params, headers=bearer(self.who[who]))

    async def post(self, who: str, url: str, body: Any = None, **headers: str) -> Any:
        return await self.client.post(
            url,
            json=body,
            headers=bearer(self.who[who]) | {k.replace("_", "-"): v for k, v in headers.items()},
        )

    async def put(self, who: str, url: str, body: Any) -> Any:
        return await self.client.put(url, json=body, headers=bearer(self.who[who]))


@pytest_asyncio.fixture
async def callers(world: World) -> AsyncIterator[Callers]:
    inn_id = await world.inn([2, 2], name="嘉定店")
    who = {
        "office": await http.an_office(world.db, tenant_id=world.office_id),
        "other_office": await http.an_office(world.db),
        "enterprise": await http.an_enterprise(world.db, tenant_id=world.enterprise_id, uscc=USCC),
        "other_enterprise": await http.an_enterprise(world.db),
        "inn": await http.an_inn(world.db, inn_id),
        "other_inn": await http.an_inn(world.db),
        "coordinator": await http.a_coordinator(world.db),
        "escort": await http.an_escort(world.db),
        "auditor": await http.an_auditor(world.db),
    }
    async with app_client("lodging", world.db) as client:
        yield Callers(client, who)


async def a_stay(world: World, **overrides: Any) -> Any:
    """A confirmed stay of tonight, so that the inn may act on it by the real clock."""
    placement = world.placement(
        needs_seat=False, starts_on=world.today + timedelta(days=1), **overrides
    )
    await world.hear(placement)
    return await world.stay(placement.worker_id)


async def test_without_a_token_nobody_is_served(callers: Callers) -> None:
    for url in ("/v1/stays", "/v1/inns", "/v1/programmes", "/v1/key-enterprises"):
        assert (await callers.client.get(url)).status_code == 401


SEES = {
    "office": True,
    "other_office": False,
    "enterprise": True,
    "other_enterprise": False,
    "inn": True,
    "other_inn": False,
    "coordinator": True,
    "auditor": True,
}


@pytest.mark.parametrize("who", SEES)
async def test_a_caller_sees_its_own_stays_and_no_others(
    world: World, callers: Callers, who: str
) -> None:
    sees = SEES[who]
    stay = await a_stay(world)
    listed = (await callers.get(who, "/v1/stays")).json()["items"]
    assert [s["stay_id"] for s in listed] == ([str(stay["stay_id"])] if sees else [])
    found = await callers.get(who, f"/v1/stays/{stay['stay_id']}")
    assert found.status_code == (200 if sees else 404)
    for name in ("worker_id", "placement_id", "inn_id"):
        some = await callers.get(who, "/v1/stays", **{name: str(stay[name])})
        assert len(some.json()["items"]) == (1 if sees else 0)


async def test_without_row_security_a_foreign_enterprise_would_see_the_stay(
    world: World, callers: Callers, superuser: Any
) -> None:
    await a_stay(world)
    assert (await callers.get("other_enterprise", "/v1/stays")).json()["items"] == []
    await superuser("ALTER TABLE stay DISABLE ROW LEVEL SECURITY")
    assert len((await callers.get("other_enterprise", "/v1/stays")).json()["items"]) == 1


ACTIONS: list[tuple[str, Any, set[str]]] = [
    ("confirm", None, {"enterprise", "coordinator"}),
    ("extend", {"nights": 1}, {"enterprise", "coordinator"}),
    ("cancel", {"reason": "not_needed"}, {"enterprise", "coordinator"}),
    ("check-in", {}, {"inn", "coordinator"}),
    ("check-out", {}, {"inn", "coordinator"}),
    ("move", {"bed_id": None}, {"inn", "coordinator"}),
    ("next-home", {"next_home": "dormitory"}, {"enterprise", "inn", "coordinator"}),
]


@pytest.mark.parametrize(("action", "body", "may"), ACTIONS, ids=[a[0] for a in ACTIONS])
async def test_each_action_is_for_those_it_is_meant_for(
    world: World, callers: Callers, action: str, body: Any, may: set[str]
) -> None:
    stay = await a_stay(world)
    url = f"/v1/stays/{stay['stay_id']}/{action}"
    body = {"bed_id": str(stay["bed_id"])} if body == {"bed_id": None} else body
    for who in callers.who:
        status = (await callers.post(who, url, body)).status_code
        kind = who.removeprefix("other_")
        if kind not in may:
            assert status == 403, who
        elif who != kind:
            assert status == 404, who
        else:
            assert status in {200, 409}, who
    foreign = await callers.post("enterprise", f"/v1/stays/{uuid4()}/cancel", {})
    assert foreign.status_code == 404


async def test_an_inn_runs_its_evening(world: World, callers: Callers) -> None:
    stay = await a_stay(world)
    tonight = await callers.get(
        "inn", "/v1/stays", inn_id=str(stay["inn_id"]), on=world.today.isoformat()
    )
    (guest,) = tonight.json()["items"]
    assert (guest["state"], guest["room"], guest["bed"]) == ("confirmed", "101", "A")
    assert "name" not in str(sorted(guest)).replace("inn_name", "")
    url = f"/v1/stays/{stay['stay_id']}"
    done = await callers.post("inn", f"{url}/check-in", {})
    assert (done.status_code, done.json()["state"]) == (200, "checked_in")
    done = await callers.post("inn", f"{url}/check-out", {})
    assert (done.status_code, done.json()["state"]) == (200, "checked_out")
    gone = await callers.get(
        "inn", "/v1/stays", inn_id=str(stay["inn_id"]), on=world.today.isoformat()
    )
    assert gone.json()["items"] == []


async def test_an_enterprise_asks_for_beds_once_per_key(world: World, callers: Callers) -> None:
    body = {
        "programme": "YOUJIA",
        "check_in_on": world.first_night.isoformat(),
        "nights": 5,
        "guests": [{"worker_id": str(uuid4())}, {"worker_id": str(uuid4()), "family": True}],
        "together": False,
        "wait": True,
    }
    made = await callers.post("enterprise", "/v1/stay-requests", body, Idempotency_Key="k1")
    again = await callers.post("enterprise", "/v1/stay-requests", body, Idempotency_Key="k1")
    assert made.status_code == again.status_code == 201
    assert made.json() == again.json()
    assert made.json()["state"] == "requested"
    assert await world.count("stay") == 2
    found = await callers.get("enterprise", f"/v1/stay-requests/{made.json()['stay_request_id']}")
    assert [s["state"] for s in found.json()["stays"]] == ["requested"] * 2
    foreign = await callers.get(
        "other_enterprise", f"/v1/stay-requests/{made.json()['stay_request_id']}"
    )
    assert foreign.status_code == 404


async def test_a_coordinator_asks_on_behalf_and_names_the_enterprise(
    world: World, callers: Callers
) -> None:
    body: dict[str, Any] = {
        "programme": "YOUJIA",
        "check_in_on": world.first_night.isoformat(),
        "nights": 5,
        "guests": [{"worker_id": str(uuid4())}],
    }
    assert (await callers.post("coordinator", "/v1/stay-requests", body)).status_code == 422
    body["enterprise_id"] = str(world.enterprise_id)
    assert (await callers.post("coordinator", "/v1/stay-requests", body)).status_code == 201
    assert (await callers.post("other_enterprise", "/v1/stay-requests", body)).status_code == 403
    assert (await callers.post("office", "/v1/stay-requests", body)).status_code == 403
    (stay,) = (await callers.get("enterprise", "/v1/stays")).json()["items"]
    assert stay["enterprise_id"] == str(world.enterprise_id)


BAD: list[dict[str, Any]] = [
    {"nights": 0},
    {"nights": 367},
    {"guests": []},
    {"check_in_on": "2020-01-01"},
    {"check_in_on": "tomorrow"},
    {"programme": "you jia"},
    {"inn_id": str(uuid4())},
    {"guests": [{"worker_id": "x"}]},
    {"name": "张三"},
]


@pytest.mark.parametrize("wrong", BAD, ids=[next(iter(b)) + str(n) for n, b in enumerate(BAD)])
async def test_a_bad_request_is_told_where(
    world: World, callers: Callers, wrong: dict[str, Any]
) -> None:
    body = {
        "programme": "YOUJIA",
        "check_in_on": world.first_night.isoformat(),
        "nights": 5,
        "guests": [{"worker_id": str(uuid4())}],
    }
    refused = await callers.post("enterprise", "/v1/stay-requests", body | wrong)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"]
    assert "张三" not in refused.text
    assert await world.count("stay") == 0


async def test_a_programmes_rules_get_a_new_version_only_when_they_differ(
    callers: Callers,
) -> None:
    rules = {"hire_window_days": 60, "night_cap": 10, "hold_minutes": 20, "cut_off": "21:00"}
    for version in (2, 2):
        put = await callers.put("coordinator", "/v1/programmes/YOUJIA", rules)
        assert (put.status_code, put.json()["rule_version"]) == (200, version)
    shown = (await callers.get("enterprise", "/v1/programmes/YOUJIA")).json()
    assert [v["night_cap"] for v in shown["versions"]] == [15, 10]
    assert shown["cut_off"] == "21:00"
    for who in ("enterprise", "inn", "office", "escort", "auditor"):
        assert (await callers.put(who, "/v1/programmes/YOUJIA", rules)).status_code == 403
    new = await callers.put("coordinator", "/v1/programmes/SUMMER", rules)
    assert new.json()["rule_version"] == 1


async def test_a_decision_names_the_rule_version_it_was_made_with(
    world: World, callers: Callers
) -> None:
    before = await a_stay(world)
    await callers.put("coordinator", "/v1/programmes/YOUJIA", {"night_cap": 3})
    after = await a_stay(world)
    assert (before["rule_version"], after["rule_version"]) == (1, 2)
    assert (before["state"], after["rule"]) == ("confirmed", "cap_exceeded")
    shown = (await callers.get("enterprise", f"/v1/stays/{before['stay_id']}")).json()
    assert shown["decision"]["rule_values"]["night_cap"] == 15
    assert shown["decision"]["rules"]["cap_exceeded"] == "passed"
    shown = (await callers.get("enterprise", f"/v1/stays/{after['stay_id']}")).json()
    assert shown["decision"]["rules"]["cap_exceeded"] == "failed"


async def test_the_key_list_is_the_bureaus_and_an_enterprise_sees_its_own_entry(
    world: World, callers: Callers
) -> None:
    entry = {"name": "新企业", "credit_level": "B", "valid_from": "2026-01-01"}
    url = "/v1/key-enterprises/91350100M000100Y43"
    assert (await callers.put("enterprise", url, entry)).status_code == 403
    slip = await callers.put("coordinator", f"{url[:-1]}4", entry)
    assert (slip.status_code, slip.json()["errors"][0]["code"]) == (422, "uscc_checksum")
    put = await callers.put("coordinator", url, entry)
    assert (put.status_code, put.json()["credit_level"]) == (200, "B")
    assert len((await callers.get("coordinator", "/v1/key-enterprises")).json()["items"]) == 2
    (own,) = (await callers.get("enterprise", "/v1/key-enterprises")).json()["items"]
    assert own["uscc"] == USCC
    assert (await callers.get("enterprise", url)).status_code == 404
    mine = (await callers.get("other_enterprise", url)).json()
    assert [c["reason"] for c in mine["changes"]] == ["listed"]
    (said,) = await world.bodies("enterprise-credit-changed")
    assert (said["level"], said.get("from")) == ("B", None)


async def test_one_standing_commitment_per_programme(world: World, callers: Callers) -> None:
    await world.withdraw_commitments()
    made = await callers.post("enterprise", "/v1/credit-commitments", {"programme": "YOUJIA"})
    again = await callers.post("enterprise", "/v1/credit-commitments", {"programme": "YOUJIA"})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    unknown = await callers.post("enterprise", "/v1/credit-commitments", {"programme": "NONE"})
    assert unknown.status_code == 422
    url = f"/v1/credit-commitments/{made.json()['credit_commitment_id']}/withdraw"
    assert (await callers.post("other_enterprise", url)).status_code == 404
    assert (await callers.post("enterprise", url)).json()["state"] == "withdrawn"


async def test_a_new_inn_has_its_capacity_told(world: World, callers: Callers) -> None:
    body = {
        "name": "南翔有“嘉”客栈",
        "town": "南翔镇",
        "division_code": "310114",
        "rooms": [{"room": "201", "beds": ["A", "B"]}, {"room": "202", "beds": ["A"]}],
    }
    assert (await callers.post("inn", "/v1/inns", body)).status_code == 403
    made = await callers.post("coordinator", "/v1/inns", body)
    assert (made.status_code, made.json()["bed_count"]) == (201, 3)
    assert (await world.bodies("inn-capacity-changed"))[-1]["beds"] == 3
    shown = (await callers.get("coordinator", f"/v1/inns/{made.json()['inn_id']}")).json()
    assert [r["room"] for r in shown["rooms"]] == ["201", "202"]
    twice = {**body, "rooms": [body["rooms"][0], body["rooms"][0]]}
    assert (await callers.post("coordinator", "/v1/inns", twice)).status_code == 422
    number = {**body, "name": "客栈13800138000"}
    refused = await callers.post("coordinator", "/v1/inns", number)
    assert refused.json()["errors"][0]["code"] == "personal_data"


async def test_an_inn_takes_a_bed_out_of_service_and_only_its_own(
    world: World, callers: Callers
) -> None:
    stay = await a_stay(world)
    url = f"/v1/inns/{stay['inn_id']}/out-of-service"
    body = {"bed_ids": [str(stay["bed_id"])], "from": world.today.isoformat(), "reason": "漏水"}
    assert (await callers.post("other_inn", url, body)).status_code == 404
    assert (await callers.post("enterprise", url, body)).status_code == 403
    made = await callers.post("inn", url, body)
    assert made.status_code == 201
    moved = await world.stay(stay["worker_id"])
    assert moved["bed_id"] != stay["bed_id"]
    night = {"from": world.today.isoformat(), "to": (world.today + timedelta(1)).isoformat()}
    occupancy = await callers.get("inn", f"/v1/inns/{stay['inn_id']}/occupancy", **night)
    (counted,) = occupancy.json()["items"]
    assert (counted["beds"], counted["in_service"], counted["occupied"]) == (4, 3, 1)
    (period,) = made.json()["period_ids"]
    done = await callers.post("inn", f"{url}/{period}/end")
    assert done.json()["state"] == "in_service"
    async with world.tx() as tx:
        assert await tx.fetchval("SELECT reason FROM out_of_service") == "other"


async def test_an_inn_moves_a_guest_within_its_own_houses(world: World, callers: Callers) -> None:
    stay = await a_stay(world)
    elsewhere = await world.inn([1], name="别家")
    async with world.tx() as tx:
        foreign: UUID = await tx.fetchval("SELECT bed_id FROM bed WHERE inn_id = $1", elsewhere)
    url = f"/v1/stays/{stay['stay_id']}/move"
    assert (await callers.post("inn", url, {"bed_id": str(foreign)})).status_code == 404
    moved = await callers.post("coordinator", url, {"bed_id": str(foreign)})
    assert moved.json()["inn_id"] == str(elsewhere)


async def test_a_typed_reason_is_kept_nowhere(world: World, callers: Callers) -> None:
    stay = await a_stay(world)
    url = f"/v1/stays/{stay['stay_id']}/cancel"
    done = await callers.post("enterprise", url, {"reason": "张三生病了"})
    assert done.json()["reason"] == "other"
    assert "张三" not in str(await world.bodies("stay-released"))


async def test_lists_go_page_by_page(world: World, callers: Callers) -> None:
    for _ in range(3):
        await a_stay(world)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await callers.get("coordinator", "/v1/stays", **params)).json()
        seen += [s["stay_id"] for s in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 3
