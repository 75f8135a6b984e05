"""Journeys and tasks as they were derived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.console.domain.journey import Standing
from services.console.domain.task import Task
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey with the ids by which it is found and the tenants that see it."""

    journey_id: UUID
    worker_id: UUID
    office_id: UUID | None
    enterprise_id: UUID | None
    nomination_id: UUID | None
    hire_id: UUID | None
    placement_id: UUID | None
    drive_id: UUID | None
    inn_id: UUID | None
    standing: Standing
    since: datetime
    due_at: datetime | None


# While it moves, `since` is the last event; else it is when the state began.
_UPSERT: Final = """
INSERT INTO journey AS j (journey_id, worker_id, office_id, enterprise_id, nomination_id, hire_id,
    placement_id, drive_id, inn_id, state, waiting_for, service, since, due_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[],
    $7::uuid[], $8::uuid[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::timestamptz[],
    $14::timestamptz[])
ON CONFLICT (journey_id) DO UPDATE SET
    worker_id = excluded.worker_id, office_id = excluded.office_id,
    enterprise_id = excluded.enterprise_id, nomination_id = excluded.nomination_id,
    hire_id = excluded.hire_id, placement_id = excluded.placement_id, drive_id = excluded.drive_id,
    inn_id = excluded.inn_id, state = excluded.state, waiting_for = excluded.waiting_for,
    service = excluded.service, due_at = excluded.due_at,
    since = CASE WHEN j.state = excluded.state AND j.state <> 'moving'
        AND j.waiting_for IS NOT DISTINCT FROM excluded.waiting_for
        THEN j.since ELSE excluded.since END
"""


async def upsert_journeys(tx: Tx, journeys: Sequence[Journey]) -> None:
    """Write how journeys stand now."""
    await tx.execute(
        _UPSERT,
        [j.journey_id for j in journeys],
        [j.worker_id for j in journeys],
        [j.office_id for j in journeys],
        [j.enterprise_id for j in journeys],
        [j.nomination_id for j in journeys],
        [j.hire_id for j in journeys],
        [j.placement_id for j in journeys],
        [j.drive_id for j in journeys],
        [j.inn_id for j in journeys],
        [j.standing.state for j in journeys],
        [j.standing.waiting_for for j in journeys],
        [j.standing.service for j in journeys],
        [j.since for j in journeys],
        [j.due_at for j in journeys],
    )


_DUE: Final = """
SELECT journey_id FROM journey WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""


async def list_due_for_update(tx: Tx, limit: int) -> list[UUID]:
    """Give journeys at which time has brought something to do."""
    return [r["journey_id"] for r in await tx.fetch(_DUE, tx.now, limit)]


_CLOSE: Final = """
UPDATE task SET closed_at = $3 WHERE closed_at IS NULL AND journey_id = ANY ($1::uuid[])
    AND (kind || ' ' || subject) <> ALL ($2::text[])
"""
# An inn sees what is to be done about its guests' stays, never about their seats or offers.
_OPEN: Final = """
INSERT INTO task AS t (kind, subject, journey_id, service, worker_id, office_id, enterprise_id,
    inn_id, drive_id, opened_at, due_at)
SELECT u.kind, u.subject, u.journey_id, u.service, j.worker_id, j.office_id, j.enterprise_id,
    CASE WHEN u.subject LIKE 'stay/%' THEN j.inn_id END, j.drive_id, $6, u.due_at
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[])
    AS u (kind, subject, journey_id, service, due_at) JOIN journey j USING (journey_id)
ON CONFLICT (kind, subject) DO UPDATE SET closed_at = NULL, due_at = excluded.due_at,
    journey_id = excluded.journey_id, service = excluded.service, worker_id = excluded.worker_id,
    office_id = excluded.office_id, enterprise_id = excluded.enterprise_id,
    inn_id = excluded.inn_id, drive_id = excluded.drive_id,
    opened_at = CASE WHEN t.closed_at IS NULL THEN t.opened_at ELSE excluded.opened_at END
"""


async def replace_tasks(tx: Tx, tasks: dict[UUID, list[Task]]) -> None:
    """Let these journeys have exactly these open tasks: new ones open, the others close."""
    flat = [(journey_id, task) for journey_id, found in tasks.items() for task in found]
    await tx.execute(_CLOSE, list(tasks), [f"{t.kind} {t.about.subject}" for _, t in flat], tx.now)
    if flat:
        await tx.execute(
            _OPEN,
            [t.kind for _, t in flat],
            [t.about.subject for _, t in flat],
            [journey_id for journey_id, _ in flat],
            [t.service for _, t in flat],
            [t.due_at for _, t in flat],
            tx.now,
        )
