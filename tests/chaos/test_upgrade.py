"""A release is rolled out service by service, in the worst order, while people come and go."""

import asyncio
import json
import sys
from collections import Counter

import asyncpg
import pytest

from stack.plan import Plan
from stack.reading import records
from stack.status import database_urls
from tests.chaos import tomorrow
from tests.chaos.calm import times, verdict_of
from tests.chaos.conftest import a_stack, a_world
from tests.chaos.load import Load
from tests.chaos.runner import NEXT
from tests.chaos.storm import Storm
from tests.support.world import World, eventually

#: Who says the new version first, as no release should: the others can't read it yet.
ORDER = ("transport", "console", "registry", "recruitment", "lodging")
_PARKED = """
SELECT count(*) FILTER (WHERE state = 'parked') AS now, count(*) AS ever FROM dead_letter
WHERE reason = 'unknown_version'
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_old_and_new_versions_at_once_lose_nothing_and_what_was_parked_flows() -> None:
    """INVARIANT: a version that isn't known yet waits for the release that knows it, in order."""
    with a_stack() as plan:
        async with a_world(plan) as world:
            loads = await _rolled_out(world)
            with tomorrow.readable():
                verdict = await verdict_of(world, times(loads, Load.totals()))
                said = await _versions(plan)
            parked = {name: await _parked(plan, name) for name in ORDER}
        sys.stdout.write(f"{dict(said)}; parked (now, ever): {parked}; {verdict.effects}\n")
        # In here, so that the logs are kept.
        assert verdict.wrong == []
    assert {now for now, _ in parked.values()} == {0}
    assert min(parked["lodging"][1], parked["recruitment"][1]) > 0
    assert min(said[tomorrow.OLD], said[tomorrow.NEW]) > 0
    assert min(said["less"], said["more"]) > 0


async def _rolled_out(world: World) -> int:
    """Upgrade one service after the other under load; give how many loads there were."""
    await Load(world).run()
    rolling, loads = asyncio.create_task(_roll_out(world.plan)), 1
    while not rolling.done():
        await Load(world).run()
        loads += 1
    await rolling
    await Load(world).run()
    return loads + 1


async def _roll_out(plan: Plan) -> None:
    storm = Storm(plan, 0, ())
    for service in ORDER:
        folder = plan.data_dir / NEXT
        folder.mkdir(exist_ok=True)
        (folder / service).touch()
        await storm.hit(f"{service}-1", "restart")
        await storm.back(f"{service}-1")
        if service == ORDER[0]:
            # Else the others might be upgraded before there is anything to park.
            await eventually(lambda: _has_parked(plan), "lodging parks what it can't read")


async def _has_parked(plan: Plan) -> bool:
    return (await _parked(plan, "lodging"))[0] > 0


async def _parked(plan: Plan, service: str) -> tuple[int, int]:
    conn = await asyncpg.connect(database_urls(plan)[service])
    try:
        row = await conn.fetchrow(_PARKED)
    finally:
        await conn.close()
    assert row
    return row["now"], row["ever"]


async def _versions(plan: Plan) -> Counter[str]:
    """Count what lies on the topics, by version, and by whether it says more."""
    said: Counter[str] = Counter()
    async for record in records(plan.ports.kafka(plan.brokers).bootstrap_servers):
        kind = dict(record.headers)["ce_type"].decode()
        said[kind] += kind in {tomorrow.OLD, tomorrow.NEW}
        if kind == tomorrow.SAID_MORE:
            said["more" if "welcome" in json.loads(record.value) else "less"] += 1
    return +said
