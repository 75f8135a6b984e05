"""A cluster of three brokers that loses one, and then all: intake never stops."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx2
import pytest

from stack.plan import Plan
from stack.runstate import running
from tests.chaos.calm import times, verdict_of
from tests.chaos.conftest import a_stack, a_world
from tests.chaos.load import Load
from tests.chaos.storm import Storm
from tests.support.world import World, eventually

OUTAGE_S = 30.0
BACKLOG_S_MAX = 60.0
WRITE_EVERY_S = 0.2
ANSWER_S_MAX = 5.0


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_intake_goes_on_without_one_broker_and_without_all() -> None:
    """INVARIANT: Kafka is never asked before a command is answered."""
    with a_stack(brokers=3) as plan:
        async with a_world(plan) as world:
            await Load(world).run()
            async with writing(world) as one_away:
                for n in (1, 2, 3):
                    await Storm(plan, n, [(f"kafka-{n}", "kill")]).blow()
            async with writing(world) as all_away:
                with standing_still(plan):
                    await asyncio.sleep(OUTAGE_S)
                began = time.monotonic()
                await eventually(lambda: _sent(plan), "the backlog is sent", BACKLOG_S_MAX)
                sent_s = time.monotonic() - began
            verdict = await verdict_of(world, times(1, Load.totals()))
    slowest = max(took for _, took in (*one_away, *all_away))
    sys.stdout.write(
        f"{len(one_away)} writes while each of three brokers died, {len(all_away)} while all stood"
        f" still for {OUTAGE_S:.0f} s, {slowest:.2f} s at most; backlog sent after {sent_s:.1f} s;"
        f" {verdict.effects}\n"
    )
    assert sent_s < BACKLOG_S_MAX
    assert len(one_away) > 10
    assert len(all_away) > OUTAGE_S
    assert {status for status, _ in (*one_away, *all_away)} == {200}
    assert slowest < ANSWER_S_MAX
    assert verdict.wrong == []


@asynccontextmanager
async def writing(world: World) -> AsyncIterator[list[tuple[int, float]]]:
    """Give a command again and again, never twice the same, and note each answer and its time."""
    told: list[tuple[int, float]] = []
    stop = asyncio.Event()

    async def write() -> None:
        client, trip = world.coordinator, world.campaigns[2].trips[0]
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
            while not stop.is_set():
                headers = {"Authorization": f"Bearer {await client.token()}"}
                url = f"{world.plan.ports.url('transport')}/v1/trips/{trip}/delay"
                body = {"delay_minutes": 30 + len(told) % 2, "reason": "weather"}
                began = time.monotonic()
                answer = await http.post(url, json=body, headers=headers)
                told.append((answer.status_code, time.monotonic() - began))
                await asyncio.sleep(WRITE_EVERY_S)

    task = asyncio.create_task(write())
    try:
        yield told
    finally:
        stop.set()
        await task


@contextmanager
def standing_still(plan: Plan) -> Iterator[None]:
    """Let no broker do anything, without ending them: the runner would start them again."""
    state = running(plan.data_dir)
    assert state
    pids = [pid for name, pid in state.processes.items() if name.startswith("kafka-")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def _sent(plan: Plan) -> bool:
    async with httpx2.AsyncClient(trust_env=False) as http:
        urls = [plan.ports.url(name) for name in plan.services]
        answers = [(await http.get(f"{url}/readyz")).json() for url in urls]
    return all(a.get("outbox_pending") == 0 for a in answers)
