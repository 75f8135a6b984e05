"""Erasures: asked for, waiting for a trip or a stay to end, carried out, applied again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was asked to be erased: a tenant's copy of a person, or (None) the person."""

    erasure_id: UUID
    worker_id: UUID
    tenant_id: UUID | None


async def insert_erasure(tx: Tx, erasure: Erasure, requested_by: UUID) -> None:
    """Ask for an erasure; a second asking changes nothing."""
    await tx.execute(
        "INSERT INTO erasure VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        erasure.erasure_id, erasure.worker_id, erasure.tenant_id, requested_by, tx.now,
    )  # fmt: skip


async def is_known(tx: Tx, worker_id: UUID) -> bool:
    """Tell whether the caller may see such a person, who is not erased."""
    found = await tx.fetchval(
        "SELECT true FROM worker WHERE worker_id = $1 AND erased_at IS NULL", worker_id
    )
    return found is not None


async def has_relation(tx: Tx, worker_id: UUID, tenant_id: UUID) -> bool:
    """Tell whether this tenant has a copy of the person that the caller may see."""
    found = await tx.fetchval(
        "SELECT true FROM relation WHERE worker_id = $1 AND tenant_id = $2", worker_id, tenant_id
    )
    return found is not None


async def list_due(tx: Tx, limit: int) -> list[Erasure]:
    """Lock erasures that nothing stands against: nobody aboard, nobody in the house."""
    rows = await tx.fetch(_DUE, limit)
    return [Erasure(*r) for r in rows]


_DUE: Final = """
SELECT e.erasure_id, e.worker_id, e.tenant_id FROM erasure e
WHERE e.done_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM heard_booking b LEFT JOIN heard_trip t USING (trip_id)
        WHERE b.worker_id = e.worker_id AND b.state = 'boarded'
        AND COALESCE(t.state, '') NOT IN ('closed', 'cancelled'))
    AND NOT EXISTS (SELECT 1 FROM heard_stay s WHERE s.worker_id = e.worker_id
        AND s.state = 'checked_in')
ORDER BY e.erasure_id LIMIT $1 FOR UPDATE OF e SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Remains:
    """What there is of a person: the keys that go, and whether the whole person goes."""

    relation_ids: list[UUID]
    rejected_row_ids: list[UUID]
    is_person: bool

    @property
    def key_ids(self) -> tuple[UUID, ...]:
        """The keys to destroy."""
        return (*self.relation_ids, *self.rejected_row_ids)


async def load_remains_for_update(tx: Tx, erasure: Erasure) -> Remains:
    """Lock a person and give what an erasure takes: with the last copy goes the person."""
    # Whoever is just importing this person holds a share of this row: wait for that commit.
    blind = await tx.fetchval(
        "SELECT blind_index FROM person_index WHERE worker_id = $1 FOR UPDATE", erasure.worker_id
    )
    rows = await tx.fetch(
        "SELECT relation_id, tenant_id FROM relation WHERE worker_id = $1 FOR UPDATE",
        erasure.worker_id,
    )
    own = [r["relation_id"] for r in rows if erasure.tenant_id in (None, r["tenant_id"])]
    is_person = erasure.tenant_id is None or len(own) == len(rows)
    left_out = await tx.fetch(
        "SELECT rejected_row_id FROM rejected_row WHERE blind_index = $1"
        " AND ($2::uuid IS NULL OR tenant_id = $2)",
        blind, None if is_person else erasure.tenant_id,
    )  # fmt: skip
    return Remains(own, [r["rejected_row_id"] for r in left_out], is_person)


async def delete_remains(tx: Tx, erasure: Erasure, remains: Remains) -> None:
    """Delete what a destroyed key sealed, and where the person stood."""
    await tx.execute(
        "DELETE FROM rejected_row WHERE rejected_row_id = ANY ($1)", remains.rejected_row_ids
    )
    await tx.execute("DELETE FROM relation WHERE relation_id = ANY ($1)", remains.relation_ids)
    await tx.execute(
        "DELETE FROM batch_worker WHERE worker_id = $1 AND ($2::uuid IS NULL OR tenant_id = $2)",
        erasure.worker_id, None if remains.is_person else erasure.tenant_id,
    )  # fmt: skip
    if remains.is_person:
        await bury(tx, [erasure.worker_id])


async def bury(tx: Tx, worker_ids: Sequence[UUID]) -> None:
    """Leave nothing of persons but tombstones; the same ID number brought later is a new person."""
    await tx.execute("DELETE FROM person_index WHERE worker_id = ANY ($1)", list(worker_ids))
    await tx.execute(_TOMBSTONE, list(worker_ids), tx.now)


_TOMBSTONE: Final = """
UPDATE worker SET gender = NULL, birth_year_month = NULL, origin_division_code = NULL,
    education_code = NULL, certificate_codes = '{}', occupation_codes = '{}',
    preferred_pay_min = NULL, preferred_pay_max = NULL, erased_at = COALESCE(erased_at, $2)
WHERE worker_id = ANY ($1)
"""


async def finish_erasure(tx: Tx, erasure: Erasure, *, is_person: bool) -> None:
    """Mark an erasure as done; when the person went, all that were asked for this person are."""
    await tx.execute(
        "UPDATE erasure SET done_at = $3 WHERE done_at IS NULL"
        " AND (erasure_id = $1 OR ($4 AND worker_id = $2))",
        erasure.erasure_id, erasure.worker_id, tx.now, is_person,
    )  # fmt: skip


async def erase_again(
    tx: Tx, key_ids: Sequence[UUID], worker_ids: Sequence[UUID]
) -> dict[str, Any]:
    """Bring a restored database up to the erasure list; give what it still held."""
    relations = await tx.execute("DELETE FROM relation WHERE relation_id = ANY ($1)", list(key_ids))
    rows = await tx.execute(
        "DELETE FROM rejected_row WHERE rejected_row_id = ANY ($1)", list(key_ids)
    )
    await bury(tx, worker_ids)
    for table in ("batch_worker", "relation"):
        await tx.execute(f"DELETE FROM {table} WHERE worker_id = ANY ($1)", list(worker_ids))
    return {"relations": relations, "rejected_rows": rows}


async def list_restored_nominations(tx: Tx) -> list[UUID]:
    """List active nominations of persons who have no copy at their office any more."""
    rows = await tx.fetch(
        "SELECT n.nomination_id FROM nomination n WHERE n.state = 'active' AND NOT EXISTS ("
        " SELECT 1 FROM relation r WHERE r.worker_id = n.worker_id AND r.tenant_id = n.office_id)"
    )
    return [r["nomination_id"] for r in rows]
