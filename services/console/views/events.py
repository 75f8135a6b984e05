"""The feed, newest first for lists and oldest first for streams."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts import EVENTS, UPCASTERS
from services.console.domain.web_hook import kind_of
from shared.paging import after, page
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: by type, service, subject, owning or named tenant, and their own time.

    A type without its version means all its versions, as events.md lists it.
    """

    type: str | None = None
    service: str | None = None
    subject: str | None = None
    tenant: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


_COLUMNS: Final = """
SELECT feed_id, event_id, type, service, subject, sequence, tenant_id, journey_id, causation_id,
       said_at, heard_at, body
FROM event
"""
# With a filter that is empty the planner sees a constant and drops the condition.
_WANTED: Final = """
($1::text[] IS NULL OR type = ANY ($1)) AND ($2::text IS NULL OR service = $2)
AND ($3::text IS NULL OR subject = $3)
AND ($4::uuid IS NULL OR tenant_id = $4 OR $4 = ANY (audience))
AND ($5::timestamptz IS NULL OR said_at >= $5) AND ($6::timestamptz IS NULL OR said_at < $6)
"""


def _values(wanted: EventFilter) -> Sequence[object]:
    return (_spelt(wanted.type) if wanted.type else None, *astuple(wanted)[1:])


def _spelt(kind: str) -> Sequence[str]:
    """Give the full types that a type is short for, or itself."""
    return [t for t in (*EVENTS, *UPCASTERS) if kind_of(t) == kind] or [kind]


async def list_events(
    tx: Tx, *, wanted: EventFilter, limit: int, cursor: str | None
) -> dict[str, object]:
    """Give a page of events, newest first."""
    (last,) = after(cursor, int)
    rows = await tx.fetch(
        f"{_COLUMNS} WHERE {_WANTED} AND ($7::bigint IS NULL OR feed_id < $7)"
        " ORDER BY feed_id DESC LIMIT $8",
        *_values(wanted),
        last,
        limit + 1,
    )
    return page(rows, limit, "feed_id")


async def list_filters(tx: Tx) -> list[Any]:
    """List the filters that have a name."""
    return await tx.fetch("SELECT name, type, service, tenant_id FROM named_filter ORDER BY name")


async def last_feed_id(tx: Tx) -> int:
    """Give the newest place in the feed."""
    found: int = await tx.fetchval("SELECT last_feed_id FROM feed_position")
    return found


async def count_heard(tx: Tx, subjects: Sequence[str], position: int) -> int:
    """Count of these subjects those about which something was heard after a place in the feed."""
    found: int = await tx.fetchval(
        "SELECT count(DISTINCT subject) FROM event"
        " WHERE subject = ANY ($1::text[]) AND feed_id > $2",
        list(subjects),
        position,
    )
    return found


async def read_on(
    tx: Tx, wanted: EventFilter, position: int, limit: int, end: int | None = None
) -> tuple[Sequence[Any], int]:
    """Give the next events after a place in the feed, and the place that was read up to.

    What the filter or row security leaves out is passed by, so that nobody reads it twice. `end`
    is the feed's when the caller knows it.
    """
    last = await last_feed_id(tx) if end is None else end
    rows = await tx.fetch(
        f"{_COLUMNS} WHERE {_WANTED} AND feed_id > $7 AND feed_id <= $8 ORDER BY feed_id LIMIT $9",
        *_values(wanted),
        position,
        last,
        limit,
    )
    found = [dict(r) for r in rows]
    return found, max(position, found[-1]["feed_id"] if len(found) == limit else last)
