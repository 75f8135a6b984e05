"""Notes for the single writer of seats: whom and which destinations to look at again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.transport.domain.origin import Origin
from shared.transaction import Tx

#: The ticker that reads the notes.
SEATS: Final = "seats"


@dataclass(slots=True)
class Due:
    """What was noted: persons and destinations, each with what made it due last."""

    count: int = 0
    workers: dict[UUID, Origin | None] = field(default_factory=dict)
    cities: dict[str, Origin | None] = field(default_factory=dict)


async def note_cities(tx: Tx, cities: Iterable[str]) -> None:
    """Let the pools of these destinations be looked at soon, because of the command at work."""
    await note_heard(tx, dict.fromkeys(cities, Origin(tx.command_id, tx.traceparent)))


async def note_heard(tx: Tx, cities: Mapping[str, Origin]) -> None:
    """Let the pools of these destinations be looked at soon, because of what was heard."""
    causes = [o.cause_id for o in cities.values()]
    traces = [o.traceparent for o in cities.values()]
    await tx.execute(_NOTE_CITIES, list(cities), causes, traces)
    tx.wake(SEATS)


_NOTE_CITIES: Final = """
INSERT INTO due (city, cause_id, traceparent)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[]) AS u (city, cause_id, traceparent)
ORDER BY city
"""


async def note_workers(tx: Tx, worker_ids: Sequence[UUID], origins: Sequence[Origin]) -> None:
    """Let these persons' bookings be looked at soon after the commit."""
    causes, traces = [o.cause_id for o in origins], [o.traceparent for o in origins]
    await tx.execute(_NOTE_WORKERS, worker_ids, causes, traces)
    tx.wake(SEATS)


_NOTE_WORKERS: Final = """
INSERT INTO due (worker_id, cause_id, traceparent)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS u (worker_id, cause_id, traceparent)
"""


async def take_due(tx: Tx, limit: int) -> Due:
    """Take at most `limit` notes, oldest first; they are gone when this transaction commits."""
    rows = await tx.fetch(_TAKE, limit)
    due = Due(len(rows))
    for row in sorted(rows, key=lambda r: r["due_id"]):
        origin = Origin(row["cause_id"], row["traceparent"]) if row["cause_id"] else None
        if row["city"] is not None:
            due.cities[row["city"]] = origin
        else:
            due.workers[row["worker_id"]] = origin
    return due


_TAKE: Final = """
DELETE FROM due WHERE due_id IN (SELECT due_id FROM due ORDER BY due_id LIMIT $1)
RETURNING due_id, worker_id, city, cause_id, traceparent
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
