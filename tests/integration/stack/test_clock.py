"""The clock of a local stack: the same everywhere, and everyone looks at once when it moves."""

import asyncio
from collections import Counter
from datetime import timedelta

import asyncpg

from shared.database import Database
from shared.ticker import Ticker, Tickers
from shared.transaction import Tx
from stack import clock
from stack.databases import at_database
from stack.postgres import Postgres
from tests.support.postgres import Templates

NEVER_S = 3600.0
DEADLINE_S = 180.0


async def urls_of(templates: Templates, server: Postgres, *services: str) -> dict[str, str]:
    names = {service: (await templates.fresh(service))[0] for service in services}
    return {s: at_database(server.superuser_url(), name) for s, name in names.items()}


async def test_an_advance_that_broke_half_way_is_mended_by_the_next(
    postgres: Postgres, templates: Templates
) -> None:
    urls = await urls_of(templates, postgres, "transport", "lodging")
    await clock.advance({"transport": urls["transport"]}, timedelta(days=1))
    assert await clock.advance(urls, timedelta(hours=1)) == 25 * 3600
    for url in urls.values():
        conn = await asyncpg.connect(url)
        moved = await conn.fetchval("SELECT business_now() - clock_timestamp()")
        await conn.close()
        assert timedelta(hours=24) < moved < timedelta(hours=26)


async def test_moving_the_clock_wakes_every_ticker(
    postgres: Postgres, templates: Templates
) -> None:
    name, url = await templates.fresh("lodging")
    names = ("one", "other")
    # At the start, and when they begin to listen, they run anyway; after that only when woken.
    runs: Counter[str] = Counter()
    listening, moved = ({of: asyncio.Event() for of in names} for _ in range(2))

    def ticker(of: str) -> Ticker:
        async def run(tx: Tx) -> int:
            runs[of] += 1
            if runs[of] == 2:
                listening[of].set()
            if await tx.fetchval("SELECT business_offset() > '0'"):
                moved[of].set()
            return 0

        return Ticker(of, NEVER_S, run)

    db = await Database.open(url, service="lodging")
    tickers = Tickers(db, [ticker(of) for of in names])
    task = asyncio.create_task(tickers.run())
    try:
        superuser = at_database(postgres.superuser_url(), name)
        for event in listening.values():
            await asyncio.wait_for(event.wait(), DEADLINE_S)
        await clock.advance({"lodging": superuser}, timedelta(days=1))
        for event in moved.values():
            await asyncio.wait_for(event.wait(), DEADLINE_S)
    finally:
        await tickers.stop()
        await asyncio.wait_for(task, DEADLINE_S)
        await db.close()
