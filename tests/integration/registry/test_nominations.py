"""One person has at most one active nomination, and another office may come after it has ended."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from contracts.recruitment import DriveOpened
from services.registry.handlers import importing
from services.registry.handlers.claiming import Claimed, claim
from services.registry.handlers.taking import Roster
from shared.clock import civil_date, real_now
from shared.identity import Identity
from shared.ids import Ids
from shared.transaction import Tx
from tests.integration.registry.told import DAY, HIRED_ON, Way
from tests.integration.registry.world import Registry
from tests.support.http import a_coordinator, an_enterprise, an_office
from tests.support.rosters import a_roster, a_table, persons, xlsx

IDS = Ids()


async def nominated(registry: Registry, office: Identity, **cells: Any) -> dict[str, Any]:
    """Nominate one person; give the event's body."""
    await registry.imported(office, xlsx(a_table(cells)))
    return (await registry.said("worker-nominated"))[-1].body


async def test_another_office_learns_that_and_nothing_else(
    registry: Registry, office: Identity
) -> None:
    other = await an_office(registry.db, division_code="532500")
    await nominated(registry, office)
    batch = await registry.imported(other, xlsx(a_table({"备注": "x"})))
    assert (batch["state"], batch["rejected_count"]) == ("rejected", 1)
    (issue,) = await registry.items(other, f"/v1/worker-batches/{batch['batch_id']}/issues")
    assert (issue["code"], issue["severity"], issue["column"]) == (
        "already_nominated",
        "error",
        "B",
    )
    assert str(office.tenant_id) not in str(issue)
    assert await registry.items(other, "/v1/nominations") == []
    assert await registry.items(other, f"/v1/worker-batches/{batch['batch_id']}/workers") == []
    (rejected,) = await registry.said("worker-batch-rejected")
    assert rejected.headers["ce_tenantid"] == str(other.tenant_id)


async def test_two_offices_at_the_same_moment_and_exactly_one_wins_fifty_times(
    registry: Registry, office: Identity
) -> None:
    other = await an_office(registry.db, division_code="532500")
    wins = 0
    for person in persons(50):
        wins += await race(registry, (office, other), xlsx(a_table(person)))
    assert wins == 50
    doubled = await registry.count(
        "SELECT count(*) FROM (SELECT worker_id FROM nomination GROUP BY 1 HAVING count(*) > 1) d"
    )
    assert doubled == 0
    assert len(await registry.said("worker-registered")) == 50
    # Who entered the vault on sight and lost the race left it without a trace.
    await registry.tick()
    for table in ("relation", "nomination", "batch_worker"):
        assert await registry.count(f"SELECT count(*) FROM {table}") == 50
    assert await registry.idle_keys() == set()


async def race(registry: Registry, offices: tuple[Identity, ...], data: bytes) -> int:
    """Import the same person for all offices at the same moment; give how many nominations came."""
    before = len(await registry.said("worker-nominated"))
    await asyncio.gather(*(registry.submit(o, data) for o in offices))
    tickers = {t.name: t for t in registry.house.tickers}
    async with registry.db.transaction(role="worker") as tx:
        await tickers["start-batches"].run(tx)

    async def lane(name: str) -> None:
        async with registry.db.transaction(role="worker") as tx:
            await tickers[name].run(tx)

    # Both have looked, and found nobody, before either claims.
    barrier = asyncio.Barrier(len(offices))

    async def claim_together(tx: Tx, roster: Roster) -> Claimed:
        async with asyncio.timeout(60):
            await barrier.wait()
        return await claim(tx, roster)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "claim", claim_together)
        await asyncio.gather(lane("import-batches"), lane("import-small-batches"))
    return len(await registry.said("worker-nominated")) - before


