"""Storm after storm until a thousand processes were killed; `make chaos` goes on where it was.

`SHANHAI_KILLS=n` ends earlier, `SHANHAI_SEED=n` replays one run; `tests.chaos.sums` sums all up.
"""

import os
import sys
import time
from collections.abc import Iterator

import pytest

from stack.plan import Plan
from tests.chaos import sums
from tests.chaos.conftest import a_stack, a_stack_over_lines, a_world
from tests.chaos.elements import Elements, elements
from tests.chaos.storm import Storm, everybody
from tests.chaos.weather import Weathered, weather

KILLS = int(os.environ.get("SHANHAI_KILLS", "1000"))
KILLS_EACH = 16
#: There is always another kill to aim.
AIM_DEADLINE_S = 20.0
#: Every so many runs have a cluster of three brokers.
CLUSTER_EVERY = 3
#: In every so many there are lines, clocks and disks that fail as well, so many times each.
ELEMENTS_EVERY, ELEMENTS_EACH = 5, 6
DAY_S = 86_400


@pytest.mark.slow
@pytest.mark.timeout(DAY_S)
async def test_a_thousand_kills_lose_nobody_and_double_nothing() -> None:
    """INVARIANT: summed over all runs nothing is lost, doubled or out of order."""
    if "SHANHAI_SEED" in os.environ:
        one = await run(int(os.environ["SHANHAI_SEED"]))
        sums.note(one)
        assert one["wrong"] == []
        return
    for seed in seeds():
        sums.note(await run(seed))
    total = sums.summed(sums.known())
    sys.stdout.write(f"{total}\n")
    assert total["seeds_with_something_wrong"] == []
    assert total["kills"] >= KILLS


async def weather_over(plan: Plan, storm: Storm) -> Weathered:
    """Open the house on a stack, and let a storm blow over it."""
    async with a_world(plan) as world:
        return await weather(world, storm)


def seeds() -> Iterator[int]:
    """Give the next seed for as long as there are not enough kills."""
    known = sums.known()
    while sum(one["kills"] for one in known) < KILLS:
        yield 1 + max((int(one["seed"]) for one in known), default=0)
        known = sums.known()


async def run(seed: int) -> sums.Run:
    """Let one storm blow over a fresh stack."""
    began, brokers = time.monotonic(), 1 if seed % CLUSTER_EVERY else 3
    if seed % ELEMENTS_EVERY:
        with a_stack(brokers=brokers) as plan:
            storm = Storm(plan, seed, everybody(plan, KILLS_EACH), AIM_DEADLINE_S)
            after = await weather_over(plan, storm)
    else:
        with a_stack_over_lines(brokers=brokers) as (plan, lines):
            hits = [*everybody(plan, KILLS_EACH), *elements(plan, ELEMENTS_EACH)]
            storm = Storm(plan, seed, hits, AIM_DEADLINE_S, Elements(plan, lines))
            after = await weather_over(plan, storm)
    return sums.told(after, brokers, time.monotonic() - began)
