"""Filters of the monitor that were given a name."""

from typing import Final
from uuid import UUID

from shared.transaction import Tx

#: More than this nobody looks through.
FILTERS_MAX: Final = 50
_SAVE: Final = """
INSERT INTO named_filter (name, type, service, tenant_id, account_id)
SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM named_filter WHERE name <> $1) < $6
ON CONFLICT (name) DO UPDATE SET type = excluded.type, service = excluded.service,
    tenant_id = excluded.tenant_id, account_id = excluded.account_id, made_at = clock_timestamp()
RETURNING true
"""


Wanted = tuple[str | None, str | None, UUID | None]


async def save_filter(tx: Tx, name: str, wanted: Wanted, account_id: UUID) -> bool:
    """Name a filter (type, service, tenant), anew if need be; False when there are too many."""
    saved: bool | None = await tx.fetchval(_SAVE, name, *wanted, account_id, FILTERS_MAX)
    return bool(saved)


async def delete_filter(tx: Tx, name: str) -> None:
    """Forget a name."""
    await tx.execute("DELETE FROM named_filter WHERE name = $1", name)
