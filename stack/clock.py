"""Business time of a local stack: the same offset in every service's database, moved on by hand."""

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import asyncpg

from shared.database import TICKER_CHANNEL
from shared.ticker import EVERY_TICKER
from stack.trouble import WrongUsageError

_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION: Final = re.compile(r"(?:\d+[dhms])+")
_STEP: Final = re.compile(r"(\d+)([dhms])")
LONGEST: Final = timedelta(days=3660)


def duration(text: str) -> timedelta:
    """Read `5d`, `12h`, `90m`, `30s` or several in a row like `1d12h`; raises `WrongUsageError`."""
    if not _DURATION.fullmatch(text):
        raise WrongUsageError(
            f"时长 {text} 无法识别,请写成 5d、12h 或 1d12h。",
            f"{text} is no duration: write 5d, 12h, 30m, 90s or 1d12h.",
        )
    parts = [timedelta(**{_UNITS[unit]: int(n)}) for n, unit in _STEP.findall(text)]
    total = sum(parts, timedelta())
    if not timedelta() < total <= LONGEST:
        raise WrongUsageError("时长超出范围。", f"a duration is at most {LONGEST.days} days.")
    return total


async def offset_s(urls: Mapping[str, str]) -> int:
    """Give by how many seconds business time is ahead of real time."""
    offsets = await asyncio.gather(*(_offset(url) for url in urls.values()))
    return round(max(offsets).total_seconds())


async def advance(urls: Mapping[str, str], by: timedelta) -> int:
    """Move business time on in all databases alike; give the new offset in seconds.

    The same offset is set everywhere, so an advance that broke half-way is mended by the next.
    """
    offsets = await asyncio.gather(*(_offset(url) for url in urls.values()))
    target = max(offsets) + by
    await asyncio.gather(*(_set(url, target) for url in urls.values()))
    return round(target.total_seconds())


async def _offset(url: str) -> timedelta:
    conn = await asyncpg.connect(url)
    try:
        found: timedelta = await conn.fetchval("SELECT offset_interval FROM business_clock")
        return found
    finally:
        await conn.close()


async def _set(url: str, target: timedelta) -> None:
    conn = await asyncpg.connect(url)
    try:
        async with conn.transaction():
            await conn.execute("UPDATE business_clock SET offset_interval = $1", target)
            await conn.execute("SELECT pg_notify($1, $2)", TICKER_CHANNEL, EVERY_TICKER)
    finally:
        await conn.close()
