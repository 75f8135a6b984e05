"""One running stack and one small world for all tests of the whole system."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from stack import recount
from stack.plan import Plan
from stack.status import database_urls
from stack.totals import Standing
from tests.e2e import counting
from tests.e2e.garbage import Thrown
from tests.support.stack import People, people, stack
from tests.support.world import SMALL, Campaign, Wanted, World

__all__ = ["people", "stack"]

HERE = Path(__file__).parent
LINCANG, HONGHE, FUYANG = "530900", "532500", "341200"
NANXIANG = ("enterprise-nanxiang",)
BOTH = ("enterprise-changxing", "enterprise-nanxiang")
#: Each has days of its own, in this order: the clock is moved on to those of the first only.
CAMPAIGNS = {
    "late": Wanted(),
    "large": Wanted(openings=(40, 20), trips=2, enterprises=BOTH),
    "scarce": Wanted(HONGHE, openings=(12,)),
    "asked": Wanted(
        FUYANG, openings=(20,), acceptance="by_office", runs_transport=False, enterprises=NANXIANG
    ),
    "cancelled": Wanted(openings=(6, 6)),
    "sister": Wanted(trips=2),
    "no sister": Wanted(),
    "moved": Wanted(),
    "held": Wanted(enterprises=NANXIANG),
    "two beds": Wanted(programme=SMALL),
    "erased": Wanted(),
    "blocked": Wanted(),
}
FAULTS = {"id_checksum": 2, "phone_missing": 1, "under_age": 1, "duplicate_in_file": 2}
ACCEPTED, DECLINED = 8, 2
HIRES = 6


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the whole stack."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def thrown() -> Thrown:
    """Where a test has put garbage into the topics."""
    return Thrown()


@dataclass
class Settled:
    """The world at its first rest: campaigns by name, and three recounts of the totals."""

    world: World
    campaigns: dict[str, Campaign]
    from_http: Standing
    from_databases: Standing
    from_topics: Standing
    batches: dict[str, list[dict[str, Any]]]


@pytest_asyncio.fixture(scope="package")
async def settled(stack: Plan, people: People) -> AsyncIterator[Settled]:
    """Everybody's roster has come in, everything has been answered, and nothing moves."""
    world = World(stack, people)
    await world.open_house()
    campaigns = {name: await world.campaign(wanted) for name, wanted in CAMPAIGNS.items()}
    await _send(world, campaigns)
    hires = await world.hires("enterprise-changxing", HIRES)
    await world.settled(*campaigns.values())
    await _answer(world, campaigns["asked"])
    await _ask_for_beds(world, hires)
    await world.settled(*campaigns.values())
    yield await _counted(world, campaigns)


async def _send(world: World, campaigns: dict[str, Campaign]) -> None:
    await world.roster(campaigns["large"], 60, faults=FAULTS, group_share=0.2)
    await world.roster(campaigns["scarce"], 24, form="xls")
    await world.roster(campaigns["asked"], 16, form="csv-gb18030")
    await world.roster(campaigns["two beds"], 4, gender="男", bed_share=1.0, boarding_share=1.0)
    others = ("late", "cancelled", "sister", "no sister", "moved", "held", "erased", "blocked")
    for name in others:
        await world.roster(campaigns[name], 4, form="csv", bed_share=1.0, boarding_share=1.0)


async def _answer(world: World, campaign: Campaign) -> None:
    office = world.people[campaign.office]
    offers = await world.all("recruitment", "/v1/offers", drive_id=campaign.drive_id, state="made")
    for offer in offers[:ACCEPTED]:
        await office.post("recruitment", f"/v1/offers/{offer['offer_id']}/accept")
    for offer in offers[ACCEPTED : ACCEPTED + DECLINED]:
        body = {"reason": "declined"}
        await office.post("recruitment", f"/v1/offers/{offer['offer_id']}/decline", body)


async def _ask_for_beds(world: World, batch_id: str) -> None:
    await world.batch(batch_id)
    client = world.people["enterprise-changxing"]
    path = f"/v1/worker-batches/{batch_id}/workers"
    guests = [{"worker_id": w["worker_id"]} async for w in client.pages("registry", path)]
    body = {
        "programme": "YOUJIA",
        "check_in_on": str(await world.today() + timedelta(days=3)),
        "nights": 5,
        "guests": guests,
    }
    await client.post("lodging", "/v1/stay-requests", body)


async def _counted(world: World, campaigns: dict[str, Campaign]) -> Settled:
    bootstrap_servers = world.plan.ports.kafka(world.plan.brokers).bootstrap_servers
    batches = {
        name: [await world.batch(b) for b in campaign.batches]
        for name, campaign in campaigns.items()
    }
    return Settled(
        world,
        campaigns,
        await counting.from_http(world),
        await recount.from_databases(database_urls(world.plan)),
        (await recount.from_topics(bootstrap_servers)).standing(),
        batches,
    )
