"""Brings persons whom nobody knows into the vault while their file is still being read.

The reader is another process: what can be done before all rows are decided costs no time beside it.
Whoever turns out not to be new is taken out again before the decision is written.
"""

import asyncio
from collections.abc import Sequence
from typing import Self
from uuid import UUID

from services.registry.handlers.sealing import Person, Sealer
from services.registry.store import batches, people
from services.registry.store.batches import Batch
from services.registry.store.people import Relation
from shared.transaction import Tx


class Entrance:
    """Takes strangers in chunk by chunk: one is sealed while the database takes the other.

    `async with`: the last chunk is written at the end, or dropped on an exception.
    """

    def __init__(self, tx: Tx, sealer: Sealer, batch: Batch) -> None:
        self._tx = tx
        self._sealer = sealer
        self._batch = batch
        self._sealing: asyncio.Task[list[Relation]] | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        """Write what is still to be written."""
        if kind is None:
            await self._write()
        elif self._sealing:
            self._sealing.cancel()

    async def enter(self, strangers: Sequence[Person]) -> None:
        """Seal a chunk's strangers, and write those of the chunk before."""
        sealing = asyncio.create_task(self._sealer.seal(strangers, {}))
        try:
            await self._write()
        except BaseException:
            sealing.cancel()
            raise
        self._sealing = sealing

    async def _write(self) -> None:
        if self._sealing is None:
            return
        sealing, self._sealing = self._sealing, None
        relations = await sealing
        await people.insert_workers(self._tx, [(r.worker_id, r.profile) for r in relations])
        await people.insert_relations(
            self._tx, self._batch.tenant_id, self._batch.tenant_kind, relations
        )


async def take_out(tx: Tx, worker_ids: Sequence[UUID]) -> None:
    """Take persons out again who were entered by this transaction and are not new after all."""
    if worker_ids:
        await batches.doom_keys(tx, await people.delete_entered(tx, worker_ids))
