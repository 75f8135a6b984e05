"""PostgreSQL dies again and again while everybody calls: no answer is worse than "not now"."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import httpx2
import pytest

from stack.client import ApiError, Client
from tests.chaos.conftest import a_stack, a_world
from tests.chaos.storm import Hit, Storm
from tests.support.world import Wanted, World

CALLERS = 12
PAUSE_S = 0.02
HITS: list[Hit] = [("postgres", "kill"), ("postgres", "immediate")] * 6


@dataclass
class Callers:
    """Clients that never wait for an answer to get better."""

    client: Client
    calls: list[tuple[str, str, object]]
    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    ended: bool = False

    async def call(self, number: int) -> None:
        method, url, body = self.calls[number % len(self.calls)]
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
            while not self.ended:
                # Who has no token asks again: that service's database is away, too.
                with suppress(httpx2.TransportError, ApiError):
                    headers = {"Authorization": f"Bearer {await self.client.token()}"}
                    answer = await http.request(method, url, json=body, headers=headers)
                    self.answers[answer.status_code] += 1
                    away = answer.status_code == 503 and "retry-after" not in answer.headers
                    self.without_retry_after += away
                await asyncio.sleep(PAUSE_S)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_while_postgresql_dies_every_answer_is_good_or_not_now() -> None:
    """INVARIANT: no 5xx but 503, and that one says when to come again."""
    with a_stack() as plan:
        async with a_world(plan) as world:
            callers = Callers(world.coordinator, await _calls(world))
            calling = [asyncio.create_task(callers.call(n)) for n in range(CALLERS)]
            await Storm(plan, 5, HITS).blow()
            callers.ended = True
            await asyncio.gather(*calling)
    assert set(callers.answers) == {200, 503}
    assert callers.without_retry_after == 0


async def _calls(world: World) -> list[tuple[str, str, object]]:
    campaign, at = await world.campaign(Wanted()), world.plan.ports.url
    delay = f"{at('transport')}/v1/trips/{campaign.trips[0]}/delay"
    return [
        ("POST", delay, {"delay_minutes": 30, "reason": "weather"}),
        ("GET", f"{at('recruitment')}/v1/placements", None),
        ("PUT", f"{at('lodging')}/v1/programmes/YOUJIA", {}),
        ("GET", f"{at('registry')}/v1/nominations", None),
        ("GET", f"{at('console')}/v1/journeys", None),
    ]
