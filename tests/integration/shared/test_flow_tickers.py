"""Tickers: one at a time, early when woken, never silent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shared.database import Database
from shared.ticker import Ticker, Tickers
from shared.transaction import Tx
from tests.support.flow import DEADLINE_S, eventually
from tests.support.postgres import ServiceDb

NEVER_S = 3600.0


@asynccontextmanager
async def ticking(*runners: Tickers) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    yield
    for runner in runners:
        await runner.stop()
    await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE_S)


class Work:
    """Due work: so many things, one a run."""

    def __init__(self, left: int = 0) -> None:
        self.left = left
        self.runs = 0
        self.at_once = 0
        self.at_once_max = 0

    async def run(self, tx: Tx) -> int:
        self.runs += 1
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        for _ in range(5):
            await tx.fetchval("SELECT 1")
        self.at_once -= 1
        self.left, done = max(self.left - 1, 0), min(self.left, 1)
        return done

    async def count(self) -> int:
        return self.runs


def tickers(db: Database, *of: Ticker, ran: list[tuple[str, str]] | None = None) -> Tickers:
    heard = [] if ran is None else ran
    return Tickers(db, of, lambda name, result: heard.append((name, result)))


async def test_it_goes_on_at_once_while_there_is_work(service_db: ServiceDb) -> None:
    work = Work(left=20)
    async with ticking(tickers(await service_db("lodging"), Ticker("work", NEVER_S, work.run))):
        await eventually(work.count, lambda n: n >= 21)
    assert work.left == 0


async def test_a_wake_after_commit_starts_it_early_and_a_rolled_back_one_does_not(
    service_db: ServiceDb,
) -> None:
    db, work = await service_db("lodging"), Work()
    async with ticking(tickers(db, Ticker("work", NEVER_S, work.run))):
        before = await eventually(work.count, lambda n: n >= 1)
        await asyncio.gather(_failing(db), return_exceptions=True)
        async with db.transaction(role="worker") as tx:
            tx.wake("work")
        await eventually(work.count, lambda n: n > before)


async def _failing(db: Database) -> None:
    async with db.transaction(role="worker") as tx:
        tx.wake("work")
        raise RuntimeError


async def test_of_two_replicas_one_works_at_a_time(service_db: ServiceDb) -> None:
    db, work = await service_db("lodging"), Work(left=60)
    replicas = [tickers(db, Ticker("work", 0.01, work.run)) for _ in range(2)]
    async with ticking(*replicas):
        await eventually(work.count, lambda n: n >= 61)
    assert work.at_once_max == 1


async def test_a_failure_is_told_and_does_not_end_it(service_db: ServiceDb) -> None:
    told: list[tuple[str, str]] = []

    async def fail(_: Tx) -> int:
        raise ValueError

    async def results() -> Sequence[tuple[str, str]]:
        return told

    async with ticking(tickers(await service_db("lodging"), Ticker("bad", 0.01, fail), ran=told)):
        await eventually(results, lambda seen: seen.count(("bad", "failed")) >= 3)
