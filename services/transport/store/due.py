"""Notes for the single writer of seats: whom and which destinations to look at again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from shared.transaction import Tx

#: The ticker that reads the notes.
SEATS: Final = "seats"


@dataclass(slots=True)
class Due:
    """What was noted: persons with the event that made them due, and destinations."""

    count: int = 0
    workers: dict[UUID, UUID | None] = field(default_factory=dict)
    cities: set[str] = field(default_factory=set)


async def note_cities(tx: Tx, cities: Iterable[str]) -> None:
    """Let the pools of these destinations be looked at soon after the commit."""
    await tx.execute("INSERT INTO due (city) SELECT unnest($1::text[])", sorted(set(cities)))
    tx.wake(SEATS)


async def note_workers(tx: Tx, worker_ids: Sequence[UUID], cause_ids: Sequence[UUID]) -> None:
    """Let these persons' bookings be looked at soon after the commit."""
    await tx.execute(
        "INSERT INTO due (worker_id, cause_id)"
        " SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS u (worker_id, cause_id)",
        worker_ids,
        cause_ids,
    )
    tx.wake(SEATS)


async def take_due(tx: Tx, limit: int) -> Due:
    """Take at most `limit` notes, oldest first; they are gone when this transaction commits."""
    rows = await tx.fetch(_TAKE, limit)
    due = Due(len(rows))
    for row in sorted(rows, key=lambda r: r["due_id"]):
        if row["city"] is not None:
            due.cities.add(row["city"])
        else:
            due.workers[row["worker_id"]] = row["cause_id"]
    return due


_TAKE: Final = """
DELETE FROM due WHERE due_id IN (SELECT due_id FROM due ORDER BY due_id LIMIT $1)
RETURNING due_id, worker_id, city, cause_id
"""


async def list_overdue_cities(tx: Tx, wait: timedelta) -> list[str]:
    """List the destinations of groups that have waited long enough for members (real time)."""
    rows = await tx.fetch(_OVERDUE, wait)
    return [r["city"] for r in rows]


_OVERDUE: Final = """
SELECT DISTINCT p.city FROM booking b JOIN placement p USING (placement_id)
WHERE b.state = 'pooled' AND b.group_id IS NOT NULL
  AND b.pooled_at < clock_timestamp() - $1::interval
"""
