"""All services are restarted, one after the other, while people work: nobody need notice."""

import asyncio
import sys

import pytest

from tests.chaos.callers import Callers, calling
from tests.chaos.calm import Verdict, times, verdict_of
from tests.chaos.conftest import a_stack, a_world
from tests.chaos.load import Load
from tests.chaos.storm import Storm
from tests.support.world import Wanted, World

#: Twenty at full length, in four runs.
ROLLS_EACH = 5
#: One for each service; more would leave no time to start in.
CALLERS = 5


async def roll(world: World, count: int) -> tuple[Callers, Verdict, int]:
    """Restart all services so often; give what callers were told, what is left, and the loads."""
    loads = 0
    async with calling(world, await world.campaign(Wanted()), CALLERS) as callers:
        rolling = asyncio.create_task(_roll(Storm(world.plan, 0, ()), count))
        while not rolling.done():
            await Load(world).run()
            loads += 1
        await rolling
    return callers, await verdict_of(world, times(loads, Load.totals())), loads


async def _roll(storm: Storm, count: int) -> None:
    for _ in range(count):
        for service, replica in storm.plan.replicas_of():
            await storm.hit(f"{service}-{replica}", "restart")
            await storm.back(f"{service}-{replica}")


def is_unnoticed(callers: Callers, verdict: Verdict, _loads: int) -> None:
    """Claim that nobody was told worse than "not now", and that nothing is lost or doubled."""
    sys.stdout.write(f"{dict(callers.answers)}, {verdict.effects}\n")
    assert callers.worse_than_not_now == []
    assert set(callers.answers) <= {200, 503}
    assert verdict.wrong == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_five_rolling_restarts_are_answered_by_good_or_not_now_and_lose_nothing(
    number: int,
) -> None:
    """INVARIANT: a release costs nobody anything; one such restart is part of the short storm."""
    with a_stack() as plan:
        async with a_world(plan) as world:
            is_unnoticed(*await roll(world, ROLLS_EACH))
