"""Lines that hang, drag and break, moved clocks, disks that refuse: all of it under load."""

import os
import sys

import pytest

from tests.chaos.callers import calling
from tests.chaos.calm import verdict_of
from tests.chaos.conftest import a_stack_over_lines, a_world
from tests.chaos.elements import Elements, elements
from tests.chaos.storm import Storm
from tests.chaos.weather import weather
from tests.support.world import Wanted

SEED = int(os.environ.get("SHANHAI_SEED", "1"))
EACH = 4
TORN = [("disk:postgres", "torn"), ("disk:kafka-1", "torn")] * 3


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("brokers", [1, 3])
async def test_no_weather_loses_anybody_or_doubles_anything(brokers: int) -> None:
    """INVARIANT: whatever a line, a clock or a disk does, what is left is what calm leaves."""
    with a_stack_over_lines(brokers=brokers) as (plan, lines):
        async with a_world(plan) as world:
            storm = Storm(plan, SEED, elements(plan, EACH), elements=Elements(plan, lines))
            after = await weather(world, storm)
    assert storm.elements
    sys.stdout.write(
        f"seed {SEED}: {dict(storm.elements.seen)}; {after.acknowledged} commands acknowledged,"
        f" {after.verdict.effects}; wrong: {after.verdict.wrong[:9]}\n"
    )
    assert after.verdict.wrong == []


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_while_a_disk_refuses_every_answer_is_good_or_not_now_and_all_come_back() -> None:
    """INVARIANT: a write that is cut off in the middle is nobody's acknowledged command."""
    with a_stack_over_lines() as (plan, lines):
        async with a_world(plan) as world:
            storm = Storm(plan, SEED, TORN, elements=Elements(plan, lines))
            async with calling(world, await world.campaign(Wanted())) as callers:
                await storm.blow()
            verdict = await verdict_of(world, {})
        sys.stdout.write(f"{dict(callers.answers)}, {verdict.effects}\n")
        assert callers.worse_than_not_now == []
        assert set(callers.answers) == {200, 503}
        # In here, so that the logs are kept.
        assert verdict.wrong == []
