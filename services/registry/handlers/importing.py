"""Imports a batch: read, decide, write, say, in one transaction, so that each row counts once."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from contracts.registry import WorkerBatchRejected, WorkerBatchValidated
from services.registry.domain import Counts, Wishes
from services.registry.handlers.claiming import Claimed, claim
from services.registry.handlers.intake import Intake, job_of, open_file
from services.registry.handlers.issuebook import IssueBook, Teller
from services.registry.handlers.spool import Spool
from services.registry.handlers.submitting import owner_fields
from services.registry.handlers.values import day_of, wishes_of
from services.registry.handlers.writing import ChunkWriter
from services.registry.roster.check import CheckedRow
from services.registry.roster.child import ReaderDiedError
from services.registry.roster.issue import FileRefused, Issue
from services.registry.roster.reading import Layout
from services.registry.roster.settle import Outcome, Standing
from services.registry.roster.told import issues_of
from services.registry.store import batches, people
from services.registry.store.batches import Batch, Finish
from services.registry.vault import blind_index
from shared.transaction import Tx

#: How often a batch is tried before it is given back unread.
ATTEMPTS_MAX: Final = 3


@dataclass(slots=True)
class Roster:
    """What the first pass leaves: whole rows in the spool, and of each what the decision needs."""

    spool: Spool
    layout: Layout | None = None
    rows: list[Standing] = field(default_factory=list)
    wishes: list[Wishes] = field(default_factory=list)
    hired: list[date | None] = field(default_factory=list)
    other_drives: dict[int, str] = field(default_factory=dict)


async def import_batch(tx: Tx, intake: Intake, byte_count_max: int) -> int:
    """Import the oldest batch of at most this size, if there is one; give how many (0 or 1).

    All of it is one commit: killed at any point, it has not begun, and the next one begins again.
    """
    batch = await batches.take_batch(tx, byte_count_max)
    if batch is None:
        return 0
    intake.failures[batch.batch_id] += 1
    if intake.failures[batch.batch_id] > ATTEMPTS_MAX:
        refused = FileRefused("bad_archive", "多次读取失败，请重新另存后再提交。")
        await _give_back(tx, batch, refused)
        return 1
    with Spool() as spool:
        try:
            roster = await _read(tx, intake, batch, Roster(spool))
        except FileRefused as refused:
            await _give_back(tx, batch, refused)
        except ReaderDiedError:
            await _give_back(tx, batch, FileRefused("too_many_cells", "文件过于复杂，无法读取。"))
        else:
            await _decide_and_write(tx, intake, batch, roster)
    intake.progress.pop(batch.batch_id, None)
    del intake.failures[batch.batch_id]
    return 1


async def _read(tx: Tx, intake: Intake, batch: Batch, roster: Roster) -> Roster:
    data = await open_file(tx, intake, batch)
    index_key = await intake.vault.index_key()
    job = await job_of(tx, intake, batch)
    async with contextlib.aclosing(intake.readers.rows(data, job)) as replies:
        async for reply in replies:
            if isinstance(reply, Layout):
                roster.layout = reply
                continue
            start = len(roster.rows)
            await asyncio.to_thread(_take_chunk, roster, reply, index_key)
            await refresh_standings(tx, batch, roster, range(start, len(roster.rows)))
            intake.progress[batch.batch_id] = len(roster.rows)
    return roster


def _take_chunk(roster: Roster, chunk: list[CheckedRow], index_key: bytes) -> None:
    roster.spool.add(chunk)
    for row in chunk:
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
        roster.wishes.append(wishes_of(values))
        roster.hired.append(day_of(values.get("hired_on")))


async def refresh_standings(
    tx: Tx, batch: Batch, roster: Roster, indexes: "range | list[int]"
) -> None:
    """Look up what the registry knows now of these rows' persons."""
    blinds = list({p for i in indexes if (p := roster.rows[i].person)})
    found = await people.find_standings(tx, batch.tenant_id, blinds)
    for i in indexes:
        row = roster.rows[i]
        standing = found.get(row.person) if row.person else None
        row.known = row.elsewhere = False
        if standing is None:
            continue
        if batch.kind == "new_hires":
            row.known = standing.hired_on is not None and standing.hired_on == roster.hired[i]
        elif standing.office_id is not None:
            row.known = standing.office_id == batch.tenant_id
            row.elsewhere = not row.known
            if row.known and batch.drive_id and standing.drive_id != batch.drive_id:
                title = standing.drive_title
                roster.other_drives[i] = f"“{title}”" if title else ""


