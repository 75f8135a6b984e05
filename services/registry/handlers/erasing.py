"""Erases: destroys keys first, says so after, and writes it where no restored backup reaches."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contracts.registry import WorkerErased
from services.registry.handlers.nominations import end_nominations, end_of_worker
from services.registry.store import batches, erasures, nominations
from services.registry.store.erasures import Erasure
from services.registry.vault import Erased, ErasureList, Vault
from shared.commands import Answer
from shared.identity import Identity
from shared.problem import NotFound
from shared.transaction import Tx

TICKER: Final = "carry-out-erasures"
_DUE_MAX: Final = 100
_DOOMED_MAX: Final = 5_000


@dataclass
class Eraser:
    """What an erasure needs beside the database."""

    vault: Vault
    erasures: ErasureList


async def ask_erasure(
    tx: Tx, identity: Identity, worker_id: UUID, tenant_id: UUID | None
) -> Answer:
    """Ask for the erasure of a tenant's copy, or (None) of the person; done as soon as it may be.

    404 when the caller may see no such copy.
    """
    if tenant_id is None:
        known = await erasures.is_known(tx, worker_id)
    else:
        known = await erasures.has_relation(tx, worker_id, tenant_id)
    if not known:
        raise NotFound
    await tx.as_worker()
    erasure = Erasure(tx.ids.uuid7(), worker_id, tenant_id)
    await erasures.insert_erasure(tx, erasure, identity.account_id)
    tx.wake(TICKER)
    return Answer(202, {"worker_id": worker_id, "state": "erasing"})


async def carry_out_erasures(tx: Tx, eraser: Eraser) -> int:
    """Carry out erasures that neither a trip nor a stay stands against; give how many."""
    due = await erasures.list_due(tx, _DUE_MAX)
    for erasure in due:
        await _carry_out(tx, eraser, erasure)
    return len(due)


async def _carry_out(tx: Tx, eraser: Eraser, erasure: Erasure) -> None:
    remains = await erasures.load_remains_for_update(tx, erasure)
    # List, keys, database: wherever a crash comes between, the next run ends what this one began.
    eraser.erasures.append([Erased(erasure.worker_id, remains.is_person, remains.key_ids)])
    await eraser.vault.destroy(remains.key_ids)
    tenant_id = None if remains.is_person else erasure.tenant_id
    await end_of_worker(tx, erasure.worker_id, tenant_id)
    await nominations.end_hires(tx, erasure.worker_id, tenant_id)
    await erasures.delete_remains(tx, erasure, remains)
    if remains.is_person:
        tx.say(WorkerErased(worker_id=erasure.worker_id), tenant_id=None)
    await erasures.finish_erasure(tx, erasure, is_person=remains.is_person)


async def destroy_doomed_keys(tx: Tx, vault: Vault) -> int:
    """Destroy the keys of what was deleted by finished work; give how many."""
    doomed = await batches.list_doomed_keys(tx, _DOOMED_MAX)
    await vault.destroy(doomed)
    if doomed:
        await batches.delete_doomed_keys(tx, doomed)
    return len(doomed)


async def apply_erasure_list(tx: Tx, eraser: Eraser) -> None:
    """Bring a database and a key store that may have been restored up to the erasure list."""
    erased = eraser.erasures.read()
    if not erased:
        return
    key_ids = [key for e in erased for key in e.key_ids]
    await eraser.vault.destroy(key_ids)
    await erasures.erase_again(tx, key_ids, [e.worker_id for e in erased if e.person])
    stale = await erasures.list_restored_nominations(tx)
    await end_nominations(tx, dict.fromkeys(stale), "erased")
