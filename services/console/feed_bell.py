"""Rings whenever the feed has grown: one LISTEN per process, however many streams wait."""

import asyncio
import contextlib
from typing import Any, Final

import asyncpg

from shared.database import Database

CHANNEL: Final = "ticker"
RETRY_S: Final = 1.0
PROBE_S: Final = 5.0
_LOST: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class FeedBell:
    """Counts rings; a stream waits until the count has moved on."""

    def __init__(self) -> None:
        self.count = 0
        self._rung = asyncio.Condition()

    async def rings_after(self, count: int, timeout_s: float) -> bool:
        """Wait until it has rung since `count`; False when it did not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._rung:
                await self._rung.wait_for(lambda: self.count != count)
            return True
        return False

    async def ring(self) -> None:
        """Wake everyone who waits."""
        async with self._rung:
            self.count += 1
            self._rung.notify_all()

    async def listen(self, db: Database, name: str) -> None:
        """Ring at every notice of this name, for ever; once more after a lost connection."""
        while True:
            with contextlib.suppress(*_LOST):
                async with db.pool.acquire() as conn:
                    await self._listen(conn, name)
            await asyncio.sleep(RETRY_S)

    async def _listen(self, conn: Any, name: str) -> None:  # noqa: ANN401 (asyncpg's proxy)
        notices: asyncio.Queue[str] = asyncio.Queue()
        await conn.add_listener(CHANNEL, lambda *a: notices.put_nowait(a[3]))
        await self.ring()
        while True:
            try:
                async with asyncio.timeout(PROBE_S):
                    heard = await notices.get()
            except TimeoutError:
                await conn.execute("SELECT 1")
                continue
            while not notices.empty():
                heard = name if notices.get_nowait() == name else heard
            if heard == name:
                await self.ring()
