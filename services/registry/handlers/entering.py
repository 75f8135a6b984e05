"""Enters strangers while their roster is still being read; who is not new is taken out again."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple, Self
from uuid import UUID

from services.registry.handlers.beside import beside
from services.registry.handlers.saying import say_nominated, say_registered
from services.registry.handlers.sealing import Person, Sealer
from services.registry.store import batches, strangers
from services.registry.store.batches import Batch
from services.registry.store.nominations import Nomination
from shared.transaction import Tx

# So many persons are told of before others' work has its turn.
_TOLD_AT_ONCE: Final = 200


class Stranger(NamedTuple):
    """Somebody whom nobody brought before, with the nomination, if all of that is known already."""

    person: Person
    nomination: Nomination | None


class Entrance:
    """Takes strangers in chunk by chunk: one is written while the next one is read.

    `async with`: at the end all is written, on an error too: the transaction can go on.
    """

    def __init__(self, tx: Tx, sealer: Sealer, batch: Batch) -> None:
        self._tx = tx
        self._sealer = sealer
        self._batch = batch
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        await strangers.check_references(self._tx, at_once=True)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what is still to be written; nothing more when it is cancelled."""
        if self._writing and kind and not issubclass(kind, Exception):
            self._writing.cancel()
        await self.written()
        if kind is None:
            await strangers.check_references(self._tx, at_once=False)

    def enter(self, chunk: Sequence[Stranger]) -> None:
        """Begin to write a chunk's strangers; the transaction is taken until `written`."""
        self._writing = asyncio.create_task(self._write(chunk))

    async def written(self) -> None:
        """Wait until the chunk before is written."""
        writing, self._writing = self._writing, None
        if writing:
            await writing

    async def _write(self, chunk: Sequence[Stranger]) -> None:
        """Tell here and seal in a thread, with the database at work meanwhile."""
        if not chunk:
            return
        async with beside(self._sealer.seal([s.person for s in chunk], {})) as sealing:
            await self._tell(chunk)
            await self._tx.set_aside()
            copies = await sealing
            await strangers.enter_strangers(
                self._tx,
                self._batch,
                ((s.person.row.row, c, s.nomination) for s, c in zip(chunk, copies, strict=True)),
            )

    async def _tell(self, chunk: Sequence[Stranger]) -> None:
        for count, (person, nomination) in enumerate(chunk, 1):
            if nomination:
                say_registered(self._tx, person.worker_id, person.profile)
                say_nominated(self._tx, nomination, person.profile)
            if count % _TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)


async def take_out(tx: Tx, batch: Batch, entered: Sequence[tuple[UUID, UUID | None]]) -> None:
    """Take persons out again who were entered by this transaction and are not new after all.

    Each with the nomination, if there is one: then both were told of.
    """
    if not entered:
        return
    told = [(w, n) for w, n in entered if n]
    await tx.unsay([f"nomination/{n}" for _, n in told] + [f"worker/{w}" for w, _ in told])
    keys = await strangers.delete_strangers(tx, batch, [w for w, _ in entered])
    await batches.doom_keys(tx, keys)
