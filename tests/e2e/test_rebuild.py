"""The console's projection of a real world, built anew from its topics while it is in use."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg

from stack.plan import Plan
from stack.status import database_urls
from tests.e2e.conftest import Settled
from tests.e2e.test_runbooks import follow

SHANHAI = Path(sys.executable).parent / "shanhai"
HARMS = (
    "DELETE FROM fact WHERE noun = 'placement'",
    "UPDATE journey SET state = 'compensated', waiting_for = NULL",
    "DELETE FROM event WHERE type LIKE 'lodging.%'",
)


def rebuilt(plan: Plan) -> dict[str, Any]:
    """Run the command; give what it prints."""
    argv = [str(SHANHAI), "rebuild", "--data", str(plan.data_dir), "--json"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def test_a_real_world_is_rebuilt_as_it_stands_and_mended_where_it_was_spoilt(
    settled: Settled, stack: Plan
) -> None:
    """INVARIANT: the projection follows from the topics, whatever came in which batch."""
    world, campaign = settled.world, next(iter(settled.campaigns.values()))
    await world.rest()
    before = await world.journeys(campaign)
    found = rebuilt(stack)
    assert found["events"] > 0
    assert found["mended"] == dict.fromkeys(found["mended"], 0)
    conn = await asyncpg.connect(database_urls(stack)["console"])
    for harm in HARMS:
        assert not (await conn.execute(harm)).endswith(" 0")
    await conn.close()
    assert await world.journeys(campaign) != before
    assert "events in" in await follow("projection.md", stack)
    assert set(rebuilt(stack)["mended"].values()) == {0}
    after = await world.journeys(campaign)
    # When a state began is lost with the state.
    assert [{**j, "since": None} for j in after] == [{**j, "since": None} for j in before]
