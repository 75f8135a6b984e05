"""Shows what a batch's receipt is made of; under the caller's row security."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.registry.views.issues import list_issue_kinds
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Found:
    """A batch with its tenant's name, its issues counted by code, and those that left rows out."""

    batch: Any
    issues_by_code: list[Any]
    errors: list[Any]


async def find_receipt(tx: Tx, batch_id: UUID, errors_max: int) -> Found | None:
    """Give what a receipt is made of, of errors the first; None when there is no such batch."""
    batch = await tx.fetchrow(_BATCH, batch_id)
    if batch is None:
        return None
    by_code = await list_issue_kinds(tx, batch_id)
    return Found(batch, by_code, await tx.fetch(_ERRORS, batch_id, errors_max))


_BATCH: Final = """
SELECT b.*, t.name AS tenant_name FROM worker_batch b LEFT JOIN tenant t USING (tenant_id)
WHERE b.batch_id = $1
"""
_ERRORS: Final = """
SELECT row_number, column_letter, header, code, message, value_masked FROM batch_issue
WHERE batch_id = $1 AND severity = 'error' ORDER BY issue_number LIMIT $2
"""
