"""Worker batches: whether all of their nominations were heard."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


async def insert_batches(tx: Tx, nominated_counts: Mapping[UUID, int]) -> None:
    """Keep how many nominations validated batches have."""
    ids = sorted(nominated_counts)
    await tx.execute(_INSERT, ids, [nominated_counts[i] for i in ids])


_INSERT = """
INSERT INTO batch (batch_id, nominated_count)
SELECT u.batch_id, u.n FROM unnest($1::uuid[], $2::integer[]) AS u (batch_id, n)
ON CONFLICT (batch_id) DO UPDATE SET nominated_count = excluded.nominated_count
"""


async def complete_batches(tx: Tx, batch_ids: Iterable[UUID] | None = None) -> "list[Record]":
    """Mark these batches (None: any) whose last nomination was heard; give the drives they are in.

    Two transactions that each bring a part may both find the other's missing; the next round looks
    again.
    """
    return await tx.fetch(_COMPLETE, None if batch_ids is None else sorted(batch_ids))


_COMPLETE = """
WITH done AS (
    UPDATE batch b SET complete = true
    WHERE NOT b.complete AND ($1::uuid[] IS NULL OR b.batch_id = ANY ($1))
        AND (SELECT count(*) FROM nomination n WHERE n.batch_id = b.batch_id) >= b.nominated_count
    RETURNING b.batch_id
) SELECT DISTINCT n.drive_id FROM done JOIN nomination n USING (batch_id) WHERE n.state = 'waiting'
"""
