"""Worker batches: taken in once, validated by one process at a time, finished in one commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.registry.domain import BatchKind, Counts, FinalState
from shared.ticker import TICKER_LOCK
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it came in; `division_code` is its tenant's."""

    batch_id: UUID
    tenant_id: UUID
    kind: BatchKind
    drive_id: UUID | None
    division_code: str
    fingerprint: bytes
    file_extension: str
    byte_count: int
    submitted_by: UUID
    submitted_on: date
    submitted_at: datetime

    @property
    def tenant_kind(self) -> str:
        """What its tenant is."""
        return "office" if self.kind == "origin_roster" else "enterprise"


_BATCH = (
    "batch_id, tenant_id, kind, drive_id, division_code, fingerprint, file_extension, byte_count,"
    " submitted_by, submitted_on, submitted_at"
)


async def insert_batch(tx: Tx, batch: Batch, layout: dict[str, Any]) -> bool:
    """Insert a batch unless the same file is in already; waits for one that is just coming in."""
    return bool(await tx.fetchval(_INSERT, *_values(batch), layout))


_INSERT = f"""
INSERT INTO worker_batch ({_BATCH}, layout)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT DO NOTHING RETURNING true
"""


def _values(batch: Batch) -> tuple[object, ...]:
    return (
        batch.batch_id, batch.tenant_id, batch.kind, batch.drive_id, batch.division_code,
        batch.fingerprint, batch.file_extension, batch.byte_count, batch.submitted_by,
        batch.submitted_on, batch.submitted_at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Earlier:
    """The first batch of the same file; `renewable`: a new one may take its place."""

    batch_id: UUID
    state: str
    renewable: bool


async def find_same_file(tx: Tx, tenant_id: UUID, fingerprint: bytes) -> Earlier | None:
    """Find the batch of the same bytes, kind and drive of this tenant."""
    row = await tx.fetchrow(_SAME_FILE, tenant_id, fingerprint)
    return Earlier(*row) if row else None


# A finished batch makes room when a row of it was another office's person, or a nomination ended.
_SAME_FILE = """
SELECT b.batch_id, b.state, b.finished_at IS NOT NULL AND (b.had_already_nominated OR EXISTS (
    SELECT 1 FROM nomination n WHERE n.batch_id = b.batch_id AND n.state = 'ended'))
FROM worker_batch b
WHERE b.tenant_id = $1 AND b.fingerprint = $2 AND b.superseded_at IS NULL
"""


async def supersede_batch(tx: Tx, batch_id: UUID) -> None:
    """Let a new batch of the same file take this one's place."""
    await tx.execute(
        "UPDATE worker_batch SET superseded_at = $2 WHERE batch_id = $1 AND superseded_at IS NULL",
        batch_id, tx.now,
    )  # fmt: skip


async def insert_file(tx: Tx, batch: Batch, sealed: bytes) -> None:
    """Keep the sealed file until the batch is finished."""
    await tx.execute(
        "INSERT INTO batch_file VALUES ($1, $2, $3)", batch.batch_id, batch.tenant_id, sealed
    )


async def start_validating(tx: Tx, limit: int) -> int:
    """Move batches that were received to `validating`; give how many."""
    return len(await tx.fetch(_START, limit))


_START = """
UPDATE worker_batch SET state = 'validating' WHERE batch_id IN (
    SELECT batch_id FROM worker_batch WHERE state = 'received'
    ORDER BY batch_id LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING batch_id
"""


async def take_batch(tx: Tx, byte_count_max: int) -> Batch | None:
    """Lock the oldest batch to validate of at most this size that nobody else is at."""
    row = await tx.fetchrow(_TAKE, byte_count_max)
    return Batch(*row) if row else None


# The lock is the claim: it goes with the transaction, so a killed process leaves the batch free.
_TAKE = f"""
SELECT {_BATCH} FROM worker_batch WHERE state = 'validating' AND byte_count <= $1
ORDER BY batch_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


async def get_file(tx: Tx, batch_id: UUID) -> bytes:
    """Give a batch's sealed file."""
    sealed: bytes = await tx.fetchval("SELECT sealed FROM batch_file WHERE batch_id = $1", batch_id)
    return sealed


async def insert_issues(tx: Tx, records: Iterable[Sequence[object]]) -> None:
    """Insert issues: batch, number, tenant, then an issue's fields in their order."""
    await tx.insert("batch_issue", _ISSUE, records)


_ISSUE = {
    "batch_id": "uuid",
    "issue_number": "int",
    "tenant_id": "uuid",
    "row_number": "int",
    **dict.fromkeys(
        ("column_letter", "header", "field", "code", "severity", "message", "value_masked"), "text"
    ),
    "first_row": "int",
}


async def insert_batch_workers(tx: Tx, batch: Batch, records: Iterable[Sequence[object]]) -> None:
    """Insert who a batch's rows are: row, worker, nomination, hire."""
    same = {"batch_id": batch.batch_id, "tenant_id": batch.tenant_id}
    await tx.insert("batch_worker", _BATCH_WORKER, records, same)


_BATCH_WORKER = {
    "row_number": "int",
    "worker_id": "uuid",
    "nomination_id": "uuid",
    "hire_id": "uuid",
}


async def insert_rejected_rows(tx: Tx, records: Iterable[Sequence[object]]) -> None:
    """Insert sealed rows: id, batch, row, tenant, blind index, sealed, expiry."""
    await tx.insert("rejected_row", _REJECTED_ROW, records)


_REJECTED_ROW = {
    "rejected_row_id": "uuid",
    "batch_id": "uuid",
    "row_number": "int",
    "tenant_id": "uuid",
    "blind_index": "bytea",
    "sealed": "bytea",
    "expires_at": "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Finish:
    """How a batch ends."""

    counts: Counts
    state: FinalState
    nominated_count: int
    had_already_nominated: bool


async def finish_batch(tx: Tx, batch_id: UUID, finish: Finish) -> None:
    """Write the final state, and let the file and its key go."""
    counts = finish.counts
    await tx.execute(
        _FINISH, batch_id, finish.state, counts.rows, counts.accepted, counts.rejected,
        counts.duplicate, counts.warnings, finish.nominated_count, counts.groups,
        finish.had_already_nominated, tx.now,
    )  # fmt: skip
    await tx.execute("DELETE FROM batch_file WHERE batch_id = $1", batch_id)
    await doom_keys(tx, [batch_id])


_FINISH = """
UPDATE worker_batch SET state = $2, row_count = $3, accepted_count = $4, rejected_count = $5,
    duplicate_count = $6, warning_count = $7, nominated_count = $8, group_count = $9,
    had_already_nominated = $10, finished_at = $11
WHERE batch_id = $1
"""


async def expire_rejected_rows(tx: Tx, limit: int) -> int:
    """Delete rows whose days are over, and doom their keys; give how many."""
    rows = await tx.fetch(_EXPIRE, tx.now, limit)
    await doom_keys(tx, [r["rejected_row_id"] for r in rows])
    return len(rows)


_EXPIRE = """
DELETE FROM rejected_row WHERE rejected_row_id IN (
    SELECT rejected_row_id FROM rejected_row WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
RETURNING rejected_row_id
"""


async def doom_keys(tx: Tx, key_ids: Sequence[UUID]) -> None:
    """Have keys destroyed right after this commit."""
    if key_ids:
        await tx.execute(
            "INSERT INTO doomed_key (key_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
            list(key_ids),
        )
        tx.wake("destroy-keys")


async def list_doomed_keys(tx: Tx, limit: int) -> list[UUID]:
    """Lock keys that are to be destroyed."""
    rows = await tx.fetch("SELECT key_id FROM doomed_key LIMIT $1 FOR UPDATE SKIP LOCKED", limit)
    return [r["key_id"] for r in rows]


async def delete_doomed_keys(tx: Tx, key_ids: Sequence[UUID]) -> None:
    """Forget keys that are destroyed."""
    await tx.execute("DELETE FROM doomed_key WHERE key_id = ANY ($1)", list(key_ids))


async def keep_imports_out(tx: Tx, lanes: Sequence[str]) -> bool:
    """Let no import begin before this transaction ends; False when one is at work."""
    taken = [await tx.fetchval(_KEEP_OUT, TICKER_LOCK, lane) for lane in lanes]
    return all(taken)


# The lock under which a ticker runs, whichever replica it is in.
_KEEP_OUT = "SELECT pg_try_advisory_xact_lock($1, hashtext($2))"


async def find_used_keys(tx: Tx, key_ids: Sequence[UUID]) -> set[UUID]:
    """Find those of these keys that seal something."""
    rows = await tx.fetch(_USED, list(key_ids))
    return {r["key_id"] for r in rows}


_USED = """
SELECT relation_id AS key_id FROM relation WHERE relation_id = ANY ($1)
UNION ALL SELECT batch_id FROM batch_file WHERE batch_id = ANY ($1)
UNION ALL SELECT rejected_row_id FROM rejected_row WHERE rejected_row_id = ANY ($1)
"""


async def load_synonyms(tx: Tx, tenant_id: UUID) -> dict[str, str]:
    """Give a tenant's own header words: word -> field."""
    rows = await tx.fetch("SELECT word, field FROM header_synonym WHERE tenant_id = $1", tenant_id)
    return {r["word"]: r["field"] for r in rows}


async def upsert_synonym(tx: Tx, tenant_id: UUID, word: str, field: str) -> None:
    """Remember a tenant's header word."""
    await tx.execute(
        "INSERT INTO header_synonym VALUES ($1, $2, $3)"
        " ON CONFLICT (tenant_id, word) DO UPDATE SET field = excluded.field",
        tenant_id, word, field,
    )  # fmt: skip


async def find_division_of_tenant(tx: Tx, tenant_id: UUID, kind: str) -> str | None:
    """Give an active tenant's division code if it is of this kind."""
    found: str | None = await tx.fetchval(
        "SELECT division_code FROM tenant WHERE tenant_id = $1 AND kind = $2 AND active",
        tenant_id,
        kind,
    )
    return found
