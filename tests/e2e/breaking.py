"""Kills a service of the stack in the middle of its work, which a lock holds still."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from stack.plan import Plan
from stack.runstate import running
from stack.services import is_ready
from stack.status import database_urls
from tests.support.world import eventually

_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND $1 = ANY (pg_blocking_pids(pid))
"""


async def fetched(url: str, sql: str, *args: Any) -> list[dict[str, Any]]:
    """Read rows as the local superuser."""
    conn = await asyncpg.connect(url)
    try:
        return [dict(r) for r in await conn.fetch(sql, *args)]
    finally:
        await conn.close()


@asynccontextmanager
async def held(
    stack: Plan, service: str, sql: str, *args: Any
) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Hold the locks of a statement; gives what tells whether somebody waits for them."""
    conn = await asyncpg.connect(database_urls(stack)[service])
    me = conn.get_server_pid()

    async def waits() -> bool:
        (row,) = await fetched(database_urls(stack)[service], _WAITING, me)
        return row["count"] > 0

    try:
        # Whoever is killed meanwhile may need longer to be back than an idle transaction may last.
        await conn.execute("SET idle_in_transaction_session_timeout = 0")
        async with conn.transaction():
            await conn.execute(sql, *args)
            yield waits
    finally:
        await conn.close()


async def kill(stack: Plan, service: str) -> None:
    """Kill -9 a service, and wait until the runner has started it anew."""
    await reborn(stack, service, strike(stack, service))


def strike(stack: Plan, service: str) -> int:
    """Kill -9 a service; gives the process id that it had."""
    pid = _pid(stack, service)
    assert pid, f"{service} lives"
    os.kill(pid, signal.SIGKILL)
    return pid


async def reborn(stack: Plan, service: str, killed: int) -> None:
    """Wait until a service is ready in another process than the killed one."""

    async def ready() -> bool:
        return _pid(stack, service) not in {None, killed} and is_ready(stack.ports.url(service))

    await eventually(ready, f"{service} is ready again")


def _pid(stack: Plan, service: str) -> int | None:
    state = running(stack.data_dir)
    return state.processes.get(f"{service}-1") if state else None