async def _decide_and_write(tx: Tx, intake: Intake, batch: Batch, roster: Roster) -> None:
    if roster.layout is None:
        raise ReaderDiedError
    refresh = _refresher(tx, batch, roster)
    claimed = await claim(tx, batch, roster.rows, roster.wishes, refresh)
    book = IssueBook(batch)
    await book.write(tx, roster.layout.notices)
    writer = ChunkWriter(tx, intake, batch, claimed, roster.layout)
    tell = _teller(roster, claimed)
    start = 0
    for chunk in roster.spool.chunks():
        await writer.write(start, chunk)
        await book.write_rows(tx, tell, start, chunk)
        start += len(chunk)
        # What was said goes into the outbox now: memory stays flat, and the commit is still one.
        await tx.flush()
    await _finish(tx, batch, claimed, book)


def _teller(roster: Roster, claimed: Claimed) -> Teller:
    layout = roster.layout
    if layout is None:
        raise ReaderDiedError

    def tell(index: int, row: CheckedRow) -> tuple[list[Issue], bool]:
        settled = claimed.settled[index]
        other_drive = roster.other_drives.get(index)
        return issues_of(row, settled, layout, other_drive), settled.outcome is Outcome.ACCEPTED

    return tell


def _refresher(tx: Tx, batch: Batch, roster: Roster) -> Any:  # noqa: ANN401 (a closure)
    async def refresh(indexes: list[int]) -> None:
        await refresh_standings(tx, batch, roster, indexes)

    return refresh


async def _finish(tx: Tx, batch: Batch, claimed: Claimed, book: IssueBook) -> None:
    outcomes = Counter(s.outcome for s in claimed.settled)
    counts = Counts(
        accepted=outcomes[Outcome.ACCEPTED],
        rejected=outcomes[Outcome.REJECTED],
        duplicate=outcomes[Outcome.DUPLICATE],
        warnings=book.warning_count,
        groups=len(claimed.group_ids),
    )
    elsewhere = any("already_nominated" in s.codes for s in claimed.settled)
    await _end(tx, batch, Finish(counts, counts.state, len(claimed.nominations), elsewhere))


async def _end(tx: Tx, batch: Batch, finish: Finish) -> None:
    await batches.finish_batch(tx, batch.batch_id, finish)
    counts = finish.counts
    numbers = {
        "row_count": counts.rows,
        "accepted_count": counts.accepted,
        "rejected_count": counts.rejected,
        "duplicate_count": counts.duplicate,
        "warning_count": counts.warnings,
    }
    owner = owner_fields(batch)
    if finish.state == "rejected":
        tx.say(
            WorkerBatchRejected(batch_id=batch.batch_id, **owner, **numbers),
            tenant_id=batch.tenant_id,
        )
        return
    more = {"nominated_count": finish.nominated_count, "group_count": counts.groups}
    tx.say(
        WorkerBatchValidated(batch_id=batch.batch_id, **owner, **numbers, **more),
        tenant_id=batch.tenant_id,
    )


async def _give_back(tx: Tx, batch: Batch, refused: FileRefused) -> None:
    """Reject a batch whose file could be looked at, but not be read to its end."""
    issue = Issue(None, None, None, None, refused.code, "error", refused.detail)
    await IssueBook(batch).write(tx, [issue])
    await _end(tx, batch, Finish(Counts(0, 0, 0, 0), "rejected", 0, had_already_nominated=False))
