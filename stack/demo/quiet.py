"""Tells when a stack has nothing left to do: every outbox sent, every record heard."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx2

from stack.plan import Plan
from stack.trouble import StackError

POLL_INTERVAL_S: Final = 0.2
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
    async with httpx2.AsyncClient(trust_env=False) as http:
        quiet = 0
        while True:
            busy = await _busy(http, plan)
            quiet = quiet + 1 if not busy and await also() else 0
            if quiet == QUIET_LOOKS:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise StackError(
                    f"系统未能在 {timeout_s:.0f} 秒内静止:{busy}",
                    f"the stack did not come to rest within {timeout_s:.0f} s: {busy}",
                )
            await asyncio.sleep(POLL_INTERVAL_S)


async def _busy(http: httpx2.AsyncClient, plan: Plan) -> dict[str, Any]:
    found = await asyncio.gather(*(_undone(http, plan.ports.url(name)) for name in plan.services))
    return {name: undone for name, undone in zip(plan.services, found, strict=True) if undone}


async def _undone(http: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    try:
        vitals = (await http.get(f"{url}/readyz")).json()
    except (httpx2.TransportError, ValueError):
        return {"answer": "none"}
    lag = {topic: one["waiting"] for topic, one in vitals["lag"].items() if one["waiting"]}
    return lag | ({"outbox": vitals["outbox_pending"]} if vitals.get("outbox_pending") else {})
