"""Shows batches, their issues, and the rows that go back; under the caller's row security."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.paging import page
from shared.transaction import Tx

_BATCH: Final = """
SELECT batch_id, kind, CASE kind WHEN 'origin_roster' THEN tenant_id END AS office_id,
    CASE kind WHEN 'new_hires' THEN tenant_id END AS enterprise_id, drive_id, state, row_count,
    accepted_count, rejected_count, duplicate_count, warning_count, nominated_count, group_count,
    byte_count, file_extension, submitted_at, finished_at
FROM worker_batch
"""
_LIST: Final = f"""{_BATCH}
WHERE ($1::uuid IS NULL OR batch_id < $1) AND ($2::text IS NULL OR state = $2)
    AND ($3::uuid IS NULL OR drive_id = $3)
ORDER BY batch_id DESC LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of a list is wanted: after which key, and how many."""

    after: Any
    limit: int


async def list_batches(
    tx: Tx, wanted: Page, *, state: str | None, drive_id: UUID | None
) -> dict[str, object]:
    """List batches, newest first."""
    rows = await tx.fetch(_LIST, wanted.after, state, drive_id, wanted.limit + 1)
    return page([_told(r) for r in rows], wanted.limit, "batch_id")


async def find_batch(tx: Tx, batch_id: UUID) -> dict[str, Any] | None:
    """Show a batch."""
    row = await tx.fetchrow(f"{_BATCH} WHERE batch_id = $1", batch_id)
    return _told(row) if row else None


def _told(row: Any) -> dict[str, Any]:  # noqa: ANN401 (asyncpg's record)
    optional = ("office_id", "enterprise_id", "drive_id", "finished_at")
    return {k: v for k, v in row.items() if v is not None or k not in optional}


_WORKERS: Final = """
SELECT b.row_number AS row, b.worker_id, b.nomination_id, b.hire_id, r.relation_id, r.name_sealed,
    r.resident_id_sealed
FROM batch_worker b
LEFT JOIN relation r ON r.worker_id = b.worker_id AND r.tenant_id = b.tenant_id
WHERE b.batch_id = $1 AND b.row_number > COALESCE($2, 0) ORDER BY b.row_number LIMIT $3
"""


async def list_batch_workers(tx: Tx, batch_id: UUID, wanted: Page) -> dict[str, object] | None:
    """List the persons of a batch, still sealed; None when there is no such batch."""
    if await find_batch(tx, batch_id) is None:
        return None
    rows = await tx.fetch(_WORKERS, batch_id, wanted.after, wanted.limit + 1)
    return page(rows, wanted.limit, "row")


#: A workbook takes no more; nobody mends more by hand.
LEFT_OUT_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The rows of a batch that go back, sealed, with the layout of the sheet they came from.

    `unlisted` are more than `LEFT_OUT_MAX`.
    """

    layout: dict[str, Any]
    rows: list[Any]
    issues: list[Any]
    unlisted: int


async def find_left_out(tx: Tx, batch_id: UUID) -> LeftOut | None:
    """Give what `issues.xlsx` is made of; None when there is no such batch."""
    layout = await tx.fetchval("SELECT layout FROM worker_batch WHERE batch_id = $1", batch_id)
    if layout is None:
        return None
    rows = await tx.fetch(
        "SELECT rejected_row_id, row_number, sealed, count(*) OVER () AS total FROM rejected_row"
        " WHERE batch_id = $1 AND expires_at > $2 ORDER BY row_number LIMIT $3",
        batch_id,
        tx.now,
        LEFT_OUT_MAX,
    )
    if not rows:
        return LeftOut(layout, [], [], 0)
    issues = await tx.fetch(_OF_LEFT_OUT, batch_id, rows[-1]["row_number"])
    return LeftOut(layout, rows, issues, rows[0]["total"] - len(rows))


_OF_LEFT_OUT: Final = """
SELECT i.row_number, i.column_letter, i.header, i.severity, i.message FROM batch_issue i
JOIN rejected_row r ON r.batch_id = i.batch_id AND r.row_number = i.row_number
WHERE i.batch_id = $1 AND i.row_number <= $2 ORDER BY i.issue_number
"""
