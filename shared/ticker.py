"""Work that time brings: expiries, cut-offs, rounds; one at a time over all replicas."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from shared.database import TICKER_CHANNEL, Database
from shared.transaction import Tx

# So many of a process's tickers work at the same time, each with a connection.
TICKERS_AT_ONCE_MAX: Final = 3
RETRY_DELAY_S_MAX: Final = 30.0
LISTEN_CHECK_S: Final = 5.0
#: Wakes all of them: somebody has moved business time on.
EVERY_TICKER: Final = "*"
# Any fixed number: the class of the tickers' advisory locks.
TICKER_LOCK: Final = 0x5348_0003
_LOG = logging.getLogger("ticker")


@dataclass(frozen=True, slots=True)
class Ticker:
    """`run(tx)` does one batch of due work in the worker role and gives how many things it did.

    It runs every `interval_s` seconds (real time), again at once while it does something, and right
    after the commit of any transaction that said `tx.wake(name)`.
    """

    name: str
    interval_s: float
    run: Callable[[Tx], Awaitable[int]]


class Tickers:
    """Runs a service's tickers until it is stopped; `ran(name, result)` hears of each run.

    A result is `ok`, `failed`, or `elsewhere`: another replica was just at it.
    """

    def __init__(
        self,
        db: Database,
        tickers: Sequence[Ticker],
        ran: Callable[[str, str], object] = lambda *_: None,
    ) -> None:
        self._db = db
        self._tickers = tickers
        self._ran = ran
        self._woken = {ticker.name: asyncio.Event() for ticker in tickers}
        self._slots = asyncio.Semaphore(TICKERS_AT_ONCE_MAX)
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Run until `stop`; what fails is logged and tried again, later and later."""
        async with asyncio.TaskGroup() as group:
            for ticker in self._tickers:
                group.create_task(self._repeat(ticker))
            group.create_task(self._listen())

    async def stop(self) -> None:
        """Let `run` end after the runs in flight."""
        self._stopped.set()
        for woken in self._woken.values():
            woken.set()

    async def _repeat(self, ticker: Ticker) -> None:
        woken, pause_s = self._woken[ticker.name], ticker.interval_s
        while not self._stopped.is_set():
            woken.clear()
            try:
                async with self._slots:
                    done = await self._once(ticker)
                pause_s = ticker.interval_s
            # Without this edge a single failure would end the ticker for good.
            except Exception as error:  # noqa: BLE001
                # Doubled from the last one: a power of all failures would be no number some day.
                done, pause_s = 0, max(min(2 * pause_s, RETRY_DELAY_S_MAX), ticker.interval_s)
                self._ran(ticker.name, "failed")
                _LOG.error("ticker %s failed", ticker.name, exc_info=error)
            if not done:
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), pause_s)

    async def _once(self, ticker: Ticker) -> int:
        async with self._db.transaction(role="worker") as tx:
            mine = await tx.fetchval(_TRY_LOCK, TICKER_LOCK, ticker.name)
            done = await ticker.run(tx) if mine else 0
        self._ran(ticker.name, "ok" if mine else "elsewhere")
        return done

    async def _listen(self) -> None:
        """Hear who is woken; while nobody can be heard the intervals alone count."""
        while not self._stopped.is_set():
            try:
                async with self._db.session() as conn:
                    await conn.add_listener(TICKER_CHANNEL, self._wake)
                    for woken in self._woken.values():
                        woken.set()
                    while not await self._ending(LISTEN_CHECK_S):
                        await conn.execute("SELECT 1", timeout=LISTEN_CHECK_S)
            except Exception as error:  # noqa: BLE001 (as above)
                _LOG.warning("not listening: %s", type(error).__name__)
                await self._ending(LISTEN_CHECK_S)

    async def _ending(self, delay: float) -> bool:
        with suppress(TimeoutError):
            return await asyncio.wait_for(self._stopped.wait(), delay)
        return False

    def _wake(self, *notice: Any) -> None:  # noqa: ANN401 (asyncpg's: connection, pid, channel, payload)
        for name, woken in self._woken.items():
            if notice[-1] in {name, EVERY_TICKER}:
                woken.set()


_TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock($1, hashtext($2))"
