"""PostgreSQL dies, or stays away, while everybody calls: no answer is worse than "not now"."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from stack.plan import Plan
from stack.runstate import running
from tests.chaos.callers import Callers, Told, calling
from tests.chaos.conftest import a_stack, a_world
from tests.chaos.runner import HELD
from tests.chaos.storm import Hit, Storm
from tests.support.world import Wanted, eventually

HITS: list[Hit] = [("postgres", "kill"), ("postgres", "immediate")] * 6
AWAY_S = 10.0
#: As the issue of proof asks.
NOT_NOW_S_MAX, FIRST_SUCCESS_S_MAX = 3.0, 5.0


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_while_postgresql_dies_every_answer_is_good_or_not_now() -> None:
    """INVARIANT: no 5xx but 503, and that one says when to come again."""
    with a_stack() as plan:
        async with (
            a_world(plan) as world,
            calling(world, await world.campaign(Wanted())) as callers,
        ):
            await Storm(plan, 5, HITS).blow()
    assert set(callers.answers) == {200, 503}
    assert callers.worse_than_not_now == []


@dataclass
class Away:
    """From when until when PostgreSQL was not there (seconds)."""

    since: float = 0.0
    until: float = 0.0


@asynccontextmanager
async def postgresql_away(plan: Plan) -> AsyncIterator[Away]:
    """Kill PostgreSQL, and let nobody start it before the end."""
    state, away, held = running(plan.data_dir), Away(), plan.data_dir / HELD / "postgres"
    assert state
    held.parent.mkdir(exist_ok=True)
    held.touch()
    os.kill(state.processes["postgres"], signal.SIGKILL)
    away.since = time.monotonic()
    try:
        yield away
    finally:
        away.until = time.monotonic()
        held.unlink()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_while_postgresql_is_away_all_are_told_soon_and_served_soon_after() -> None:
    with a_stack() as plan:
        async with (
            a_world(plan) as world,
            calling(world, await world.campaign(Wanted())) as callers,
        ):
            urls = {url for _, url, _ in callers.calls}
            await eventually(lambda: _served(callers, urls, 0.0), "everybody is served")
            async with postgresql_away(plan) as away:
                await asyncio.sleep(AWAY_S)
            await eventually(lambda: _served(callers, urls, away.until), "and so again")
    told = [one for one in callers.told if one.asked_at > away.since and one.status == 503]
    waited = max(_first_good(callers, url, away.until) - away.until for url in urls)
    slowest = max(one.took_s for one in told)
    sys.stdout.write(
        f"away {away.until - away.since:.1f} s: {len(told)} times not now, {slowest:.2f} s at"
        f" most; everybody served {waited:.2f} s after at most; {callers.answers}\n"
    )
    assert {one.url for one in told} == urls
    assert callers.worse_than_not_now == []
    assert slowest < NOT_NOW_S_MAX
    assert waited < FIRST_SUCCESS_S_MAX


async def _served(callers: Callers, urls: set[str], since: float) -> bool:
    return {one.url for one in callers.told if _is_good(one, since)} == urls


def _is_good(one: Told, since: float) -> bool:
    return one.status == 200 and one.asked_at > since


def _first_good(callers: Callers, url: str, since: float) -> float:
    return min(one.answered_at for one in callers.told if one.url == url and _is_good(one, since))
