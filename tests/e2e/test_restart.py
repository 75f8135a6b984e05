"""Stopping and starting loses nothing, and nothing happens a second time."""

import asyncio

from stack import recount
from stack.plan import Plan
from stack.status import database_urls
from stack.totals import totals
from tests.e2e.conftest import Settled
from tests.support.stack import restart
from tests.support.world import Wanted

ROWS = 5
COMING = {"nominated", "placed", "seated"}


async def test_stop_and_start_loses_nothing_and_repeats_nothing(
    settled: Settled, stack: Plan
) -> None:
    """INVARIANT: 202 is a promise, whatever is ended in good order right after it."""
    world, servers = settled.world, stack.ports.kafka(stack.brokers).bootstrap_servers
    campaign = await world.campaign(Wanted())
    await world.rest()
    before = totals(await recount.from_databases(database_urls(stack)))
    said = {r.value async for r in recount.records(servers)}
    await world.roster(campaign, ROWS, form="csv", bed_share=0.0, boarding_share=1.0)
    await asyncio.to_thread(restart, stack)
    journeys = await world.settled(campaign)
    assert {j["state"] for j in journeys} == {"settled"}
    after = totals(await recount.from_databases(database_urls(stack)))
    assert after == before | {n: before[n] + ROWS for n in COMING}
    assert totals((await recount.from_topics(servers)).standing()) == after
    assert said <= {r.value async for r in recount.records(servers)}
