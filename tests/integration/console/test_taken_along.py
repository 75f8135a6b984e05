"""What a phone takes along, and what it is told later: as the other services answer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio

from services.console.__main__ import SERVICE
from services.console.consumers import HANDLERS
from services.console.desk import Desk
from services.console.handlers.sign_in import SecondFactors
from services.console.pages.fonts import Fonts
from services.console.set_up import set_up
from services.console.settings import ConsoleSettings
from services.console.signing import SigningKeys, make_key_file
from shared.database import Database
from shared.http import House
from shared.service import Service
from tests.integration.console.test_offline import signed_in
from tests.integration.console.test_pages import BUREAU, FOREIGN, INLINE, db
from tests.support.http import app_client

__all__ = ["db"]

TRIP, INN, STAY, WORKER, BOOKING, OTHER_TRIP = (str(uuid4()) for _ in range(6))
SERVICES: Final = ("registry", "recruitment", "transport", "lodging")
STOPS: Final = [
    {
        "place_code": "530902-00",
        "division_code": "530902",
        "departs_at": "2026-03-01T08:00:00+08:00",
    },
    {
        "place_code": "310114-00",
        "division_code": "310114",
        "arrives_at": "2026-03-02T16:00:00+08:00",
    },
]
VEHICLE: Final = {"plate": "云A12345", "kind": "coach", "licensed_capacity": 49}
SCAN: Final = {
    "scan_id": str(uuid4()), "booking_id": BOOKING, "scanned_at": "2026-03-01T07:50:00+08:00",
    "stop": "530902-00",
}  # fmt: skip


@dataclass
class Others:
    """The other services, as far as these pages ask them."""

    asked: list[httpx2.Request] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    status: int = 200

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        known = {
            f"/v1/trips/{TRIP}": self.trip(),
            f"/v1/trips/{TRIP}/manifest": {"stops": STOPS, "passengers": [self.passenger()]},
            f"/v1/inns/{INN}": {"inn_id": INN, "name": "有嘉客栈", "town": "嘉定镇街道"},
            "/v1/stays": {"items": [self.stay()], "next_cursor": None},
            f"/v1/workers/{WORKER}": {"name_masked": "王**"},
            "/v1/reveals": {"items": [{"worker_id": WORKER, "name": "王海英"}], "withheld": []},
            **self.said,
        }
        told = self.status if request.url.path in self.said else 200
        return httpx2.Response(told, json=known[request.url.path])

    def trip(self) -> dict[str, Any]:
        return {
            "trip_id": TRIP, "stops": STOPS, "vehicle": VEHICLE,
            "destination_division_code": "310114",
        }  # fmt: skip

    def passenger(self) -> dict[str, Any]:
        return {
            "worker_id": WORKER, "booking_id": BOOKING, "board_stop": "530902-00",
            "state": "booked",
        }  # fmt: skip

    def stay(self) -> dict[str, Any]:
        return {
            "worker_id": WORKER, "stay_id": STAY, "room": "301", "bed": "A", "state": "confirmed"
        }  # fmt: skip

    def last(self, path: str) -> httpx2.Request:
        return next(r for r in reversed(self.asked) if r.url.path == path)


@pytest.fixture
def others() -> Others:
    return Others()


@pytest_asyncio.fixture
async def browser(
    db: Database, others: Others, tmp_path: Path
) -> AsyncIterator[httpx2.AsyncClient]:
    key_file = tmp_path / "signing.pem"
    make_key_file(key_file)
    (tmp_path / "jsqr.js").write_text("globalThis.jsQR = null;", "utf-8")

    @asynccontextmanager
    async def beside(house: House) -> AsyncIterator[None]:
        keys = SigningKeys.read(key_file, "http://issuer")
        factors = SecondFactors(keys.secret("second factors"))
        urls = {name: f"http://{name}" for name in SERVICES}
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(others)) as http:
            # Whoever is provided first is found.
            house.provide(Desk(keys, factors, urls, http, house.db.ids))
            house.provide(Fonts(tmp_path))
            async with set_up(house):
                yield

    nowhere: Any = dict.fromkeys((f"{name}_url" for name in SERVICES), "http://127.0.0.1:9")
    settings = ConsoleSettings.model_construct(
        signing_key_file=key_file, local_stack=True, issuer_url="http://issuer", seed_file=None,
        **nowhere,
    )  # fmt: skip
    service = Service("console", SERVICE.settings, SERVICE.router, HANDLERS, setup=beside)
    async with app_client(service, db, settings=settings) as opened:
        yield opened


async def tell(
    browser: httpx2.AsyncClient, path: str, body: dict[str, Any], key: str = "phone.1.0"
) -> Any:
    me = await signed_in(browser, "coordinator")
    headers = {"X-Form-Token": me["form_token"], "Idempotency-Key": key}
    answer = await browser.post(path, json=body, headers=headers)
    assert answer.status_code == 200
    assert answer.headers.get("cache-control") in {None, "no-store"}
    return answer.json()


@pytest.mark.parametrize("path", [f"/trips/{TRIP}/boarding", f"/inn/{INN}/desk"])
async def test_a_page_that_a_phone_keeps_holds_nobody(
    browser: httpx2.AsyncClient, path: str
) -> None:
    me = await signed_in(browser, "coordinator")
    page = await browser.get(path)
    assert page.status_code == 200
    for somebody in (me["form_token"], me["account"], BUREAU["tenant_name"], "王", WORKER):
        assert somebody not in page.text
    assert not INLINE.search(page.text)
    assert not FOREIGN.search(page.text)
    assert 'data-reader="/fonts/jsqr.js"' in page.text
    reader = await browser.get("/fonts/jsqr.js")
    assert reader.headers["content-type"].startswith("text/javascript")


async def test_without_a_purpose_a_list_has_masked_names(browser: httpx2.AsyncClient) -> None:
    taken = await tell(browser, f"/trips/{TRIP}/boarding/list", {"purpose": " "})
    (person,) = taken["people"]
    assert (person["number"], person["id"], person["name"]) == (1, BOOKING, "王**")
    assert [stop["code"] for stop in taken["stops"]] == ["530902-00"]


async def test_for_a_purpose_the_registry_is_asked_for_names_and_for_nothing_else(
    browser: httpx2.AsyncClient, others: Others
) -> None:
    taken = await tell(browser, f"/trips/{TRIP}/boarding/list", {"purpose": "上车核验"})
    assert [person["name"] for person in taken["people"]] == ["王海英"]
    asked = json.loads(others.last("/v1/reveals").content)
    assert asked == {
        "worker_ids": [WORKER], "fields": ["name"], "purpose": "上车核验",
        "scope": {"trip_id": TRIP},
    }  # fmt: skip


async def test_tonight_s_list_is_of_those_who_have_not_come(
    browser: httpx2.AsyncClient, others: Others
) -> None:
    taken = await tell(browser, f"/inn/{INN}/desk/list", {"purpose": "前台办理入住"})
    (guest,) = taken["people"]
    assert (guest["id"], guest["room"], guest["name"]) == (STAY, "301 A", "王海英")
    query = others.last("/v1/stays").url.params
    assert query.get_list("state") == ["confirmed"]
    assert query["inn_id"] == INN
    assert query["on"] == json.loads(others.last("/v1/reveals").content)["scope"]["on"]
    assert taken["now"] < taken["until"]


async def test_a_scan_is_told_under_its_own_key_with_its_own_time(
    browser: httpx2.AsyncClient, others: Others
) -> None:
    path = f"/v1/trips/{TRIP}/boarding-scans"
    others.said[path] = {"items": [{"accepted": True, "result": "boarded"}]}
    assert await tell(browser, f"/trips/{TRIP}/boarding/scans", SCAN, "phone.7.0") == {
        "accepted": True
    }
    told = others.last(path)
    assert told.headers["idempotency-key"] == "phone.7.0"
    assert json.loads(told.content) == [SCAN]


async def test_a_wrong_bus_is_answered_with_the_right_one(
    browser: httpx2.AsyncClient, others: Others
) -> None:
    item = {
        "accepted": False, "result": "wrong_trip", "expected_trip_id": OTHER_TRIP,
        "detail": "不是本班次的乘客。This passenger belongs to another trip.",
    }  # fmt: skip
    others.said[f"/v1/trips/{TRIP}/boarding-scans"] = {"items": [item]}
    answer = await tell(browser, f"/trips/{TRIP}/boarding/scans", SCAN)
    assert not answer["accepted"]
    assert answer["detail"] == "不是本班次的乘客。"
    assert "所属班次" in answer["todo"]
    assert answer["go"] == f"/trips/{OTHER_TRIP}/boarding"


async def test_a_bed_that_was_given_away_is_a_refusal_with_what_to_do(
    browser: httpx2.AsyncClient, others: Others
) -> None:
    others.status = 409
    detail = "没有空床位。No bed is free on these nights."
    others.said[f"/v1/stays/{STAY}/check-in"] = {"code": "wrong_state", "detail": detail}
    body = {"stay_id": STAY, "at": "2026-03-01T20:00:00+08:00"}
    answer = await tell(browser, "/inn/desk/check-ins", body)
    assert (answer["accepted"], answer["detail"]) == (False, "没有空床位。")
    assert "客栈" in answer["todo"]
    told = others.last(f"/v1/stays/{STAY}/check-in")
    assert json.loads(told.content) == {"at": "2026-03-01T20:00:00+08:00"}
