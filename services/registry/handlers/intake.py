"""What taking in rosters needs beside the database: the vault, the readers, the limits."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from services.registry.roster.child import Readers
from services.registry.roster.limits import Limits
from services.registry.roster.work import Job
from services.registry.store import batches
from services.registry.store.batches import Batch
from services.registry.vault import Vault, open_sealed, seal
from services.registry.workbooks import Writer
from shared.transaction import Tx


@dataclass
class Intake:
    """Resources of the roster's way in and back.

    `progress` counts the rows read of batches at work here.
    """

    vault: Vault
    readers: Readers
    limits: Limits = field(default_factory=Limits)
    progress: dict[UUID, int] = field(default_factory=dict)
    failures: Counter[UUID] = field(default_factory=Counter)
    writer: Writer = field(default_factory=Writer)


async def seal_file(intake: Intake, batch: Batch, data: bytes) -> bytes:
    """Seal an uploaded file under a new key of its own: the batch's id is the key's."""
    (key,) = await intake.vault.new_keys(batch.tenant_id, [batch.batch_id])
    return await asyncio.to_thread(seal, key.key, data, batch.batch_id.bytes)


async def open_file(tx: Tx, intake: Intake, batch: Batch) -> bytes:
    """Give the uploaded file; raises KeyError when its key is gone."""
    sealed = await batches.get_file(tx, batch.batch_id)
    keys = await intake.vault.load_keys([batch.batch_id])
    return await asyncio.to_thread(open_sealed, keys[batch.batch_id], sealed, batch.batch_id.bytes)


async def job_of(tx: Tx, intake: Intake, batch: Batch) -> Job:
    """Describe a batch's file to a reader."""
    return Job(
        filename=f"roster.{batch.file_extension}",
        kind=batch.kind,
        division_code=batch.division_code,
        today=batch.submitted_on,
        limits=intake.limits,
        synonyms=await batches.load_synonyms(tx, batch.tenant_id),
    )
