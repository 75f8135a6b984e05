"""The first pass of an import: rows checked by a child, spooled whole, looked up as they come."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from services.registry.domain import Wishes
from services.registry.handlers.intake import Intake, job_of, open_file
from services.registry.handlers.spool import Spool
from services.registry.handlers.values import day_of, wishes_of
from services.registry.roster.child import Chunk, ReaderDiedError
from services.registry.roster.reading import Layout
from services.registry.roster.settle import Settled, Standing, settle
from services.registry.store import people
from services.registry.store.batches import Batch
from services.registry.vault import blind_index
from shared.transaction import Tx


@dataclass(slots=True)
class Roster:
    """A batch's rows: whole in the spool, and of each, by its place, what the decision needs."""

    batch: Batch
    spool: Spool
    group_members_max: int
    layout: Layout
    rows: list[Standing] = field(default_factory=list)
    wishes: list[Wishes] = field(default_factory=list)
    hired: list[date | None] = field(default_factory=list)
    other_drives: dict[int, str] = field(default_factory=dict)

    def settle(self) -> list[Settled]:
        """Decide every row by what is known now."""
        return settle(self.rows, group_members_max=self.group_members_max)

    async def look_up(self, tx: Tx, indexes: Sequence[int]) -> None:
        """Look up what the registry knows now of these rows' persons."""
        blinds = list({p for i in indexes if (p := self.rows[i].person)})
        found = await people.find_standings(tx, self.batch.tenant_id, blinds)
        for i in indexes:
            person = self.rows[i].person
            self._note(i, found.get(person) if person else None)

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
        async for chunk in replies:
            if isinstance(chunk, Chunk):
                start = len(roster.rows)
                await asyncio.to_thread(_take_chunk, roster, chunk, index_key, shared)
                await roster.look_up(tx, range(start, len(roster.rows)))
                intake.progress[batch.batch_id] = len(roster.rows)
    return roster


def _take_chunk(
    roster: Roster, chunk: Chunk, index_key: bytes, shared: dict[Wishes, Wishes]
) -> None:
    roster.spool.add(chunk.body)
    for row in chunk.rows:
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
