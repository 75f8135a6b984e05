"""Journeys, their timelines, and tasks."""

from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.paging import after, page
from shared.transaction import Tx

EVENTS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class JourneyFilter:
    """Which journeys; `state` is one of events.md's."""

    worker_id: UUID | None = None
    placement_id: UUID | None = None
    drive_id: UUID | None = None
    state: str | None = None


_STUCK: Final = "state = 'moving' AND since < clock_timestamp() - interval '30 seconds'"
#: A journey's state with `stuck` in it.
STATE: Final = f"CASE WHEN {_STUCK} THEN 'stuck' ELSE state END"
#: No event tells an inn in which drive its guest found the job.
_DRIVE: Final = "CASE WHEN app_tenant_kind() <> 'inn' THEN drive_id END"
_JOURNEYS: Final = f"""
SELECT journey_id, worker_id, nomination_id, hire_id, placement_id, {_DRIVE} AS drive_id,
       office_id, enterprise_id,
       {STATE} AS state, waiting_for, service, since
FROM journey
"""
_WANTED: Final = f"""
($1::uuid IS NULL OR worker_id = $1) AND ($2::uuid IS NULL OR placement_id = $2)
AND ($3::uuid IS NULL OR {_DRIVE} = $3)
AND ($4::text IS NULL OR (state = CASE $4 WHEN 'stuck' THEN 'moving' ELSE $4 END
    AND ($4 NOT IN ('stuck', 'moving') OR ({_STUCK}) = ($4 = 'stuck'))))
"""


async def list_journeys(
    tx: Tx, *, wanted: JourneyFilter, limit: int, cursor: str | None
) -> dict[str, object]:
    """Give a page of journeys, newest first."""
    (last,) = after(cursor, UUID)
    rows = await tx.fetch(
        f"{_JOURNEYS} WHERE {_WANTED} AND ($5::uuid IS NULL OR journey_id < $5)"
        " ORDER BY journey_id DESC LIMIT $6",
        *astuple(wanted),
        last,
        limit + 1,
    )
    return page(rows, limit, "journey_id")


async def get_journey(tx: Tx, journey_id: UUID) -> dict[str, Any] | None:
    """Give a journey with its timeline and its open tasks, or None."""
    row = await tx.fetchrow(f"{_JOURNEYS} WHERE journey_id = $1", journey_id)
    if row is None:
        return None
    events = await tx.fetch(
        "SELECT feed_id, event_id, type, service, subject, sequence, causation_id, said_at, body"
        " FROM event WHERE journey_id = $1 ORDER BY feed_id LIMIT $2",
        journey_id,
        EVENTS_MAX,
    )
    tasks = await tx.fetch(f"{_TASKS} AND journey_id = $1 ORDER BY opened_at", journey_id)
    return {**row, "events": [dict(e) for e in events], "tasks": [dict(t) for t in tasks]}


_TASKS: Final = f"""
SELECT kind, subject, journey_id, service, worker_id, office_id, enterprise_id, inn_id,
       {_DRIVE} AS drive_id, opened_at, due_at
FROM task WHERE closed_at IS NULL
"""


async def list_tasks(
    tx: Tx, *, kind: str | None, limit: int, cursor: str | None
) -> dict[str, object]:
    """Give a page of open tasks, oldest first."""
    at, last_kind, subject = after(cursor, datetime, str, str)
    rows = await tx.fetch(
        f"{_TASKS} AND ($1::text IS NULL OR kind = $1)"
        " AND ($2::timestamptz IS NULL OR (opened_at, kind, subject) > ($2, $3, $4))"
        " ORDER BY opened_at, kind, subject LIMIT $5",
        kind,
        at,
        last_kind,
        subject,
        limit + 1,
    )
    return page(rows, limit, "opened_at", "kind", "subject")


async def count_states(tx: Tx) -> dict[str, int]:
    """Count the caller's journeys by state."""
    rows = await tx.fetch(f"SELECT {STATE} AS state, count(*) AS n FROM journey GROUP BY 1")
    return {r["state"]: r["n"] for r in rows}
