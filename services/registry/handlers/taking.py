"""The first pass of an import: rows are checked by a child, spooled, looked up, and entered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.registry.domain import Wishes
from services.registry.handlers.column import IdColumn
from services.registry.handlers.entering import Entrance, Stranger, take_out
from services.registry.handlers.intake import Intake, job_of, open_file
from services.registry.handlers.sealing import Person, Sealer, profile_in
from services.registry.handlers.spool import Spool
from services.registry.handlers.values import day_of, wishes_of
from services.registry.roster.check import CheckedRow
from services.registry.roster.child import Chunk, ReaderDiedError
from services.registry.roster.groups import travels_alone
from services.registry.roster.issue import FileRefused
from services.registry.roster.reading import Layout
from services.registry.roster.settle import Settled, Standing, settle
from services.registry.store import people
from services.registry.store.batches import Batch
from services.registry.store.nominations import Nomination
from services.registry.vault import blind_index
from shared.transaction import Tx


@dataclass(slots=True)
class Roster:
    """A batch's rows: whole in the spool, and of each, by its place, what the decision needs.

    `worker_ids` are of those whom this transaction has entered on sight, `nomination_ids` of those
    whom it has nominated as well; `told` is 1 where all has been said, `faulty` where an issue is
    to be written.
    """

    batch: Batch
    spool: Spool
    group_members_max: int
    layout: Layout
    rows: list[Standing] = field(default_factory=list)
    wishes: list[Wishes] = field(default_factory=list)
    hired: list[date | None] = field(default_factory=list)
    worker_ids: IdColumn = field(default_factory=IdColumn)
    nomination_ids: IdColumn = field(default_factory=IdColumn)
    told: bytearray = field(default_factory=bytearray)
    faulty: bytearray = field(default_factory=bytearray)
    other_drives: dict[int, str] = field(default_factory=dict)

    def add(self, row: CheckedRow, person: bytes | None, wishes: Wishes) -> None:
        """Add the next row; `person` is the blind index, None where the ID cannot be read."""
        values = row.values
        self.rows.append(
            Standing(
                row=row.row,
                person=person,
                has_error=row.has_error,
                name=values.get("name") or "",
                companions=values.get("companions") or "",
            )
        )
        self.wishes.append(wishes)
        self.hired.append(day_of(values.get("hired_on")))
        self.worker_ids.append()
        self.nomination_ids.append()
        self.told.append(0)
        self.faulty.append(1 if row.faults else 0)

    def settle(self) -> list[Settled]:
        """Decide every row by what is known now."""
        return settle(self.rows, group_members_max=self.group_members_max)

    def entered(self) -> list[tuple[UUID, UUID | None]]:
        """Give whom this transaction has entered on sight, each with the nomination if it has."""
        both = zip(self.worker_ids, self.nomination_ids, strict=True)
        return [(worker_id, nomination_id) for worker_id, nomination_id in both if worker_id]

    def is_open(self, rows: range) -> bool:
        """Whether something is still to be done for one of these rows."""
        span = (rows.start, rows.stop)
        return self.told.find(0, *span) >= 0 or self.faulty.find(1, *span) >= 0

    def nomination(self, index: int, worker_id: UUID, nomination_id: UUID) -> Nomination:
        """Give the nomination that a row asks for, of somebody who travels alone."""
        batch, told = self.batch, self.wishes[index]
        return Nomination(
            nomination_id=nomination_id,
            worker_id=worker_id,
            office_id=batch.tenant_id,
            batch_id=batch.batch_id,
            drive_id=batch.drive_id,
            wishes=Wishes(
                available_from=told.available_from or batch.submitted_on,
                boarding_place_code=told.boarding_place_code,
                needs_bed=bool(told.needs_bed),
            ),
        )

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
    """Read a batch's file. Raises `FileRefused`, `ReaderDiedError`, and then nobody is entered."""
    data = await open_file(tx, intake, batch)
    replies = intake.readers.rows(data, await job_of(tx, intake, batch))
    del data
    async with contextlib.aclosing(replies):
        layout = await anext(replies)
        if not isinstance(layout, Layout):
            raise ReaderDiedError
        roster = Roster(batch, spool, intake.limits.group_members_max, layout)
        try:
            await _take_all(tx, intake, roster, (c async for c in replies if isinstance(c, Chunk)))
        except (FileRefused, ReaderDiedError):
            await take_out(tx, batch, roster.entered())
            raise
    return roster


async def _take_all(tx: Tx, intake: Intake, roster: Roster, chunks: AsyncIterator[Chunk]) -> None:
    batch, index_key = roster.batch, await intake.vault.index_key()
    # Most rows of a roster wish the same: they share one object.
    shared: dict[Wishes, Wishes] = {}
    async with Entrance(tx, Sealer(intake.vault, tx.ids, batch, roster.layout), batch) as entrance:
        async for chunk in chunks:
            start = len(roster.rows)
            rows = await asyncio.to_thread(_take_chunk, roster, chunk, index_key, shared)
            # What was entered before is written meanwhile, over the same connection.
            await entrance.written()
            known = await roster.look_up(tx, range(start, len(roster.rows)))
            entrance.enter(_strangers(tx, roster, enumerate(rows, start), known))
            intake.progress[batch.batch_id] = len(roster.rows)


def _take_chunk(
    roster: Roster, chunk: Chunk, index_key: bytes, shared: dict[Wishes, Wishes]
) -> list[CheckedRow]:
    rows = chunk.rows
    roster.spool.add(chunk.body, range(len(roster.rows), len(roster.rows) + len(rows)))
    for row in rows:
        number, wishes = row.values.get("resident_id"), wishes_of(row.values)
        person = blind_index(index_key, number) if number else None
        roster.add(row, person, shared.setdefault(wishes, wishes))
    return rows


def _strangers(
    tx: Tx, roster: Roster, rows: Iterable[tuple[int, CheckedRow]], known: set[bytes]
) -> list[Stranger]:
    """Give whom nobody has brought before, each under a new worker id.

    Who travels alone is nominated at once; of the others the group is not known yet.
    """
    strangers: list[Stranger] = []
    is_roster = roster.batch.kind == "origin_roster"
    for index, row in rows:
        standing = roster.rows[index]
        if standing.person and not standing.has_error and standing.person not in known:
            worker_id = roster.worker_ids[index] = tx.ids.uuid4()
            profile = profile_in(roster.batch, row, accepted=True)
            person = Person(index, row, worker_id, profile, accepted=True, fresh=True)
            nomination = None
            if is_roster and travels_alone(standing.companions):
                nomination_id = roster.nomination_ids[index] = tx.ids.uuid7()
                nomination = roster.nomination(index, worker_id, nomination_id)
                roster.told[index] = 1
            strangers.append(Stranger(person, nomination))
    return strangers
