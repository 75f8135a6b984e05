"""Takes a roster in: once, however often and however many times at once it comes."""

from dataclasses import dataclass
from uuid import UUID

from contracts.registry import WorkerBatchSubmitted
from services.registry.domain import BatchKind
from services.registry.handlers.intake import Intake, seal_file
from services.registry.roster.reading import Layout
from services.registry.roster.work import layout_as_dict
from services.registry.store import batches
from services.registry.store.batches import Batch
from shared.commands import Answer
from shared.transaction import Tx

#: What is started when a batch came in.
TICKERS = ("start-batches", "import-batches", "import-small-batches")


@dataclass(frozen=True, slots=True)
class SubmitBatch:
    """A readable roster; `fingerprint` is the same for the same bytes, kind and drive."""

    tenant_id: UUID
    kind: BatchKind
    drive_id: UUID | None
    division_code: str
    fingerprint: bytes
    file_extension: str
    data: bytes
    layout: Layout
    submitted_by: UUID


async def submit_batch(tx: Tx, intake: Intake, command: SubmitBatch) -> Answer:
    """Take a batch in (202), or give the first batch of the same file (200)."""
    batch = _new(tx, command)
    layout = layout_as_dict(command.layout)
    while not await batches.insert_batch(tx, batch, layout):
        earlier = await batches.find_same_file(tx, command.tenant_id, command.fingerprint)
        if earlier and not earlier.renewable:
            return Answer(200, {"batch_id": earlier.batch_id, "state": earlier.state})
        if earlier:
            await batches.supersede_batch(tx, earlier.batch_id)
    await batches.insert_file(tx, batch, await seal_file(intake, batch, command.data))
    tx.say(
        WorkerBatchSubmitted(batch_id=batch.batch_id, **owner_fields(batch)),
        tenant_id=batch.tenant_id,
    )
    for ticker in TICKERS:
        tx.wake(ticker)
    return Answer(202, {"batch_id": batch.batch_id, "state": "received"})


def _new(tx: Tx, command: SubmitBatch) -> Batch:
    return Batch(
        batch_id=tx.ids.uuid7(),
        tenant_id=command.tenant_id,
        kind=command.kind,
        drive_id=command.drive_id,
        division_code=command.division_code,
        fingerprint=command.fingerprint,
        file_extension=command.file_extension,
        byte_count=len(command.data),
        submitted_by=command.submitted_by,
        submitted_on=tx.today,
        submitted_at=tx.now,
    )


def owner_fields(batch: Batch) -> dict[str, object]:
    """Give a batch's kind and whose it is, as its events say it."""
    tenant = "office_id" if batch.kind == "origin_roster" else "enterprise_id"
    return {"kind": batch.kind, tenant: batch.tenant_id, "drive_id": batch.drive_id}
