"""Stopping and starting loses nothing, and nothing happens a second time."""

import asyncio

from stack import recount
from stack.plan import Plan
from stack.status import database_urls
from stack.totals import totals
from tests.e2e.conftest import Settled
from tests.support.stack import restart
from tests.support.world import Wanted


async def test_stop_and_start_loses_nothing_and_repeats_nothing(
    settled: Settled, stack: Plan
) -> None:
    world, servers = settled.world, stack.ports.kafka(stack.brokers).bootstrap_servers
    await world.rest()
    before = totals(await recount.from_databases(database_urls(stack)))
    said = (await recount.from_topics(servers)).counts
    await asyncio.to_thread(restart, stack)
    await world.rest()
    heard = await recount.from_topics(servers)
    assert totals(await recount.from_databases(database_urls(stack))) == before
    assert totals(heard.standing()) == before
    assert heard.counts == said
    campaign = await world.campaign(Wanted())
    await world.roster(campaign, 3, form="csv", bed_share=0.0)
    assert {j["state"] for j in await world.settled(campaign)} == {"settled"}


async def test_a_roster_accepted_before_a_stop_is_placed_after_it(
    settled: Settled, stack: Plan
) -> None:
    """INVARIANT: 202 is a promise, whatever is ended in good order right after it."""
    world = settled.world
    campaign = await world.campaign(Wanted())
    await world.roster(campaign, 5, form="csv", bed_share=0.0)
    await asyncio.to_thread(restart, stack)
    journeys = await world.settled(campaign)
    assert len(journeys) == 5
    assert {j["state"] for j in journeys} == {"settled"}
