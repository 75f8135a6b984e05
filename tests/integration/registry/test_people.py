"""Names are shown by right alone, lie nowhere in clear, and are gone when they are erased."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.registry.handlers.erasing import apply_erasure_list
from services.registry.settings import RegistrySettings
from services.registry.vault import MasterKeys, Vault, new_master_key_line
from shared.identity import Identity
from shared.ids import Ids
from stack.databases import at_database
from stack.postgres import Postgres
from tests.integration.registry.told import DAY, HIRED_ON, Way
from tests.integration.registry.world import Registry, a_registry
from tests.support.http import (
    a_coordinator,
    an_admin,
    an_auditor,
    an_enterprise,
    an_escort,
    an_inn,
    an_office,
)
from tests.support.rosters import a_table, persons, resident_id, xlsx

IDS = Ids()
NAME, NUMBER, PHONE = "欧阳金丝雀", resident_id("530902", DAY.replace(year=1993), 77), "13987650123"
CANARY = {
    "姓名": NAME,
    "身份证号": NUMBER,
    "联系电话": PHONE,
    "备注": "金丝雀备注",
    "户籍地": "金丝雀村",
}
BAD = CANARY | {"姓名": "金丝雀坏行", "身份证号": NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")}


async def nominated(registry: Registry, office: Identity, count: int = 1) -> list[dict[str, Any]]:
    await registry.imported(office, xlsx(a_table(*persons(count))))
    return [s.body for s in await registry.said("worker-nominated")]


async def reveal(
    registry: Registry, who: Identity, ids: list[Any], scope: dict[str, Any]
) -> tuple[int, list[str], int]:
    """Give the status, the names shown, and how many are withheld."""
    body = {
        "worker_ids": [str(i) for i in ids],
        "fields": ["name", "resident_id"],
        "purpose": "打印名单",
        "scope": {k: str(v) for k, v in scope.items()},
    }
    async with registry.client(who) as client:
        answer = await client.post("/v1/reveals", json=body)
    if answer.status_code != 200:
        return answer.status_code, [], 0
    told = answer.json()
    return 200, [i["name"] for i in told["items"]], len(told["withheld"])


async def test_who_may_see_a_passengers_name(registry: Registry, office: Identity) -> None:
    enterprise, other = await an_enterprise(registry.db), await an_office(registry.db)
    bodies = await nominated(registry, office, 3)
    way, booked_only = Way(bodies[0], enterprise.tenant_id), Way(bodies[1], enterprise.tenant_id)
    ids = [b["worker_id"] for b in bodies]
    scope = {"trip_id": way.trip_id}
    coordinator, escort = await a_coordinator(registry.db), await an_escort(registry.db)
    assert await reveal(registry, coordinator, ids, scope) == (200, [], 3)
    await registry.hear(way.booked(), booked_only.booked())
    name = persons(3)[0]["姓名"]
    for who in (coordinator, escort, office, enterprise):
        assert await reveal(registry, who, ids, scope) == (200, [name], 2)
    assert await reveal(registry, other, ids, scope) == (200, [], 3)
    assert await reveal(registry, await an_inn(registry.db), ids, scope) == (200, [], 3)
    assert (await reveal(registry, await an_auditor(registry.db), ids, scope))[0] == 403
    assert (await reveal(registry, await an_admin(registry.db), ids, scope))[0] == 403


async def test_an_inn_sees_its_guests_on_their_days_alone(
    registry: Registry, office: Identity
) -> None:
    enterprise = await an_enterprise(registry.db)
    (body,) = await nominated(registry, office)
    way = Way(body, enterprise.tenant_id)
    inn = await an_inn(registry.db, way.inn_id)
    ids = [body["worker_id"]]
    await registry.hear(way.stay())
    for on, shown in (
        (DAY - timedelta(1), 0),
        (DAY, 1),
        (DAY + timedelta(4), 1),
        (DAY + timedelta(5), 0),
    ):
        answer = await reveal(registry, inn, ids, {"inn_id": way.inn_id, "on": on})
        assert (len(answer[1]), answer[2]) == (shown, 1 - shown), on
    foreign = await an_inn(registry.db)
    assert (await reveal(registry, foreign, ids, {"inn_id": way.inn_id, "on": DAY}))[1] == []
    assert (await reveal(registry, office, ids, {"inn_id": way.inn_id, "on": DAY}))[2] == 0
    await registry.hear(way.checked_in(), way.checked_out())
    assert (await reveal(registry, inn, ids, {"inn_id": way.inn_id, "on": DAY}))[1] == []


async def test_an_enterprise_sees_whom_it_has_placed_or_hired(
    registry: Registry, office: Identity
) -> None:
    enterprise = await an_enterprise(registry.db)
    bodies = await nominated(registry, office, 2)
    ids = [b["worker_id"] for b in bodies]
    way = Way(bodies[0], enterprise.tenant_id)
    scope = {"enterprise_id": enterprise.tenant_id, "on": DAY}
    assert await reveal(registry, enterprise, ids, scope) == (200, [], 2)
    await registry.hear(way.confirmed())
    assert len((await reveal(registry, enterprise, ids, scope))[1]) == 1
    await registry.hear(way.cancelled())
    assert await reveal(registry, enterprise, ids, scope) == (200, [], 2)
    own = persons(1, 入职日期=str(HIRED_ON))[0] | {"姓名": "厂里的名"}
    await registry.imported(enterprise, xlsx(a_table(own)))
    assert (await reveal(registry, enterprise, ids, scope))[1] == ["厂里的名"]
    other = await an_enterprise(registry.db)
    assert await reveal(registry, other, ids, scope) == (200, [], 2)


async def test_a_tenant_sees_its_own_batch_and_each_reveal_is_written_down(
    registry: Registry, office: Identity
) -> None:
    bodies = await nominated(registry, office, 2)
    ids = [*(b["worker_id"] for b in bodies), IDS.uuid4()]
    scope = {"batch_id": bodies[0]["batch_id"]}
    assert await reveal(registry, office, ids, scope) == (200, [p["姓名"] for p in persons(2)], 1)
    assert (await reveal(registry, await an_office(registry.db), ids, scope))[1] == []
    async with registry.db.transaction(role="worker") as tx:
        rows = await tx.fetch("SELECT * FROM reveal_audit ORDER BY revealed_at")
    assert (len(rows[0]["revealed"]), len(rows[0]["withheld"])) == (2, 1)
    assert rows[0]["account_id"] == office.account_id
    assert all(p["姓名"] not in str(dict(r)) for r in rows for p in persons(2))


@pytest.mark.parametrize(
    "change",
    [
        {"worker_ids": []},
        {"worker_ids": [str(IDS.uuid4()) for _ in range(2_001)]},
        {"fields": ["notes"]},
        {"purpose": ""},
        {"purpose": "13812345678"},
        {"scope": {}},
        {"scope": {"inn_id": str(IDS.uuid7())}},
        {"scope": {"trip_id": str(IDS.uuid7()), "batch_id": str(IDS.uuid7())}},
    ],
)
async def test_a_reveal_says_who_what_and_what_for(
    registry: Registry, office: Identity, change: dict[str, Any]
) -> None:
    body = {
        "worker_ids": [str(IDS.uuid4())],
        "fields": ["name"],
        "purpose": "打印",
        "scope": {"trip_id": str(IDS.uuid7())},
    }
    async with registry.client(office) as client:
        assert (await client.post("/v1/reveals", json=body)).status_code == 200
        assert (await client.post("/v1/reveals", json=body | change)).status_code == 422


async def everything(registry: Registry) -> str:
    """Give every row of every table of the registry as text."""
    async with registry.db.transaction(role="worker") as tx:
        tables = await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        name = await tx.fetchval("SELECT current_database()")
    conn = await asyncpg.connect(at_database(registry._superuser_url, name))
    try:
        dumps = [
            await conn.fetchval(f"SELECT string_agg(t::text, chr(10)) FROM {t['tablename']} t")
            for t in tables
        ]
    finally:
        await conn.close()
    return "\n".join(d or "" for d in dumps)


def holds(dump: str, secret: str) -> bool:
    """Tell whether a dump holds a text, as text or as bytes (which a dump shows as hex)."""
    return secret in dump or secret.encode().hex() in dump


async def test_a_canary_is_in_clear_nowhere(registry: Registry, office: Identity) -> None:
    enterprise = await an_enterprise(registry.db)
    batch = await registry.imported(office, xlsx(a_table(CANARY, BAD)))
    assert (batch["accepted_count"], batch["rejected_count"]) == (1, 1)
    hire = CANARY | {"入职日期": str(HIRED_ON), "工作地点": f"厂{PHONE}"}
    await registry.imported(enterprise, xlsx(a_table(hire)))
    (said,) = await registry.said("worker-nominated")
    await reveal(registry, office, [said.body["worker_id"]], {"batch_id": batch["batch_id"]})
    seen = await everything(registry)
    assert said.body["worker_id"] in seen
    for secret in (NAME, NUMBER, NUMBER[:-1], PHONE, "金丝雀", "坏行"):
        assert not holds(seen, secret)
    async with registry.db.transaction(role="worker") as tx:
        await tx.execute(
            "INSERT INTO batch_file VALUES ($1, $1, $2)", UUID(batch["batch_id"]), NAME.encode()
        )
    assert holds(await everything(registry), NAME)  # So the search can find.
    shown = [
        await registry.get(office, f"/v1/workers/{said.body['worker_id']}"),
        await registry.items(office, f"/v1/worker-batches/{batch['batch_id']}/workers"),
        await registry.items(office, f"/v1/worker-batches/{batch['batch_id']}/issues"),
    ]
    for secret in (NAME, NUMBER, PHONE):
        assert secret not in json.dumps(shown, ensure_ascii=False)


async def erase(registry: Registry, who: Identity, worker_id: object) -> int:
    async with registry.client(who) as client:
        answer = await client.delete(f"/v1/workers/{worker_id}")
    await registry.tick()
    return answer.status_code


async def test_a_tenant_erases_its_own_copy_and_the_last_one_takes_the_person(
    registry: Registry, office: Identity
) -> None:
    enterprise = await an_enterprise(registry.db)
    await registry.imported(office, xlsx(a_table(CANARY)))
    await registry.imported(enterprise, xlsx(a_table(CANARY | {"入职日期": str(HIRED_ON)})))
    (said,) = await registry.said("worker-nominated")
    worker = said.body["worker_id"]
    assert await erase(registry, await an_office(registry.db), worker) == 404
    assert await erase(registry, await an_auditor(registry.db), worker) == 403
    assert await erase(registry, await a_coordinator(registry.db), worker) == 403
    assert await erase(registry, office, worker) == 202
    (ended,) = await registry.said("nomination-ended")
    assert ended.body["reason"] == "erased"
    assert await registry.said("worker-erased") == []
    await registry.get(office, f"/v1/workers/{worker}", status=404)
    assert (await registry.get(enterprise, f"/v1/workers/{worker}"))["name_masked"] == "欧****"
    assert await erase(registry, enterprise, worker) == 202
    (erased,) = await registry.said("worker-erased")
    assert erased.body == {"worker_id": worker}
    await registry.get(await a_coordinator(registry.db), f"/v1/workers/{worker}", status=404)
    assert await erase(registry, await an_admin(registry.db), worker) == 404


async def test_an_erased_person_leaves_nothing_and_comes_back_as_somebody_new(
    registry: Registry, office: Identity
) -> None:
    await registry.imported(office, xlsx(a_table(CANARY, CANARY, *persons(1))))
    said = await registry.said("worker-nominated")
    worker = said[0].body["worker_id"]
    assert await registry.count("SELECT count(*) FROM rejected_row") == 1
    assert await erase(registry, await an_admin(registry.db), worker) == 202
    for table in ("relation", "person_index", "batch_worker"):
        assert await registry.count(f"SELECT count(*) FROM {table}") == 1
    assert await registry.count("SELECT count(*) FROM rejected_row") == 0
    keys = await registry.eraser.vault.store.pool.fetchval("SELECT count(*) FROM data_key")
    assert keys == 1
    async with registry.db.transaction(role="worker") as tx:
        stone = await tx.fetchrow("SELECT * FROM worker WHERE worker_id = $1::uuid", worker)
    left = {k: v for k, v in stone.items() if v not in (None, [])}
    assert set(left) == {"worker_id", "registered_at", "erased_at"}
    await registry.imported(office, xlsx(a_table(CANARY | {"备注": "又来"})))
    assert (await registry.said("worker-nominated"))[-1].body["worker_id"] != worker


async def test_an_erasure_waits_for_the_trip_and_the_stay_to_end(
    registry: Registry, office: Identity
) -> None:
    enterprise = await an_enterprise(registry.db)
    (body,) = await nominated(registry, office)
    way = Way(body, enterprise.tenant_id)
    await registry.hear(way.confirmed(), way.booked(), way.boarded())
    assert await erase(registry, office, body["worker_id"]) == 202
    assert await erase(registry, office, body["worker_id"]) == 202
    assert await registry.said("worker-erased") == []
    await registry.hear(way.stay(), way.checked_in(), way.closed())
    await registry.tick()
    assert await registry.said("worker-erased") == []
    await registry.hear(way.checked_out())
    await registry.tick()
    assert len(await registry.said("worker-erased")) == 1
    assert await registry.count("SELECT count(*) FROM erasure WHERE done_at IS NULL") == 0


async def test_a_delay_under_way_leaves_whoever_is_aboard_aboard(
    registry: Registry, office: Identity
) -> None:
    (nominated_,) = await nominated(registry, office)
    way = Way(nominated_, IDS.uuid7())

    async def state() -> str:
        async with registry.db.transaction(role="worker") as tx:
            return str(await tx.fetchval("SELECT state FROM heard_booking"))

    await registry.hear(way.confirmed(), way.booked(), way.delayed())
    assert await state() == "booked"
    await registry.hear(way.boarded(), way.delayed())
    assert await state() == "boarded"
    assert await erase(registry, office, nominated_["worker_id"]) == 202
    assert await registry.count("SELECT count(*) FROM relation") == 1
    await registry.hear(way.handed_over(), way.delayed())
    assert await state() == "handed_over"


async def test_a_restored_backup_knows_no_erased_person(
    registry: Registry, office: Identity, postgres: Postgres, settings: RegistrySettings
) -> None:
    await registry.imported(office, xlsx(a_table(CANARY)))
    (said,) = await registry.said("worker-nominated")
    worker = said.body["worker_id"]
    tables = (
        "worker",
        "relation",
        "person_index",
        "nomination",
        "batch_worker",
        "aggregate_sequence",
    )
    async with registry.db.transaction(role="worker") as tx:
        backup = {t: await tx.fetch(f"SELECT * FROM {t}") for t in tables}
    keys = await registry.eraser.vault.store.pool.fetch("SELECT * FROM data_key")
    assert await erase(registry, await an_admin(registry.db), worker) == 202
    async with registry.db.transaction(role="worker") as tx:
        for table in ("outbox", "erasure", *reversed(tables)):
            await tx.execute(f"DELETE FROM {table}")
        for table, rows in backup.items():
            names = [*rows[0].keys()]
            places = ", ".join(f"${i}" for i, _ in enumerate(names, 1))
            sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"
            await tx.conn.executemany(sql, [tuple(r) for r in rows])
    pool = registry.eraser.vault.store.pool
    await pool.copy_records_to_table("data_key", records=[tuple(r) for r in keys])
    found = await registry.get(office, f"/v1/workers/{worker}")
    assert found["name_masked"] == "欧****"  # The backup is a real one.
    async with a_registry(registry.db, settings, postgres) as restored:
        await restored.get(office, f"/v1/workers/{worker}", status=404)
        assert await restored.count("SELECT count(*) FROM person_index") == 0
        assert await restored.items(office, "/v1/nominations?state=active") == []
        assert await pool.fetchval("SELECT count(*) FROM data_key") == 0


async def test_rows_that_were_left_out_are_kept_for_seven_days(
    registry: Registry, office: Identity
) -> None:
    batch = await registry.imported(office, xlsx(a_table(BAD)))
    keys = "SELECT count(*) FROM data_key"
    pool = registry.eraser.vault.store.pool
    assert await pool.fetchval(keys) == 1
    await registry.advance("6 days 23 hours")
    await registry.tick()
    assert await registry.count("SELECT count(*) FROM rejected_row") == 1
    await registry.advance("2 hours")
    await registry.tick()
    assert await registry.count("SELECT count(*) FROM rejected_row") == 0
    assert await pool.fetchval(keys) == 0
    async with registry.client(office) as client:
        answer = await client.get(f"/v1/worker-batches/{batch['batch_id']}/issues.xlsx")
    assert answer.status_code == 200


async def test_keys_are_rotated_while_names_are_read(
    registry: Registry, office: Identity, settings: RegistrySettings
) -> None:
    bodies = await nominated(registry, office, 3)
    path = f"/v1/worker-batches/{bodies[0]['batch_id']}/workers"
    before = await registry.items(office, path)
    vault = registry.eraser.vault
    assert await vault.rotate_tenant(office.tenant_id) == 3
    assert await registry.items(office, path) == before
    old = settings.master_key_file.read_text()
    settings.master_key_file.write_text(new_master_key_line("2") + old)
    url = settings.keys_database_url.get_secret_value()
    newer = await Vault.open(url, MasterKeys.read(settings.master_key_file))
    try:
        await newer.rotate_master()
        settings.master_key_file.write_text(settings.master_key_file.read_text().splitlines()[0])
        newest = await Vault.open(url, MasterKeys.read(settings.master_key_file))
        try:
            assert await newest.index_key() == await vault.index_key()
            ids = [r["key_id"] for r in await vault.store.pool.fetch("SELECT key_id FROM data_key")]
            assert await newest.load_keys(ids) == await vault.load_keys(ids)
        finally:
            await newest.close()
    finally:
        await newer.close()


async def test_whoever_asks_gets_everything_about_itself(
    registry: Registry, office: Identity
) -> None:
    await registry.imported(office, xlsx(a_table(CANARY | {"是否脱贫劳动力": "是"})))
    (said,) = await registry.said("worker-nominated")
    path = f"/v1/workers/{said.body['worker_id']}/access-requests"
    async with registry.client(office) as client:
        told = (await client.post(path)).json()
    (copy,) = told["copies"]
    assert (copy["name"], copy["resident_id"], copy["notes"]) == (NAME, NUMBER, "金丝雀备注")
    assert copy["poverty_lifted"] is True
    assert told["nominations"][0]["nomination_id"] == said.body["nomination_id"]
    async with registry.client(await an_office(registry.db)) as client:
        assert (await client.post(path)).status_code == 404
    assert await registry.count("SELECT count(*) FROM reveal_audit") == 1


async def test_an_empty_list_of_erasures_changes_nothing(
    registry: Registry, office: Identity
) -> None:
    await nominated(registry, office)
    async with registry.db.transaction(role="worker") as tx:
        await apply_erasure_list(tx, registry.eraser)
    assert await registry.count("SELECT count(*) FROM relation") == 1
