"""The registry's routes as clients find them."""

import pytest

from shared.identity import Identity
from tests.integration.registry.world import Registry
from tests.support.http import an_auditor, an_office
from tests.support.rosters import a_roster

ROUTES = {
    "/v1/worker-batches": {"get", "post"},
    "/v1/worker-batches/{batch_id}": {"get"},
    "/v1/worker-batches/{batch_id}/issues": {"get"},
    "/v1/worker-batches/{batch_id}/issues.xlsx": {"get"},
    "/v1/worker-batches/{batch_id}/workers": {"get"},
    "/v1/roster-template.xlsx": {"get"},
    "/v1/nominations": {"get"},
    "/v1/nominations/{nomination_id}/withdraw": {"post"},
    "/v1/workers/{worker_id}": {"get", "delete"},
    "/v1/reveals": {"post"},
}


async def test_the_routes_of_the_interface_are_there_and_described(
    registry: Registry, office: Identity
) -> None:
    paths = (await registry.get(office, "/openapi.json"))["paths"]
    for path, methods in ROUTES.items():
        assert methods <= set(paths[path]), path
    form = paths["/v1/worker-batches"]["post"]["requestBody"]["content"]
    assert "file" in form["multipart/form-data"]["schema"]["properties"]


@pytest.mark.parametrize(
    ("files", "data", "status"),
    [
        ({}, {"kind": "origin_roster"}, 415),
        ({"other": ("a.xlsx", b"x")}, {}, 422),
        ({"file": ("a.xlsx", b"x")}, {"drive_id": "nonsense"}, 422),
        ({"file": ("a.xlsx", b"x")}, {"kind": "nonsense"}, 422),
        ({"file": ("", b"x")}, {}, 422),
    ],
)
async def test_a_wrong_form_is_refused(
    registry: Registry,
    office: Identity,
    files: dict[str, tuple[str, bytes]],
    data: dict[str, str],
    status: int,
) -> None:
    async with registry.client(office) as client:
        answer = await client.post("/v1/worker-batches", files=files, data=data)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"]


async def test_nobody_without_a_token_and_an_auditor_reads_masked(
    registry: Registry, office: Identity
) -> None:
    batch = await registry.imported(office, a_roster(5, 1))
    auditor = await an_auditor(registry.db)
    workers = await registry.items(auditor, f"/v1/worker-batches/{batch['batch_id']}/workers")
    assert len(workers) == 5
    assert all("*" in w["name_masked"] and "*" in w["resident_id_masked"] for w in workers)
    assert (await registry.submit(auditor, a_roster(5, 2))).status_code == 403
    async with registry.client(auditor) as client:
        path = f"/v1/worker-batches/{batch['batch_id']}/issues.xlsx"
        assert (await client.get(path)).status_code == 403
        del client.headers["Authorization"]
        assert (await client.get("/v1/worker-batches")).status_code == 401


async def test_lists_come_page_by_page(registry: Registry, office: Identity) -> None:
    batch = await registry.imported(office, a_roster(7, 1))
    path = f"/v1/worker-batches/{batch['batch_id']}/workers"
    first = await registry.get(office, f"{path}?limit=3")
    second = await registry.get(office, f"{path}?limit=3&cursor={first['next_cursor']}")
    third = await registry.get(office, f"{path}?limit=3&cursor={second['next_cursor']}")
    rows = [i["row"] for page in (first, second, third) for i in page["items"]]
    assert rows == list(range(2, 9))
    assert third["next_cursor"] is None
    await registry.get(office, f"{path}?limit=201", status=422)
    await registry.get(office, f"{path}?cursor=nonsense", status=422)


async def test_a_worker_is_seen_by_whom_it_belongs_to(registry: Registry, office: Identity) -> None:
    await registry.imported(office, a_roster(1, 1))
    (said,) = await registry.said("worker-nominated")
    path = f"/v1/workers/{said.body['worker_id']}"
    seen = await registry.get(office, path)
    assert seen["phone_masked"].startswith("*******")
    assert seen["gender"] == said.body["gender"]
    await registry.get(await an_office(registry.db), path, status=404)
