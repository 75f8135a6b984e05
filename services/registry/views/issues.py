"""Shows what is wrong with a batch, one by one and counted; under the caller's row security."""

from typing import Any, Final
from uuid import UUID

from services.registry.roster.messages import english, general
from services.registry.views.batches import Page, find_batch
from shared.paging import page
from shared.transaction import Tx

_KINDS: Final = """
SELECT code, severity, min(message) AS message, count(*) AS issue_count,
    count(DISTINCT row_number) AS row_count
FROM batch_issue WHERE batch_id = $1 GROUP BY code, severity
ORDER BY array_position(ARRAY['error', 'warning', 'info'], severity), count(*) DESC, code
"""


async def list_issue_kinds(tx: Tx, batch_id: UUID) -> list[dict[str, Any]]:
    """Count a batch's issues by code, the gravest and most frequent first; `message` is of all."""
    kinds = [dict(r) for r in await tx.fetch(_KINDS, batch_id)]
    for kind in kinds:
        sentence = general(kind["code"]) or kind["message"]
        kind["message"] = sentence + english(kind["code"])
    return kinds


_ISSUES: Final = """
SELECT issue_number, row_number AS row, column_letter AS column, header, field, code, severity,
    message, value_masked, first_row
FROM batch_issue
WHERE batch_id = $1 AND issue_number > COALESCE($2, 0) AND ($3::text IS NULL OR severity = $3)
    AND ($4::text IS NULL OR code = $4)
ORDER BY issue_number LIMIT $5
"""


async def list_issues(
    tx: Tx, batch_id: UUID, wanted: Page, *, severity: str | None = None, code: str | None = None
) -> dict[str, object] | None:
    """List a batch's issues in the order of its sheet; None when there is no such batch."""
    if await find_batch(tx, batch_id) is None:
        return None
    rows = await tx.fetch(_ISSUES, batch_id, wanted.after, severity, code, wanted.limit + 1)
    found = page(rows, wanted.limit, "issue_number")
    items: Any = found["items"]
    for item in items:
        del item["issue_number"]
        item["message"] += english(item["code"])
        if item["first_row"] is None:
            del item["first_row"]
    return found