async def test_without_the_index_two_offices_win(registry: Registry, office: Identity) -> None:
    """The negative control of the race: the index is what decides it."""
    other = await an_office(registry.db, division_code="532500")
    data = xlsx(a_table({}))
    await registry.imported(office, data)
    await withdraw_all(registry, office)
    await registry.as_owner("DROP INDEX nomination_active_worker")
    assert await race(registry, (office, other), xlsx(a_table({"备注": "再来"}))) == 2


async def withdraw_all(registry: Registry, office: Identity) -> None:
    async with registry.client(office) as client:
        for item in await registry.items(office, "/v1/nominations?state=active"):
            answer = await client.post(f"/v1/nominations/{item['nomination_id']}/withdraw")
            assert answer.status_code == 200


async def test_after_a_withdrawal_another_office_may_nominate_and_the_file_may_come_again(
    registry: Registry, office: Identity
) -> None:
    data = xlsx(a_table({}))
    first = await registry.imported(office, data)
    await withdraw_all(registry, office)
    (ended,) = await registry.said("nomination-ended")
    assert ended.body["reason"] == "withdrawn"
    assert ended.headers["ce_correlationid"] == ended.body["nomination_id"]
    second = await registry.imported(office, data)
    assert second["batch_id"] != first["batch_id"]
    assert second["accepted_count"] == 1
    await withdraw_all(registry, office)
    other = await an_office(registry.db, division_code="532500")
    assert (await registry.imported(other, data))["state"] == "accepted"
    assert len(await registry.said("worker-registered")) == 1
    workers = {s.body["worker_id"] for s in await registry.said("worker-nominated")}
    assert len(workers) == 1


async def test_a_withdrawal_twice_is_a_conflict_and_a_foreign_one_is_not_found(
    registry: Registry, office: Identity
) -> None:
    body = await nominated(registry, office)
    path = f"/v1/nominations/{body['nomination_id']}/withdraw"
    other = await an_office(registry.db, division_code="532500")
    async with registry.client(other) as client:
        assert (await client.post(path)).status_code == 404
    async with registry.client(await an_enterprise(registry.db)) as client:
        assert (await client.post(path)).status_code == 403
    async with registry.client(await a_coordinator(registry.db)) as client:
        assert (await client.post(path, json={"reason": "本人不去了"})).status_code == 200
        assert (await client.post(path)).status_code == 409


async def test_another_offices_person_may_be_sent_again_by_the_same_file(
    registry: Registry, office: Identity
) -> None:
    other = await an_office(registry.db, division_code="532500")
    await nominated(registry, office)
    data = xlsx(a_table({"备注": "x"}))
    first = await registry.imported(other, data)
    assert first["state"] == "rejected"
    await withdraw_all(registry, office)
    second = await registry.imported(other, data)
    assert (second["state"], second["batch_id"] != first["batch_id"]) == ("accepted", True)


async def test_a_known_person_is_updated_by_what_is_new(
    registry: Registry, office: Identity
) -> None:
    # A day that is over would be told, too.
    first, later_day = (str(civil_date(real_now()) + timedelta(days=n)) for n in (90, 120))
    body = await nominated(registry, office, 可出发日期=first, 是否需要住宿="否", 文化程度="初中")
    later = a_table(
        {"可出发日期": later_day, "是否需要住宿": "是", "文化程度": "", "意向工资": "6000"}
    )
    batch = await registry.imported(office, xlsx(later))
    assert (batch["state"], batch["duplicate_count"]) == ("accepted", 1)
    (issue,) = await registry.items(office, f"/v1/worker-batches/{batch['batch_id']}/issues")
    assert (issue["code"], issue["severity"]) == ("already_known", "info")
    (changed,) = await registry.said("nomination-changed")
    assert changed.body["changed"] == ["available_from", "needs_bed"]
    assert changed.body["nomination_id"] == body["nomination_id"]
    assert changed.body["available_from"] == later_day
    assert changed.body["education_code"] == body["education_code"]
    (updated,) = await registry.said("worker-updated")
    assert updated.body["preferred_pay_min"] == 6000
    assert updated.body["education_code"] == body["education_code"]
    (worker,) = await registry.items(office, f"/v1/worker-batches/{batch['batch_id']}/workers")
    assert worker["nomination_id"] == body["nomination_id"]
    assert (worker["name_masked"], worker["resident_id_masked"]) == ("王**", "5" + "*" * 16 + "3")


