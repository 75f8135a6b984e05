"""Whatever is killed while people come and go: the totals are those of a run without a storm."""

import os
import sys

import pytest

from tests.chaos.conftest import a_stack, a_world
from tests.chaos.storm import Hit, Storm, everybody
from tests.chaos.test_rolling import is_unnoticed, roll
from tests.chaos.weather import Weathered, weather

SEED = int(os.environ.get("SHANHAI_SEED", "20261125"))
KILLS_EACH = 3
KILLS_MIN = 20
ON_CONSUMERS: tuple[Hit, ...] = tuple(
    (f"{service}-1", "aimed") for service in ("recruitment", "transport", "lodging", "console")
)


@pytest.mark.timeout(1800)
async def test_a_rolling_restart_and_twenty_kills_lose_nobody_and_double_nothing() -> None:
    """INVARIANT: whatever befalls a process, what is left is what the same load leaves in calm."""
    with a_stack() as plan:
        async with a_world(plan) as world:
            rolled = await roll(world, 1)
            is_unnoticed(*rolled)
            storm = Storm(plan, SEED, everybody(plan, KILLS_EACH))
            after = await weather(world, storm, loads_before=rolled[2])
    report(after)
    assert after.verdict.wrong == []
    assert storm.killed.total() >= KILLS_MIN
    assert set(storm.killed) == {*(f"{s}-1" for s in plan.services), "postgres", "kafka-1"}


# `make test` shows the same on the smallest fixture: tests/integration/shared/test_flow_kafka.py.
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("switches", "broken"), [(("inbox", "sequence"), "doubled"), (("ack-first",), "lost")]
)
async def test_the_same_storm_breaks_a_system_without_its_guards(
    switches: tuple[str, ...], broken: str
) -> None:
    """The negative control: what keeps the promises is what we say it is."""
    with a_stack(switches) as plan:
        async with a_world(plan) as world:
            after = await weather(world, Storm(plan, SEED, ON_CONSUMERS))
    report(after)
    assert getattr(after.verdict.effects, broken) > 0
    assert after.verdict.wrong != []


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_without_compensation_cancelled_journeys_go_on_holding_seats_and_beds() -> None:
    """The negative control of the ways back; no storm is needed for it."""
    with a_stack(("uncompensated",)) as plan:
        async with a_world(plan) as world:
            after = await weather(world, Storm(plan, SEED, ()))
    assert any("a cancelled placement holds nothing" in one for one in after.verdict.wrong)


def report(after: Weathered) -> None:
    storm, effects = after.storm, after.verdict.effects
    sys.stdout.write(
        f"seed {storm.seed}: {storm.killed.total()} kills, {storm.aimed.total()} of them between"
        f" effect and acknowledgement, {dict(sorted(storm.killed.items()))},"
        f" ready after {max(storm.back_s.values(), default=0):.1f} s at most, heard again after"
        f" {[round(s, 1) for s in after.away_s]} s;"
        f" commands acknowledged {after.acknowledged}, effects found {effects.found},"
        f" lost {effects.lost}, doubled {effects.doubled}, inverted {effects.inverted};"
        f" wrong: {after.verdict.wrong[:9]}\n"
    )
