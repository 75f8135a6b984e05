"""Each runbook is followed to the letter: its commands are run as they stand there."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from stack import recount
from stack.invariants import check
from stack.plan import Plan
from stack.status import database_urls
from stack.totals import totals
from tests.e2e.conftest import Settled
from tests.e2e.garbage import Thrown
from tests.support.world import Wanted, World

ROOT = Path(__file__).parent.parent.parent
RUNBOOKS = ROOT / "docs" / "runbooks"
BLOCKS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIMEOUT_S = 240


def commands(runbook: str) -> str:
    """Give what the runbook says one should type."""
    return "set -e\n" + "".join(BLOCKS.findall((RUNBOOKS / runbook).read_text("utf-8")))


async def follow(runbook: str, plan: Plan, **names: str) -> str:
    """Type it, and give what is printed; fails when a command does."""
    told = {"DATA": str(plan.data_dir), "PORT": str(plan.ports.http_port), **names}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = await asyncio.to_thread(
        subprocess.run, ["sh", "-c", commands(runbook)], cwd=ROOT, timeout=TIMEOUT_S, text=True,
        env={**os.environ, **told, "PATH": path}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_kafka_lost_with_its_disk_gets_its_history_back(
    settled: Settled, stack: Plan, thrown: Thrown
) -> None:
    """INVARIANT: what was acknowledged is in the topics again, and took effect once."""
    world, servers = settled.world, stack.ports.kafka(stack.brokers).bootstrap_servers
    await world.rest()
    before = totals(await recount.from_databases(database_urls(stack)))
    said = await recount.from_topics(servers)
    # Garbage is in no log: what was thrown in is gone for good.
    thrown.places.clear()
    printed = await follow("kafka-lost.md", stack)
    assert "records sent" in printed
    assert "✗" not in printed
    await world.rest()
    heard = await recount.from_topics(servers)
    assert totals(heard.standing()) == before
    assert totals(await recount.from_databases(database_urls(stack))) == before
    # What was sent twice, by a relay that was killed in between, lies there once again.
    assert heard.counts.total() == said.counts.total() - said.garbage - said.repeats
    assert heard.garbage == 0
    campaign = await world.campaign(Wanted())
    await world.roster(campaign, 3, form="csv", bed_share=0.0)
    assert {j["state"] for j in await world.settled(campaign)} == {"settled"}


async def test_a_database_that_was_destroyed_comes_back_as_it_was_a_moment_before(
    settled: Settled, stack: Plan
) -> None:
    """INVARIANT: up to the accident nothing is lost, and what follows goes on from there."""
    world, urls = settled.world, database_urls(stack)
    await follow("backup.md", stack)
    campaign = await world.campaign(Wanted())
    await world.roster(campaign, 3, form="csv", bed_share=1.0, boarding_share=1.0)
    await world.settled(campaign)
    before = totals(await recount.from_databases(urls))
    stays = await _rows(urls["lodging"], "SELECT * FROM stay ORDER BY stay_id")
    moment = await _rows(urls["lodging"], "SELECT (now() AT TIME ZONE 'Asia/Shanghai')::text")
    await _rows(urls["lodging"], "DROP TABLE stay CASCADE")
    printed = await follow("database-lost.md", stack, SERVICE="lodging", MOMENT=str(moment[0][0]))
    assert "✗" not in printed
    await world.rest()
    assert await _rows(urls["lodging"], "SELECT * FROM stay ORDER BY stay_id") == stays
    assert totals(await recount.from_databases(urls)) == before
    after = await world.campaign(Wanted())
    await world.roster(after, 3, form="csv", bed_share=0.0)
    assert {j["state"] for j in await world.settled(after)} == {"settled"}


@pytest.mark.slow
async def test_with_an_hour_lost_projections_come_from_the_topics_and_sequences_go_on(
    settled: Settled, stack: Plan
) -> None:
    """INVARIANT: what a service has heard it can hear again, and what it has said it knows."""
    world, url = settled.world, database_urls(stack)["console"]
    await world.rest()
    await follow("backup.md", stack)
    moment = await _rows(url, "SELECT (now() AT TIME ZONE 'Asia/Shanghai')::text")
    campaign = await world.campaign(Wanted())
    await world.roster(campaign, 3, form="csv", bed_share=1.0, boarding_share=1.0)
    await _change_a_tenant(world)
    await world.settled(campaign)
    shown = {name: await _rows(url, sql) for name, sql in _SHOWN.items()}
    printed = await follow("database-lost.md", stack, SERVICE="console", MOMENT=str(moment[0][0]))
    assert "✗" not in printed
    await world.rest()
    assert {name: await _rows(url, sql) for name, sql in _SHOWN.items()} == shown
    await _change_a_tenant(world)
    await world.rest()
    assert [f for f in await check(stack) if f.broken] == []


async def _change_a_tenant(world: World) -> None:
    """Let the console say something: the same once more."""
    account = world.people["office-honghe"].account
    body = {"kind": "office", "name": account.tenant_name, "division_code": "532500"}
    await world.people["admin"].put("console", f"/v1/tenants/{account.tenant_id}", body)


#: What the console shows, and what it has said, without the times at which it wrote it down.
_SHOWN = {
    "facts": "SELECT source, subject, state FROM fact ORDER BY source, subject",
    "journeys": "SELECT journey_id, state, waiting_for FROM journey ORDER BY journey_id",
    "sequences": "SELECT subject, last_sequence FROM aggregate_sequence ORDER BY subject",
    "said": "SELECT event_id, subject, sequence FROM event_log ORDER BY subject, sequence",
}


async def _rows(url: str, sql: str) -> list[asyncpg.Record]:
    conn = await asyncpg.connect(url)
    try:
        return list(await conn.fetch(sql))
    finally:
        await conn.close()


@pytest.mark.parametrize("runbook", sorted(p.name for p in RUNBOOKS.glob("*.md")))
def test_a_runbook_is_a_page_long(runbook: str) -> None:
    lines = (RUNBOOKS / runbook).read_text("utf-8").splitlines()
    assert len(lines) <= 60
    assert commands(runbook) != "set -e\n"


async def test_the_runbook_of_parked_records_ends_with_a_good_check(
    settled: Settled, stack: Plan
) -> None:
    await settled.world.rest()
    printed = await follow("dead-letters.md", stack)
    assert "✗" not in printed
