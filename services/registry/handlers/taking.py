"""The first pass of an import: rows are checked by a child, spooled, looked up, and entered."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.registry.domain import Wishes
from services.registry.handlers.entering import Entrance
from services.registry.handlers.intake import Intake, job_of, open_file
from services.registry.handlers.sealing import Person, Sealer
from services.registry.handlers.spool import Spool
from services.registry.handlers.values import day_of, wishes_of
from services.registry.roster.check import CheckedRow
from services.registry.roster.child import Chunk, ReaderDiedError
from services.registry.roster.reading import Layout
from services.registry.roster.settle import Settled, Standing, settle
from services.registry.store import people
from services.registry.store.batches import Batch
from services.registry.vault import blind_index
from shared.transaction import Tx


@dataclass(slots=True)
class Roster:
    """A batch's rows: whole in the spool, and of each, by its place, what the decision needs.

    `entered` are the workers whose copies this transaction has written already.
    """

    batch: Batch
    spool: Spool
    group_members_max: int
    layout: Layout
    rows: list[Standing] = field(default_factory=list)
    wishes: list[Wishes] = field(default_factory=list)
    hired: list[date | None] = field(default_factory=list)
    entered: list[UUID | None] = field(default_factory=list)
    other_drives: dict[int, str] = field(default_factory=dict)

    def settle(self) -> list[Settled]:
        """Decide every row by what is known now."""
        return settle(self.rows, group_members_max=self.group_members_max)

    async def look_up(self, tx: Tx, indexes: Sequence[int]) -> set[bytes]:
        """Look up what the registry knows now of these rows' persons; give whom it knows."""
        blinds = list({p for i in indexes if (p := self.rows[i].person)})
        found = await people.find_standings(tx, self.batch.tenant_id, blinds)
        for i in indexes:
            person = self.rows[i].person
            self._note(i, found.get(person) if person else None)
        return set(found)

    def _note(self, index: int, known: people.Standing | None) -> None:
        row = self.rows[index]
        row.known = row.elsewhere = False
        if known is None:
            return
        if self.batch.kind == "new_hires":
            row.known = known.hired_on is not None and known.hired_on == self.hired[index]
        elif known.office_id is not None:
            row.known = known.office_id == self.batch.tenant_id
            row.elsewhere = not row.known
            if row.known and self.batch.drive_id and known.drive_id != self.batch.drive_id:
                title = known.drive_title
                self.other_drives[index] = f"“{title}”" if title else ""


async def take_rows(tx: Tx, intake: Intake, batch: Batch, spool: Spool) -> Roster:
    """Read a batch's file. Raises `FileRefused`, `ReaderDiedError`."""
    data = await open_file(tx, intake, batch)
    index_key = await intake.vault.index_key()
    replies = intake.readers.rows(data, await job_of(tx, intake, batch))
    del data
    async with contextlib.aclosing(replies):
        layout = await anext(replies)
        if not isinstance(layout, Layout):
            raise ReaderDiedError
        roster = Roster(batch, spool, intake.limits.group_members_max, layout)
        # Most rows of a roster wish the same: they share one object.
        shared: dict[Wishes, Wishes] = {}
        async with Entrance(tx, Sealer(intake.vault, tx.ids, batch, layout), batch) as entrance:
            async for chunk in replies:
                if isinstance(chunk, Chunk):
                    start = len(roster.rows)
                    rows = await asyncio.to_thread(_take_chunk, roster, chunk, index_key, shared)
                    known = await roster.look_up(tx, range(start, len(roster.rows)))
                    await entrance.enter(_strangers(tx, roster, start, rows, known))
                    intake.progress[batch.batch_id] = len(roster.rows)
    return roster


def _take_chunk(
    roster: Roster, chunk: Chunk, index_key: bytes, shared: dict[Wishes, Wishes]
) -> list[CheckedRow]:
    roster.spool.add(chunk.body)
    rows = chunk.rows
    for row in rows:
        values = row.values
        number = values.get("resident_id")
        roster.rows.append(
            Standing(
                row=row.row,
                person=blind_index(index_key, number) if number else None,
                has_error=row.has_error,
                name=values.get("name") or "",
                companions=values.get("companions") or "",
            )
        )
        wishes = wishes_of(values)
        roster.wishes.append(shared.setdefault(wishes, wishes))
        roster.hired.append(day_of(values.get("hired_on")))
    return rows


def _strangers(
    tx: Tx, roster: Roster, start: int, rows: Sequence[CheckedRow], known: set[bytes]
) -> list[Person]:
    """Give whom nobody has brought before, each under a new worker id."""
    strangers: list[Person] = []
    for index, row in enumerate(rows, start):
        standing = roster.rows[index]
        worker_id = None
        if standing.person and not standing.has_error and standing.person not in known:
            worker_id = tx.ids.uuid4()
            strangers.append(Person(index, row, worker_id, accepted=True, fresh=True))
        roster.entered.append(worker_id)
    return strangers
