"""Notes who took which list out of the console."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.identity import Identity
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Export:
    """One list that was taken out: which one, as what, filtered how, and of how many rows."""

    export_id: UUID
    list: str
    format: str
    filters: dict[str, Any]
    row_count: int


_INSERT: Final = """
INSERT INTO export_log (export_id, account_id, tenant_id, list, format, filters, row_count)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def insert_export(tx: Tx, identity: Identity, export: Export) -> None:
    """Note an export before it is handed out."""
    await tx.execute(
        _INSERT, export.export_id, identity.account_id, identity.tenant_id, export.list,
        export.format, export.filters, export.row_count,
    )  # fmt: skip
