"""Imports a batch: read, decide, write, say, in one transaction, so that each row counts once."""

from collections import Counter
from typing import Final

from contracts.registry import WorkerBatchRejected, WorkerBatchValidated
from services.registry.domain import Counts
from services.registry.handlers.claiming import Claimed, claim
from services.registry.handlers.grouping import form_groups
from services.registry.handlers.intake import Intake
from services.registry.handlers.issuebook import IssueBook, Teller
from services.registry.handlers.spool import Spool
from services.registry.handlers.submitting import owner_fields
from services.registry.handlers.taking import Roster, take_rows
from services.registry.handlers.writing import ChunkWriter
from services.registry.roster.check import CheckedRow
from services.registry.roster.child import ReaderDiedError
from services.registry.roster.issue import FileRefused, Issue
from services.registry.roster.settle import Outcome
from services.registry.roster.told import issues_of
from services.registry.store import batches
from services.registry.store.batches import Batch, Finish
from shared.problem import AWAY
from shared.transaction import Tx

#: How often a batch is tried before it is given back unread.
ATTEMPTS_MAX: Final = 3


async def import_batch(tx: Tx, intake: Intake, byte_count_max: int) -> int:
    """Import the oldest batch of at most this size, if there is one; give how many (0 or 1).

    All of it is one commit: killed at any point, it has not begun, and the next one begins again.
    """
    batch = await batches.take_batch(tx, byte_count_max)
    if batch is None:
        return 0
    if intake.failures[batch.batch_id] >= ATTEMPTS_MAX:
        await _give_back(
            tx, batch, FileRefused("bad_archive", "多次读取失败，请重新另存后再提交。")
        )
        return 1
    try:
        await _import(tx, intake, batch)
    except AWAY:
        # What passes by itself is no fault of the file.
        raise
    except Exception:
        intake.failures[batch.batch_id] += 1
        raise
    else:
        intake.failures.pop(batch.batch_id, None)
    finally:
        intake.progress.pop(batch.batch_id, None)
    return 1


async def _import(tx: Tx, intake: Intake, batch: Batch) -> None:
    with Spool() as spool:
        try:
            roster = await take_rows(tx, intake, batch, spool)
        except FileRefused as refused:
            await _give_back(tx, batch, refused)
        except ReaderDiedError:
            await _give_back(tx, batch, FileRefused("too_many_cells", "文件过于复杂，无法读取。"))
        else:
            await _decide_and_write(tx, intake, roster)


async def _decide_and_write(tx: Tx, intake: Intake, roster: Roster) -> None:
    claimed = await claim(tx, roster)
    if roster.batch.kind == "origin_roster":
        await form_groups(tx, claimed)
    book = IssueBook(roster.batch)
    await book.write(tx, roster.layout.notices)
    tell = _teller(claimed)
    async with ChunkWriter(tx, intake, claimed) as writer:
        for start, chunk in roster.spool.chunks(roster.is_open):
            await writer.write(start, chunk)
            await book.write_rows(tx, tell, start, chunk)
            await tx.set_aside()
    await _finish(tx, claimed, book)


def _teller(claimed: Claimed) -> Teller:
    roster = claimed.roster

    def tell(index: int, row: CheckedRow) -> tuple[list[Issue], bool]:
        settled = claimed.settled[index]
        other_drive = roster.other_drives.get(index)
        issues = issues_of(row, settled, roster.layout, other_drive)
        return issues, settled.outcome is Outcome.ACCEPTED

    return tell


async def _finish(tx: Tx, claimed: Claimed, book: IssueBook) -> None:
    outcomes = Counter(s.outcome for s in claimed.settled)
    counts = Counts(
        accepted=outcomes[Outcome.ACCEPTED],
        rejected=outcomes[Outcome.REJECTED],
        duplicate=outcomes[Outcome.DUPLICATE],
        warnings=book.warning_count,
        groups=len(claimed.group_ids),
    )
    elsewhere = any("already_nominated" in s.codes for s in claimed.settled)
    nominated_count = sum(1 for i in claimed.roster.nomination_ids if i)
    finish = Finish(counts, counts.state, nominated_count, elsewhere)
    await _end(tx, claimed.roster.batch, finish)


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
    issue = Issue(None, None, None, None, refused.code, "error", refused.told)
    await IssueBook(batch).write(tx, [issue])
    await _end(tx, batch, Finish(Counts(0, 0, 0, 0), "rejected", 0, had_already_nominated=False))
