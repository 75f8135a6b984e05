"""The tickers of two replicas at work: freed openings go on within 5 s, each once."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from services.recruitment.handlers.claims import accept_offer
from services.recruitment.handlers.houserules import HouseRules
from services.recruitment.handlers.speech import SYSTEM
from services.recruitment.handlers.tickers import tickers
from shared.clock import real_now
from shared.ticker import Tickers
from tests.integration.recruitment.world import World, a_nomination, a_validation, ok
from tests.support.http import a_coordinator, app_client

# On a machine at work; the promise is 5 s from the change to the next offer.
PROMISED_S = 5.0
DEADLINE_S = 60.0
#: So short that an offer expires by itself in the test.
BRIEF = HouseRules(offer_stands=timedelta(seconds=2))


@asynccontextmanager
async def replicas(world: World, house_rules: HouseRules, count: int = 2) -> AsyncIterator[None]:
    """Let the tickers of some replicas run meanwhile."""
    running = [Tickers(world.db, tickers(house_rules)) for _ in range(count)]
    tasks = [asyncio.create_task(one.run()) for one in running]
    try:
        yield
    finally:
        for one in running:
            await one.stop()
        await asyncio.gather(*tasks)


async def until(holds: Callable[[], Awaitable[bool]]) -> float:
    """Wait for a condition; give the seconds it took."""
    started = time.monotonic()
    while not await holds():
        assert time.monotonic() - started < DEADLINE_S, "it never came true"
        await asyncio.sleep(0.02)
    return time.monotonic() - started


async def test_a_declined_or_withdrawn_opening_is_offered_on_within_5_seconds_and_once(
    world: World,
) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({"openings": 1})
    people = [a_nomination(drive_id) for _ in range(4)]
    batches = [a_validation(p.batch_id, 1) for p in people]
    async with (
        replicas(world, HouseRules()),
        app_client("recruitment", world.db, coordinator) as client,
    ):
        await world.hear(*people, *batches)
        for number, action in enumerate(("decline", "withdraw", "decline"), start=1):

            async def offered(count: int = number) -> bool:
                return len(await world.said("offer-made")) == count

            await until(offered)
            last = (await world.said("offer-made"))[-1]
            await ok(await client.post(f"/v1/offers/{last['offer_id']}/{action}"))

            async def offered_on(count: int = number + 1) -> bool:
                return len(await world.said("offer-made")) == count

            assert await until(offered_on) < PROMISED_S
    made = await world.said("offer-made")
    assert len({m["nomination_id"] for m in made}) == len(made) == 4
    assert await world.counts() == [(1, 1, 0)]


async def test_an_offer_that_nobody_answers_expires_and_its_opening_goes_on(world: World) -> None:
    drive_id = await world.open_drive({"openings": 1})
    people = [a_nomination(drive_id) for _ in range(2)]
    async with replicas(world, BRIEF):
        await world.hear(*people, *(a_validation(p.batch_id, 1) for p in people))

        async def both_were_asked() -> bool:
            return len(await world.said("offer-made")) == 2

        await until(both_were_asked)
    first, second = await world.said("offer-made")
    assert first["nomination_id"] != second["nomination_id"]
    assert (await world.said("offer-expired"))[0]["offer_id"] == first["offer_id"]


async def test_persons_of_a_batch_that_never_gets_whole_are_matched_all_the_same(
    world: World,
) -> None:
    drive_id = await world.open_drive({})
    person = a_nomination(drive_id)
    async with replicas(world, HouseRules(), count=1):
        await world.hear(person, a_validation(person.batch_id, 2))

        async def is_offered() -> bool:
            return bool(await world.said("offer-made"))

        assert await until(is_offered) < 2 * PROMISED_S


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_services_whose_clocks_are_ten_minutes_apart_decide_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """Deadlines are the database's: neither our own clock nor the hearer's word moves them."""
    apart = timedelta(minutes=minutes)
    monkeypatch.setattr("shared.transaction.real_now", lambda: real_now() + apart)
    shifted = SimpleNamespace(time_ns=lambda: time.time_ns() + minutes * 60 * 10**9)
    monkeypatch.setattr("shared.ids.time", shifted)
    five_minutes = HouseRules(offer_stands=timedelta(minutes=5))
    drive_id = await world.open_drive({"openings": 1})
    for _ in range(3):
        await world.hear_as_of(real_now() - apart, a_nomination(drive_id))
    await world.rounds(five_minutes)
    await world.advance("4 minutes")
    assert await world.expire() == 0
    await world.advance("1 minute")
    assert await world.expire() == 1
    await world.rounds(five_minutes)
    assert await world.expire() == 0
    offered = await world.said("offer-made")
    assert len({o["nomination_id"] for o in offered}) == len(offered) == 2
    async with world.db.transaction(role="worker") as tx:
        await accept_offer(tx, UUID(offered[-1]["offer_id"]), SYSTEM)
    assert await world.counts() == [(1, 1, 1)]
    assert len(await world.said("offer-expired")) == 1
