"""Builds the console's projection anew from the topics, while it is in use."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from aiokafka import ConsumerRecord

from contracts import Event
from services.console.consumers import HANDLERS
from services.console.handlers.rebuild import CHUNK, Rebuild
from shared.database import prepare
from shared.handlers import Received
from shared.ids import Ids
from shared.inbox import Record, read, received
from shared.service import GC_THRESHOLD
from shared.transaction import Tx
from stack.reading import records
from stack.trouble import StackError

Progress = Callable[[int, float], None]
#: Longer than this the live projection is not kept waiting: then nothing was changed.
LOCK_TIMEOUT: Final = "30s"


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild read, how long it took, and which rows were otherwise, by table."""

    events: int
    not_heard: int
    unreadable: int
    seconds: float
    mended: dict[str, int]

    @property
    def per_second(self) -> float:
        """Events a second, from the first read to the commit."""
        return self.events / self.seconds

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON's kinds of values."""
        return {
            "events": self.events, "not_heard_yet": self.not_heard, "unreadable": self.unreadable,
            "seconds": round(self.seconds, 1), "events_per_second": round(self.per_second),
            "mended": self.mended,
        }  # fmt: skip


async def rebuild(url: str, bootstrap_servers: str, tell: Progress = lambda *_: None) -> Rebuilt:
    """Read all topics, fold them beside the live tables, and mend those where they differ.

    `url` is the superuser's. One transaction: readers see the old projection or the new one, and
    only at the end writers wait for some seconds. Raises `StackError` when the topics lack events
    that were heard: then nothing was changed.
    """
    began = time.monotonic()
    conn = await asyncpg.connect(url, server_settings={"jit": "off"})
    # Decoded batches that stay alive make Python's collector cost more than the decoding.
    gc.set_threshold(*GC_THRESHOLD)
    try:
        await prepare(conn)
        async with conn.transaction():
            await conn.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            now = await conn.fetchval("SELECT business_now()")
            work = Rebuild(Tx(conn, "console", now, Ids()))
            await work.begin()
            unreadable = await _read_all(work, bootstrap_servers, tell)
            await _refuse_loss(work)
            mended = await work.finish()
    finally:
        await conn.close()
    seconds = time.monotonic() - began
    return Rebuilt(work.read_count, work.not_heard_count, unreadable, seconds, mended)


async def _read_all(work: Rebuild, bootstrap_servers: str, tell: Progress) -> int:
    """Let one chunk be folded by PostgreSQL while the next one is read; count the unreadable."""
    began, unreadable = time.monotonic(), 0
    folding = asyncio.create_task(work.take([]))
    try:
        async for found, broken in _chunks(bootstrap_servers):
            unreadable += broken
            await folding
            tell(work.read_count, time.monotonic() - began)
            folding = asyncio.create_task(work.take(found))
        await folding
    finally:
        folding.cancel()
    return unreadable


async def _refuse_loss(work: Rebuild) -> None:
    if lacking := await work.count_only_live():
        raise StackError(
            f"主题中缺少控制台已收到的 {lacking} 条事件,请先执行 replay --from-log。",
            f"the topics lack {lacking} events that the console has heard: replay --from-log first",
        )


async def _chunks(
    bootstrap_servers: str,
) -> AsyncIterator[tuple[list[Received[Event]], int]]:
    chunk: list[ConsumerRecord] = []
    async for record in records(bootstrap_servers):
        chunk.append(record)
        if len(chunk) == CHUNK:
            yield _read(chunk)
            chunk = []
    yield _read(chunk)


def _read(chunk: list[ConsumerRecord]) -> tuple[list[Received[Event]], int]:
    """Give what can be read, and count what was parked for being no event."""
    heard = [
        read(HANDLERS, Record(r.topic, r.partition, r.offset, r.key, r.headers, r.value))
        for r in chunk
    ]
    found = received(one for one in heard if not one.trouble)
    return found, len(heard) - len(found)
