"""What rounds have to look at, and when at the latest; insert-only until a round takes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.transaction import Tx

TICKER = "match"


async def mark_due(
    tx: Tx, drive_ids: Iterable[UUID | None], within: timedelta, cause_id: UUID | None = None
) -> None:
    """Let a round look at these drives (None: who named none) within this real time.

    The cause is the event that opened the way for others; who waits has a cause of their own.
    """
    marks = sorted(set(drive_ids), key=str)
    if not marks:
        return
    await tx.execute(_MARK, marks, within, cause_id)
    if not within:
        tx.wake(TICKER)


_MARK = """
INSERT INTO match_due (drive_id, due_at, cause_id)
SELECT u.drive_id, clock_timestamp() + $2, $3 FROM unnest($1::uuid[]) AS u (drive_id)
"""


async def mark_freed(tx: Tx, vacancy_ids: Iterable[UUID], cause_id: UUID | None = None) -> None:
    """Let a round give the freed openings of these vacancies to others at once."""
    rows = await tx.fetch(_DRIVES_OF, list(vacancy_ids))
    await mark_due(tx, [r["drive_id"] for r in rows], timedelta(0), cause_id)


_DRIVES_OF = """
SELECT DISTINCT v.drive_id FROM vacancy v JOIN drive d USING (drive_id)
WHERE v.vacancy_id = ANY ($1) AND d.state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A drive (None: who named none) that a round looks at, and the event that freed a way."""

    drive_id: UUID | None
    cause_id: UUID | None


async def take_due(tx: Tx) -> Due | None:
    """Take the drive that is due longest with all its marks; None when nothing is due.

    A mark that becomes visible after this statement stays for the next round, so no change is
    missed.
    """
    row = await tx.fetchrow(_NEXT)
    if row is None:
        return None
    cause_id = await tx.fetchval(_TAKE, row["drive_id"])
    return Due(row["drive_id"], cause_id)


_NEXT = "SELECT drive_id FROM match_due WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT 1"
# Of several causes the last counts.
_TAKE = """
WITH taken AS (
    DELETE FROM match_due WHERE drive_id IS NOT DISTINCT FROM $1 RETURNING match_due_id, cause_id
)
SELECT cause_id FROM taken WHERE cause_id IS NOT NULL ORDER BY match_due_id DESC LIMIT 1
"""
