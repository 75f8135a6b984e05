"""Clients that never wait for an answer to get better: they note each one that comes."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx2

from stack.client import ApiError, Client
from tests.support.world import Campaign, World

CALLERS = 12
PAUSE_S = 0.02
TIMEOUT_S = 60.0
Call = tuple[str, str, object]


@dataclass(frozen=True)
class Told:
    """An answer: to which call, when it was asked for and answered (seconds), how."""

    url: str
    asked_at: float
    answered_at: float
    status: int
    retry_after: bool

    @property
    def took_s(self) -> float:
        return self.answered_at - self.asked_at


@dataclass
class Callers:
    """What was told to them; who cannot be reached tells nothing."""

    client: Client
    calls: Sequence[Call]
    told: list[Told] = field(default_factory=list)
    ended: bool = False

    @property
    def answers(self) -> Counter[int]:
        return Counter(one.status for one in self.told)

    @property
    def worse_than_not_now(self) -> list[Told]:
        """Give the answers that no caller should ever see."""
        away = [one for one in self.told if one.status >= httpx2.codes.INTERNAL_SERVER_ERROR]
        return [one for one in away if (one.status, one.retry_after) != (503, True)]

    async def call(self, number: int) -> None:
        """Call again and again until the end."""
        method, url, body = self.calls[number % len(self.calls)]
        async with httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as http:
            while not self.ended:
                # Who has no token asks again: that service's database is away, too.
                with suppress(httpx2.TransportError, ApiError):
                    headers = {"Authorization": f"Bearer {await self.client.token()}"}
                    asked_at = time.monotonic()
                    answer = await http.request(method, url, json=body, headers=headers)
                    self.told.append(
                        Told(
                            url,
                            asked_at,
                            time.monotonic(),
                            answer.status_code,
                            "retry-after" in answer.headers,
                        )
                    )
                await asyncio.sleep(PAUSE_S)


@asynccontextmanager
async def calling(world: World, campaign: Campaign, count: int = CALLERS) -> AsyncIterator[Callers]:
    """Let so many clients call all services, reading and writing, until one is done."""
    callers = Callers(world.coordinator, _calls(world, campaign))
    tasks = [asyncio.create_task(callers.call(n)) for n in range(count)]
    try:
        yield callers
    finally:
        callers.ended = True
        await asyncio.gather(*tasks)


def _calls(world: World, campaign: Campaign) -> list[Call]:
    at = world.plan.ports.url
    delay = f"{at('transport')}/v1/trips/{campaign.trips[0]}/delay"
    return [
        ("POST", delay, {"delay_minutes": 30, "reason": "weather"}),
        ("GET", f"{at('recruitment')}/v1/placements", None),
        ("PUT", f"{at('lodging')}/v1/programmes/YOUJIA", {}),
        ("GET", f"{at('registry')}/v1/nominations", None),
        ("GET", f"{at('console')}/v1/journeys", None),
    ]