async def test_the_same_row_again_says_nothing(registry: Registry, office: Identity) -> None:
    await nominated(registry, office, 可出发日期="随时")
    before = len(await registry.said())
    await registry.advance("3 days")
    batch = await registry.imported(office, xlsx(a_table({"可出发日期": "随时", "备注": ""})))
    assert batch["duplicate_count"] == 1
    kinds = [s.type for s in (await registry.said())[before:]]
    assert kinds == ["registry.worker-batch-submitted.v1", "registry.worker-batch-validated.v1"]


async def test_a_row_for_another_drive_names_the_offices_own(
    registry: Registry, office: Identity
) -> None:
    drive = IDS.uuid7()
    await registry.hear(
        DriveOpened(
            drive_id=drive, title="春风行动", kind="fair", origins=("530900",), enterprises=(),
            opens_on=DAY, closes_on=DAY, acceptance="by_office", runs_transport=True,
        )
    )  # fmt: skip
    await registry.imported(office, xlsx(a_table({})), drive_id=str(drive))
    batch = await registry.imported(office, xlsx(a_table({})), drive_id=str(IDS.uuid7()))
    (issue,) = await registry.items(office, f"/v1/worker-batches/{batch['batch_id']}/issues")
    assert issue["code"] == "already_known"
    assert "春风行动" in issue["message"]
    (said,) = await registry.said("worker-nominated")
    assert said.body["drive_id"] == str(drive)


async def test_a_start_ends_the_nomination_and_a_closed_drive_those_without_a_place(
    registry: Registry, office: Identity
) -> None:
    enterprise = await an_enterprise(registry.db)
    await registry.imported(office, xlsx(a_table(*persons(3))))
    ways = [Way(s.body, enterprise.tenant_id) for s in await registry.said("worker-nominated")]
    await registry.hear(ways[0].confirmed(), ways[0].started())
    await registry.hear(ways[1].unplaced("no_vacancy"), ways[1].unplaced("drive_closed"))
    await registry.hear(ways[1].unplaced("drive_closed"))
    ended = {s.body["nomination_id"]: s.body for s in await registry.said("nomination-ended")}
    reasons = [ended.get(str(w.ids["nomination_id"]), {}).get("reason") for w in ways]
    assert reasons == ["started", "drive_closed", None]
    started = ended[str(ways[0].ids["nomination_id"])]
    assert started["placement_id"] == str(ways[0].ids["placement_id"])
    assert started["enterprise_id"] == str(enterprise.tenant_id)
    items = await registry.items(office, "/v1/nominations?state=ended")
    assert {i["reason"] for i in items} == {"started", "drive_closed"}


async def test_a_nomination_ends_after_180_days_without_a_live_placement(
    registry: Registry, office: Identity
) -> None:
    enterprise = await an_enterprise(registry.db)
    await registry.imported(office, xlsx(a_table(*persons(2))))
    idle, placed = (
        Way(s.body, enterprise.tenant_id) for s in await registry.said("worker-nominated")
    )
    await registry.hear(placed.confirmed())
    await registry.advance("179 days")
    await registry.tick()
    assert await registry.said("nomination-ended") == []
    await registry.advance("2 days")
    await registry.tick()
    (ended,) = await registry.said("nomination-ended")
    assert (ended.body["reason"], ended.body["nomination_id"]) == (
        "expired",
        str(idle.ids["nomination_id"]),
    )
    await registry.hear(placed.cancelled())
    await registry.advance("179 days")
    await registry.tick()
    assert len(await registry.said("nomination-ended")) == 1
    await registry.advance("2 days")
    await registry.tick()
    assert len(await registry.said("nomination-ended")) == 2


