"""Business time: the database's clock plus an offset that only a local stack may change."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import asyncpg

SHANGHAI = ZoneInfo("Asia/Shanghai")


def civil_date(instant: datetime) -> date:
    """Give the date in Asia/Shanghai of an aware instant."""
    return instant.astimezone(SHANGHAI).date()


def real_now() -> datetime:
    """Give real time in UTC, for what is never business time: back-off, lag, tokens."""
    return datetime.now(UTC)


class UnsafeClockError(Exception):
    """The business clock is moved on a system that is no local stack."""


async def check_clock(conn: asyncpg.Connection, *, local_stack: bool) -> None:
    """Refuse (`UnsafeClockError`) a moved clock anywhere but on a local stack."""
    offset = await conn.fetchval("SELECT extract(epoch FROM business_offset())")
    if offset and not local_stack:
        message = f"the business clock is moved by {offset} s, and this is not a local stack"
        raise UnsafeClockError(message)
