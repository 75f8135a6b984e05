"""The routes of web hooks: who may keep them, what is shown once, and what is refused."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio

from services.console.consumers import HANDLERS
from services.console.feed_bell import FeedBell
from services.console.handlers.hook_secrets import HookSecrets
from services.console.hook_sender import Sender
from services.console.hook_wire import Wire
from services.console.settings import ConsoleSettings
from services.console.signing import SigningKeys
from shared.database import Database
from shared.identity import Identity
from tests.integration.console.test_projection import Way
from tests.integration.console.test_web_hooks import is_signed
from tests.support.events import heard, received
from tests.support.http import an_admin, an_auditor, an_enterprise, an_office, app_client, bearer
from tests.support.postgres import ServiceDb
from tests.support.receiver import Receiver, a_receiver

KINDS = ["recruitment.placement-confirmed", "lodging.stay-confirmed"]


@dataclass
class Place:
    """The console's API, an enterprise's administrator, and a receiver."""

    db: Database
    client: httpx2.AsyncClient
    admin: Identity
    receiver: Receiver
    key_file: Path

    async def ask(
        self, method: str, path: str, who: Identity | None = None, **body: Any
    ) -> httpx2.Response:
        headers = bearer(who or self.admin)
        return await self.client.request(
            method, f"/v1/web-hooks{path}", headers=headers, json=body or None
        )

    async def register(self, who: Identity | None = None, **body: Any) -> dict[str, Any]:
        fields = {"title": "人事系统", "url": self.receiver.url, "event_types": KINDS} | body
        answer = await self.ask("POST", "", who, **fields)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def send(self, hook: str) -> None:
        keys = SigningKeys.read(self.key_file, "http://issuer")
        secrets, wire = HookSecrets(keys.secret("web hooks")), Wire(loopback=True)
        sender = Sender(self.db, FeedBell(), secrets, wire, rest_s=lambda _: 0.0)
        async with wire.line() as line:
            await sender.send_some(line, UUID(hook))

    async def place_somebody(self) -> str:
        way = Way()
        way.enterprise_id = self.admin.tenant_id
        (one,) = await heard(self.db, HANDLERS, [received(way.confirmed(), 1, way.nomination_id)])
        return str(one.envelope.id)


def is_admin(who: Identity) -> Identity:
    return replace(who, roles=frozenset({"admin"}))


@pytest_asyncio.fixture
async def place(service_db: ServiceDb, tmp_path: Path) -> AsyncIterator[Place]:
    db = await service_db("console")
    away = dict.fromkeys(
        ("registry_url", "recruitment_url", "transport_url", "lodging_url"), "http://127.0.0.1:9"
    )
    key_file = tmp_path / "signing.pem"
    settings = ConsoleSettings.model_construct(
        signing_key_file=key_file, local_stack=True, issuer_url="http://issuer",
        seed_file=None, **away,
    )  # fmt: skip
    enterprise = is_admin(await an_enterprise(db))
    async with a_receiver() as receiver, app_client("console", db, settings=settings) as client:
        yield Place(db, client, enterprise, receiver, key_file)


async def test_a_secret_is_shown_once_and_kept_nowhere_in_clear(place: Place) -> None:
    key = {"Idempotency-Key": "k1"}
    body = {"title": "人事系统", "url": place.receiver.url, "event_types": KINDS}
    headers = bearer(place.admin) | key
    made = await place.client.post("/v1/web-hooks", json=body, headers=headers)
    secret = made.json()["secret"]
    assert secret.startswith("whsec_")
    hook = made.json()["web_hook_id"]
    again = await place.client.post("/v1/web-hooks", json=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "taken")
    shown = [(await place.ask("GET", path)).text for path in ("", f"/{hook}")]
    assert all(secret not in text and "sealed" not in text for text in shown)
    async with place.db.transaction(role="worker") as tx:
        kept = await tx.fetchval("SELECT secret_sealed FROM web_hook")
        answers = await tx.fetchval("SELECT count(*) FROM command_answer")
    assert base64.b64decode(secret.removeprefix("whsec_")) not in kept
    assert answers == 0


async def test_types_are_given_with_or_without_their_version_and_unknown_ones_are_named(
    place: Place,
) -> None:
    made = await place.register(event_types=["lodging.stay-confirmed.v1", KINDS[0], KINDS[0]])
    found = (await place.ask("GET", f"/{made['web_hook_id']}")).json()
    assert found["event_types"] == ["lodging.stay-confirmed", KINDS[0]]
    for wrong in (["registry.worker-registered"], ["no.such-thing"], []):
        answer = await place.ask(
            "POST", "", title="x", url=place.receiver.url + "2", event_types=wrong
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith("/event_types")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://203.119.25.1/in", "https_only"),
        ("https://10.0.0.1/in", "address_refused"),
        ("https://169.254.169.254/latest", "address_refused"),
        ("https://[fd00::1]/in", "address_refused"),
        ("https://203.119.25.1:8443/in", "port_refused"),
        ("https://a:b@203.119.25.1/in", "wrong_url"),
    ],
)
async def test_an_address_inside_a_network_is_refused_without_repeating_it(
    place: Place, url: str, code: str
) -> None:
    made = await place.register()
    for method, path in (("POST", ""), ("PATCH", f"/{made['web_hook_id']}")):
        answer = await place.ask(method, path, title="x", url=url, event_types=KINDS)
        assert answer.status_code == 422
        assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/url", code)]
        assert url not in answer.text


async def test_both_secrets_sign_after_a_rotation_until_the_old_one_is_over(place: Place) -> None:
    made = await place.register()
    hook = made["web_hook_id"]
    turned = (await place.ask("POST", f"/{hook}/rotate")).json()
    old, new = (base64.b64decode(s["secret"].removeprefix("whsec_")) for s in (made, turned))
    assert old != new
    await place.place_somebody()
    await place.send(hook)
    assert [is_signed(place.receiver.messages[-1], s) for s in (old, new)] == [True, True]
    async with place.db.transaction(role="worker") as tx:
        await tx.execute("UPDATE web_hook SET previous_until = now()")
    await place.place_somebody()
    await place.send(hook)
    assert [is_signed(place.receiver.messages[-1], s) for s in (old, new)] == [False, True]


async def test_a_trial_is_sent_even_to_a_paused_hook_and_is_no_event(place: Place) -> None:
    hook = (await place.register())["web_hook_id"]
    await place.ask("PATCH", f"/{hook}", state="paused")
    await place.place_somebody()
    tried = await place.ask("POST", f"/{hook}/test")
    assert tried.status_code == 202
    await place.send(hook)
    (message,) = place.receiver.messages
    assert message.id == tried.json()["event_id"]
    told = (await place.ask("GET", f"/{hook}/deliveries")).json()["items"]
    assert [(d["trial"], d["state"], d["status"]) for d in told] == [
        (True, "delivered", 200), (False, "waiting", None),
    ]  # fmt: skip
    # Set going again, what had waited is sent.
    await place.ask("PATCH", f"/{hook}", state="active")
    await place.send(hook)
    assert len(place.receiver.messages) == 2


async def test_nobody_is_flooded_with_trials(place: Place) -> None:
    hook = (await place.register())["web_hook_id"]
    answers = [(await place.ask("POST", f"/{hook}/test")).status_code for _ in range(11)]
    assert answers == [202] * 10 + [429]


async def test_deliveries_are_listed_page_by_page_and_told_again_by_somebody_at_some_time(
    place: Place,
) -> None:
    hook = (await place.register())["web_hook_id"]
    ids = {await place.place_somebody() for _ in range(3)}
    await place.send(hook)
    path = f"/v1/web-hooks/{hook}/deliveries"
    first = (await place.client.get(path, params={"limit": 2}, headers=bearer(place.admin))).json()
    rest = (
        await place.client.get(
            path, params={"cursor": first["next_cursor"]}, headers=bearer(place.admin)
        )
    ).json()
    assert {d["event_id"] for d in first["items"] + rest["items"]} == ids
    again = await place.ask(
        "POST", f"/{hook}/deliveries/replay", event_ids=[first["items"][0]["event_id"]]
    )
    assert (again.status_code, again.json()["replayed_count"]) == (202, 1)
    await place.send(hook)
    counted = [m.id for m in place.receiver.messages]
    assert counted.count(first["items"][0]["event_id"]) == 2
    async with place.db.transaction(role="worker") as tx:
        done = [tuple(r) for r in await tx.fetch(
            "SELECT action, delivery_count, account_id FROM web_hook_log ORDER BY log_id"
        )]  # fmt: skip
    me = place.admin.account_id
    assert done == [("registered", None, me), ("replayed", 1, me)]


async def test_all_that_failed_is_told_again_at_one_request(place: Place) -> None:
    hook = (await place.register())["web_hook_id"]
    for _ in range(3):
        await place.place_somebody()
    async with place.db.transaction(role="worker") as tx:
        await tx.execute("UPDATE hook_delivery SET state = 'failed', status = 500")
    again = await place.ask("POST", f"/{hook}/deliveries/replay", state="failed")
    assert again.json()["replayed_count"] == 3
    for body in ({}, {"state": "failed", "event_ids": [hook]}):
        answer = await place.ask("POST", f"/{hook}/deliveries/replay", **body)
        assert answer.status_code in {400, 422}


async def test_a_foreign_tenant_s_hook_is_not_found_by_any_route(place: Place) -> None:
    hook = (await place.register())["web_hook_id"]
    strangers = [
        is_admin(await an_enterprise(place.db)),
        is_admin(await an_office(place.db)),
    ]
    for who in strangers:
        for method, path, body in (
            ("GET", "", {}), ("PATCH", "", {"state": "paused"}), ("DELETE", "", {}),
            ("POST", "/rotate", {}), ("POST", "/test", {}), ("GET", "/deliveries", {}),
            ("POST", "/deliveries/replay", {"state": "failed"}),
        ):  # fmt: skip
            answer = await place.ask(method, f"/{hook}{path}", who, **body)
            assert answer.status_code == 404, (method, path)
        assert (await place.ask("GET", "", who)).json()["items"] == []
    made = await place.ask(
        "POST", "", strangers[0], title="x", url=place.receiver.url, event_types=KINDS,
        tenant_id=str(place.admin.tenant_id),
    )  # fmt: skip
    assert made.status_code == 404


async def test_nobody_but_an_administrator_of_an_office_or_an_enterprise_has_hooks(
    place: Place,
) -> None:
    clerk = replace(place.admin, roles=frozenset())
    auditor = is_admin(await an_auditor(place.db))
    for who in (clerk, auditor):
        assert (await place.ask("GET", "", who)).status_code == 403
    assert (await place.client.get("/v1/web-hooks")).status_code == 401
    # The bureau's administrator keeps them for any of these, and has none of its own.
    bureau = await an_admin(place.db)
    body: dict[str, Any] = {"title": "x", "url": place.receiver.url, "event_types": KINDS}
    assert (await place.ask("POST", "", bureau, **body)).status_code == 403
    theirs = {"tenant_id": str(place.admin.tenant_id)}
    made = await place.ask("POST", "", bureau, **body, **theirs)
    assert made.status_code == 201
    assert len((await place.ask("GET", "")).json()["items"]) == 1


async def test_a_deleted_hook_is_told_nothing_more_and_leaves_its_log(place: Place) -> None:
    hook = (await place.register())["web_hook_id"]
    await place.place_somebody()
    assert (await place.ask("DELETE", f"/{hook}")).status_code == 204
    await place.send(hook)
    assert place.receiver.messages == []
    assert (await place.ask("GET", f"/{hook}")).status_code == 404
    async with place.db.transaction(role="worker") as tx:
        assert await tx.fetchval("SELECT count(*) FROM hook_delivery") == 0
        actions = await tx.fetch("SELECT action FROM web_hook_log ORDER BY log_id")
    assert [a["action"] for a in actions] == ["registered", "deleted"]


async def test_no_tenant_has_more_hooks_than_its_limit_however_they_come(place: Place) -> None:
    async def one(n: int) -> int:
        fields = {"title": f"h{n}", "url": f"{place.receiver.url}{n}", "event_types": KINDS}
        return (await place.ask("POST", "", **fields)).status_code

    counted = await asyncio.gather(*(one(n) for n in range(12)))
    assert sorted(counted) == [201] * 10 + [409] * 2