async def test_new_hires_nominate_nobody_and_are_corrected_under_the_same_id(
    registry: Registry, office: Identity
) -> None:
    enterprise = await an_enterprise(registry.db)
    body = await nominated(registry, office)
    day = {"入职日期": str(HIRED_ON), "工作地点": "南翔镇"}
    first = await registry.imported(enterprise, xlsx(a_table(day)))
    assert (first["kind"], first["state"]) == ("new_hires", "accepted")
    (hired,) = await registry.said("worker-hired")
    assert hired.body["worker_id"] == body["worker_id"]
    assert hired.body["site"]["town"] == "南翔镇"
    assert hired.headers["ce_correlationid"] == hired.body["hire_id"]
    assert hired.headers["ce_tenantid"] == str(enterprise.tenant_id)
    again = await registry.imported(enterprise, xlsx(a_table(day | {"备注": "x"})))
    assert again["duplicate_count"] == 1
    other_day = day | {"入职日期": str(HIRED_ON + timedelta(days=2))}
    assert (await registry.imported(enterprise, xlsx(a_table(other_day))))["accepted_count"] == 1
    told = await registry.said("worker-hired")
    assert [s.body["hired_on"] for s in told] == [str(HIRED_ON + timedelta(days=n)) for n in (0, 2)]
    assert told[0].body["hire_id"] == told[1].body["hire_id"]
    assert len(await registry.said("worker-nominated")) == 1
    assert await registry.items(enterprise, "/v1/nominations") == []


async def test_a_known_hires_other_workplace_is_said_once(registry: Registry) -> None:
    enterprise = await an_enterprise(registry.db)
    day = {"入职日期": str(HIRED_ON)}
    for cells in (day, day | {"工作地点": "南翔镇"}, day | {"备注": "x"}):
        batch = await registry.imported(enterprise, xlsx(a_table(cells)))
    assert (batch["state"], batch["duplicate_count"]) == ("accepted", 1)
    first, moved = await registry.said("worker-hired")
    assert first.body["hire_id"] == moved.body["hire_id"]
    assert "site" not in first.body
    assert moved.body["site"]["town"] == "南翔镇"


async def test_a_hires_journey_is_the_live_placements(registry: Registry, office: Identity) -> None:
    enterprise = await an_enterprise(registry.db)
    body = await nominated(registry, office)
    await registry.hear(Way(body, enterprise.tenant_id).confirmed())
    await registry.imported(enterprise, xlsx(a_table({"入职日期": str(HIRED_ON)})))
    (hired,) = await registry.said("worker-hired")
    assert hired.headers["ce_correlationid"] == body["nomination_id"]


@pytest.mark.parametrize(
    "path",
    ["", "/issues", "/issues.xlsx", "/workers"],
)
async def test_a_foreign_batch_is_not_found(
    registry: Registry, office: Identity, path: str
) -> None:
    batch = await registry.imported(office, a_roster(3, 1, faults={"id_checksum": 1}))
    other = await an_office(registry.db, division_code="532500")
    await registry.get(other, f"/v1/worker-batches/{batch['batch_id']}{path}", status=404)
    assert await registry.items(other, "/v1/worker-batches") == []
    coordinator = await a_coordinator(registry.db)
    assert len(await registry.items(coordinator, "/v1/worker-batches")) == 1


async def test_without_row_security_a_foreign_batch_is_seen(
    registry: Registry, office: Identity
) -> None:
    """The negative control of the test above."""
    await registry.imported(office, a_roster(3, 1))
    other = await an_office(registry.db, division_code="532500")
    await registry.as_owner("ALTER TABLE worker_batch DISABLE ROW LEVEL SECURITY")
    assert len(await registry.items(other, "/v1/worker-batches")) == 1
