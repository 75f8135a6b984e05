"""Tells when a stack has nothing left to do: every outbox sent, every record heard."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import httpx2

from stack.lag import LagMeter
from stack.plan import Plan
from stack.trouble import StackError

POLL_INTERVAL_S: Final = 0.15
TIMEOUT_S: Final = 120.0
#: One look may fall between two services: what one has sent the other has not fetched yet.
QUIET_LOOKS: Final = 3

Condition = Callable[[], Awaitable[bool]]


async def _calm() -> bool:
    return True


async def wait_quiet(plan: Plan, also: Condition = _calm, *, timeout_s: float = TIMEOUT_S) -> None:
    """Wait until nothing is under way, and `also` holds, in several looks in a row.

    Raises `StackError` with what was still under way when it took too long.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    servers = plan.ports.kafka(plan.brokers).bootstrap_servers
    async with httpx2.AsyncClient(trust_env=False) as http, LagMeter(servers) as meter:
        quiet = 0
        while True:
            # In this order: what is sent in between is still seen, as a record that waits.
            busy = {**await _unsent(http, plan), **await meter.waiting()}
            quiet = quiet + 1 if not busy and await also() else 0
            if quiet == QUIET_LOOKS:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise StackError(
                    f"系统未能在 {timeout_s:.0f} 秒内静止:{busy}",
                    f"the stack did not come to rest within {timeout_s:.0f} s: {busy}",
                )
            await asyncio.sleep(POLL_INTERVAL_S)


async def _unsent(http: httpx2.AsyncClient, plan: Plan) -> dict[str, int]:
    """Give service -> rows of its outbox; one that doesn't answer counts as having some."""
    found = await asyncio.gather(*(_outbox(http, plan.ports.url(name)) for name in plan.services))
    return {f"{name} outbox": rows for name, rows in zip(plan.services, found, strict=True) if rows}


async def _outbox(http: httpx2.AsyncClient, url: str) -> int:
    try:
        return int((await http.get(f"{url}/readyz")).json()["outbox_pending"])
    except (httpx2.TransportError, ValueError, KeyError):
        return 1
