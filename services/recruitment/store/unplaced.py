"""Why nominations have no place, and who takes part in which drive."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


async def update_reasons(
    tx: Tx, told: Sequence[tuple[UUID, str, dict[str, Any] | None]]
) -> "list[Record]":
    """Keep reasons and nearest misses; give the nominations for which they are new."""
    rows = [{"nomination_id": str(n), "reason": r, "miss": m} for n, r, m in told]
    return await tx.fetch(_REASONS, rows)


_REASONS = """
UPDATE nomination n SET unplaced_reason = r.reason, nearest_miss = r.miss
FROM jsonb_to_recordset($1::jsonb) AS r (nomination_id uuid, reason text, miss jsonb)
WHERE n.nomination_id = r.nomination_id
    AND (n.unplaced_reason, n.nearest_miss) IS DISTINCT FROM (r.reason, r.miss)
RETURNING n.nomination_id, n.worker_id, n.office_id, n.drive_id, n.unplaced_reason, n.nearest_miss
"""


async def forget_reasons(tx: Tx, nomination_ids: Iterable[UUID]) -> None:
    """Forget the reasons of those who have an offer: without it, the same one is news again."""
    await tx.execute(_FORGET, list(nomination_ids))


_FORGET = """
UPDATE nomination SET unplaced_reason = NULL, nearest_miss = NULL, skip_count = 0 WHERE
    nomination_id = ANY ($1)
"""


async def find_drives(tx: Tx) -> "tuple[list[UUID], list[UUID]]":
    """Put nominations that named no drive into the origin's only open one.

    Gives the drives that got some, and the nominations that stay without (none, or more than one).
    """
    rows = await tx.fetch(_FIND_DRIVES)
    rest = await tx.fetch(_DRIVELESS)
    return [r["drive_id"] for r in rows], [r["nomination_id"] for r in rest]


_FIND_DRIVES = """
WITH waiting AS (
    SELECT n.nomination_id, COALESCE(t.division_code, n.origin_division_code) AS division_code
    FROM nomination n LEFT JOIN tenant t ON t.tenant_id = n.office_id
    WHERE n.state = 'waiting' AND n.drive_id IS NULL
    ORDER BY n.nomination_id FOR UPDATE OF n
), only_one AS (
    SELECT w.division_code, (array_agg(d.drive_id))[1] AS drive_id
    FROM (SELECT DISTINCT division_code FROM waiting) w
    JOIN drive d ON d.state = 'open' AND division_inside_any(w.division_code, d.origins)
    GROUP BY w.division_code HAVING count(*) = 1
), put AS (
    UPDATE nomination n SET drive_id = o.drive_id, version = n.version + 1
    FROM waiting w JOIN only_one o USING (division_code) WHERE n.nomination_id = w.nomination_id
    RETURNING n.drive_id
) SELECT DISTINCT drive_id FROM put
"""
_DRIVELESS = """
SELECT nomination_id FROM nomination WHERE state = 'waiting' AND drive_id IS NULL ORDER BY
    nomination_id FOR UPDATE
"""


async def list_waiting_for_update(tx: Tx, drive_id: UUID) -> list[UUID]:
    """Lock and list those who wait in a drive."""
    return [r["nomination_id"] for r in await tx.fetch(_WAITING, drive_id)]


_WAITING = """
SELECT nomination_id FROM nomination WHERE drive_id = $1 AND state = 'waiting' ORDER BY
    nomination_id FOR UPDATE
"""
