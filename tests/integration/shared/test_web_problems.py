"""What a caller reads when something is wrong: a code, a place, never a value, never a stack."""

import asyncio
import logging
import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx2
import pytest

from shared.database import CONNECT_TIMEOUT_S, Database
from tests.support.desk import SERVICE, desk
from tests.support.flow import DEADLINE_S
from tests.support.http import an_office, app_client, bearer
from tests.support.ports import free_port
from tests.support.postgres import ServiceDb, Templates
from tests.support.proxy import a_line

__all__ = ["desk"]

NUMBER = "530902199903070015"
PHONE = "13800138000"


def a_problem(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert "detail" in answer.json()
    return dict(answer.json())


BadInput = tuple[str, dict[str, Any], int, str, list[tuple[str, str]]]

BAD: list[BadInput] = [
    ("POST /v1/notes", {"content": b"{"}, 400, "malformed_json", []),
    ("POST /v1/notes", {"content": b'{"title": "\xff"}'}, 400, "malformed", []),
    ("POST /v1/notes", {"content": b"[" * 200_000}, 400, "malformed", []),
    ("POST /v1/notes", {"json": {}}, 422, "invalid", [("/title", "required")]),
    ("POST /v1/notes", {"json": []}, 422, "invalid", [("", "wrong_type")]),
    ("POST /v1/notes", {"json": None}, 422, "invalid", [("", "required")]),
    ("POST /v1/notes", {"json": {"title": 5}}, 422, "invalid", [("/title", "wrong_type")]),
    ("POST /v1/notes", {"json": {"title": ""}}, 422, "invalid", [("/title", "wrong_length")]),
    ("POST /v1/notes", {"json": {"title": "好\x00"}}, 422, "invalid",
     [("/title", "invalid")]),
    ("POST /v1/notes", {"content": rb'{"title": "\ud800"}'}, 422, "invalid",
     [("/title", "wrong_type")]),
    ("POST /v1/notes", {"json": {"title": "张三 " + PHONE}}, 422, "personal_data",
     [("/title", "personal_data")]),
    ("POST /v1/notes", {"json": {"title": "好", "copies": 10}}, 422, "invalid",
     [("/copies", "out_of_range")]),
    ("POST /v1/notes", {"json": {"title": NUMBER, "copies": NUMBER + "x"}}, 422, "personal_data",
     [("/title", "personal_data"), ("/copies", "wrong_form")]),
    ("POST /v1/notes", {"json": {"title": "好", NUMBER: 1, "copies": NUMBER}}, 422, "invalid",
     [("/copies", "out_of_range")]),
    ("POST /v1/notes?x=1", {"content": b"a=b", "headers": {"content-type": "text/plain"}}, 422,
     "invalid", [("", "wrong_type")]),
    ("GET /v1/notes/no-uuid", {}, 404, "not_found", []),
    (f"GET /v1/notes/{uuid4()}", {}, 404, "not_found", []),
    ("GET /v1/notes?limit=many", {}, 422, "invalid", [("/limit", "wrong_form")]),
    ("GET /v1/notes?limit=0", {}, 422, "invalid", [("/limit", "out_of_range")]),
    ("GET /v1/notes?limit=201", {}, 422, "invalid", [("/limit", "out_of_range")]),
    ("GET /v1/notes?cursor=*", {}, 422, "invalid", [("/cursor", "invalid_cursor")]),
    ("GET /v1/notes?cursor=WzFd", {}, 422, "invalid", [("/cursor", "invalid_cursor")]),
    ("GET /v1/notes?cursor=" + "A" * 600, {}, 422, "invalid", [("/cursor", "wrong_length")]),
    ("GET /v1/nothing", {}, 404, "not_found", []),
    ("DELETE /v1/notes", {}, 405, "method_not_allowed", []),
    ("GET /v1/broken", {}, 500, "internal", []),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=lambda case: f"{case[0]} {case[1]}"[:60])
async def test_bad_input_is_told_by_code_and_place_and_never_by_value(
    desk: Database, case: BadInput
) -> None:
    route, sent, status, code, faults = case
    method, url = route.split(" ")
    sent = {"headers": {"content-type": "application/json"}} | sent if "content" in sent else sent
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        answer = await client.request(method, url, **sent)
    problem = a_problem(answer)
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert [(f["pointer"], f["code"]) for f in problem.get("errors", [])] == faults
    for secret in (NUMBER, PHONE, "secret", "张三"):
        assert secret not in answer.text


async def test_without_an_identity_nothing_is_answered(desk: Database) -> None:
    async with app_client(SERVICE, desk) as client:
        for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer forged"}):
            answer = await client.post("/v1/notes", json={}, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            a_problem(answer)


async def test_a_body_beyond_the_limit_is_refused_however_it_is_announced(desk: Database) -> None:
    async def endless() -> Any:
        while True:
            yield b"x" * 1_048_576

    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        told = await client.post("/v1/notes", content=b"x", headers={"content-length": "9" * 30})
        untold = await client.post("/v1/notes", content=endless())
    for answer in (told, untold):
        assert answer.status_code == 413
        assert a_problem(answer)["code"] == "too_large"


async def test_a_log_line_holds_neither_query_nor_body_nor_an_error_s_own_words(
    desk: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with app_client(SERVICE, desk, await an_office(desk)) as client:
            await client.get("/v1/notes", params={"name": "张三"})
    lines = [r for r in caplog.records if r.name == "http"]
    assert [(vars(r)["path"], vars(r)["status"]) for r in lines] == [("/v1/notes", 200)]
    assert "张三" not in str([vars(r) for r in lines])


async def test_without_postgresql_the_answer_is_503_within_three_seconds(desk: Database) -> None:
    nowhere = await Database.open(f"postgresql://x:y@127.0.0.1:{free_port()}/z", service="lodging")
    office = await an_office(desk)
    async with app_client(SERVICE, nowhere, office) as client:
        started = time.monotonic()
        answers = await asyncio.gather(*(client.get("/v1/notes") for _ in range(30)))
        took = time.monotonic() - started
    assert {a.status_code for a in answers} == {503}
    assert all(a.headers["retry-after"] for a in answers)
    assert took < 3
    await nowhere.close()


async def test_a_postgresql_that_hangs_is_told_within_three_seconds_and_forgotten_after(
    templates: Templates, service_db: ServiceDb
) -> None:
    name, url = await templates.fresh("lodging")
    parts = urlsplit(url)
    async with a_line(parts.hostname or "", parts.port or 0) as line:
        place = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{line.port}"
        db = await Database.open(urlunsplit(parts._replace(netloc=place)), service="lodging")
        async with app_client(SERVICE, db, await an_office(db)) as client:
            path = f"/v1/notes/{uuid4()}"
            line.hang()
            started = time.monotonic()
            answers = await asyncio.gather(*(client.get(path) for _ in range(12)))
            # One limit, which they wait for beside each other: two would be too much already.
            assert time.monotonic() - started < 2 * CONNECT_TIMEOUT_S
            assert CONNECT_TIMEOUT_S < 3
            assert {a.status_code for a in answers} == {503}
            line.go_on()
            assert (await client.get("/openapi.json")).status_code == 200
            async with asyncio.timeout(DEADLINE_S):
                while (await client.get(path)).status_code == 503:
                    pass
        db.pool.terminate()
    await templates.run(f"DROP DATABASE {name} WITH (FORCE)")


async def test_openapi_names_every_route_and_how_it_refuses(desk: Database) -> None:
    async with app_client(SERVICE, desk) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/v1/notes", "/v1/notes/{note_id}", "/v1/dead-letters"} <= paths.keys()
    refusals = paths["/v1/notes"]["post"]["responses"]
    assert set(refusals) == {"200", "4XX"}
    assert set(refusals["4XX"]["content"]) == {"application/problem+json"}


async def test_latency_is_measured_by_route_and_never_by_path(desk: Database) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        note_id = uuid4()
        await client.get(f"/v1/notes/{note_id}")
        await client.get(f"/v1/{PHONE}")
        measured = (await client.get("/metrics")).text
    assert 'route="/v1/notes/{note_id}",status="404"' in measured
    assert str(note_id) not in measured
    assert PHONE not in measured


async def test_every_answer_forbids_sniffing_storing_and_framing(desk: Database) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        for path in ("/v1/notes", "/v1/nothing"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_a_trace_goes_from_the_request_into_the_outbox(desk: Database) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    office = await an_office(desk)
    async with app_client(SERVICE, desk, office) as client:
        headers = bearer(office) | {"traceparent": parent}
        answer = await client.post("/v1/notes/say", headers=headers)
    async with desk.transaction(role="worker") as tx:
        said = await tx.fetchval("SELECT headers FROM outbox")
    assert said["traceparent"].split("-")[1] == parent.split("-")[1]
    assert said["ce_causationid"] == answer.headers["x-request-id"]
