"""Strangers: persons whom nobody knew, as a roster brings them, with all that is written of one."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from services.registry.store.batches import Batch
from services.registry.store.nominations import Nomination
from services.registry.store.people import PROFILE, SEALED, Relation
from shared.transaction import Tx

_COPY: Final = ", ".join((*PROFILE, "poverty_lifted", "monitored", *SEALED.values()))
_PERSON: Final = ", ".join(PROFILE)
# One array of records, in the order of the type `stranger`: an array a column costs twice as much.
_ENTER: Final = f"""
WITH s AS MATERIALIZED (SELECT * FROM unnest($1::stranger[])),
entered AS (INSERT INTO worker (worker_id, {_PERSON}, registered_at)
    SELECT worker_id, {_PERSON}, $6 FROM s),
sealed AS (
    INSERT INTO relation (relation_id, worker_id, tenant_id, tenant_kind, {_COPY}, created_at,
        updated_at)
    SELECT relation_id, worker_id, $2, $3, {_COPY}, $6, $6 FROM s),
nominated AS (
    INSERT INTO nomination (nomination_id, worker_id, office_id, batch_id, drive_id, available_from,
        boarding_place_code, needs_bed, nominated_at, idle_since)
    SELECT nomination_id, worker_id, $2, $4, $5, available_from, boarding_place_code, needs_bed,
        $6, $6
    FROM s WHERE nomination_id IS NOT NULL)
INSERT INTO batch_worker (batch_id, tenant_id, row_number, worker_id, nomination_id)
SELECT $4, $2, row_number, worker_id, nomination_id FROM s WHERE nomination_id IS NOT NULL
"""


async def enter_strangers(
    tx: Tx, batch: Batch, strangers: Iterable[tuple[int, Relation, Nomination | None]]
) -> None:
    """Insert strangers, each with the row's number, and whoever is nominated at once.

    Their blind indexes are claimed later, before the commit.
    """
    records = [
        (
            copy.worker_id, copy.relation_id, *copy.profile.as_fields().values(),
            copy.poverty_lifted, copy.monitored, *map(copy.sealed.get, SEALED),
            *_offer(row_number, nomination),
        )
        for row_number, copy, nomination in strangers
    ]  # fmt: skip
    whose = (batch.tenant_id, batch.tenant_kind, batch.batch_id, batch.drive_id, tx.now)
    await tx.execute(_ENTER, records, *whose)


def _offer(row_number: int, nomination: Nomination | None) -> tuple[object, ...]:
    if nomination is None:
        return row_number, None, None, None, None
    wishes = nomination.wishes
    return (
        row_number, nomination.nomination_id, wishes.available_from, wishes.boarding_place_code,
        wishes.needs_bed,
    )  # fmt: skip


async def check_references(tx: Tx, *, at_once: bool) -> None:
    """Have each statement's references to persons checked with it, or all of them at the commit.

    At the commit nothing else goes on; but there a person may come after what refers to it.
    """
    when = "IMMEDIATE" if at_once else "DEFERRED"
    await tx.execute(f"SET CONSTRAINTS relation_worker_id_fkey, nomination_worker_id_fkey {when}")


async def delete_strangers(tx: Tx, batch: Batch, worker_ids: Sequence[UUID]) -> list[UUID]:
    """Delete persons whom this transaction has entered; give the keys of their copies."""
    rows = await tx.fetch(_DELETE, list(worker_ids), batch.batch_id)
    return [r["relation_id"] for r in rows]


_DELETE: Final = """
WITH nominated AS (DELETE FROM nomination WHERE worker_id = ANY ($1)),
found AS (DELETE FROM batch_worker WHERE batch_id = $2 AND worker_id = ANY ($1)),
entered AS (DELETE FROM worker WHERE worker_id = ANY ($1))
DELETE FROM relation WHERE worker_id = ANY ($1) RETURNING relation_id
"""
