"""Decides a batch's rows against everybody else's: all is claimed before any is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from services.registry.handlers.column import IdColumn
from services.registry.handlers.entering import take_out
from services.registry.handlers.slices import slices
from services.registry.handlers.taking import Roster
from services.registry.roster.settle import Outcome, Settled
from services.registry.store import nominations, people
from services.registry.store.nominations import Nomination
from shared.transaction import Tx

_SLICE: Final = 10_000
_NOBODY: Final = UUID(int=0)


@dataclass(slots=True)
class Claimed:
    """The decision about a roster; every list is by the row's place in the file.

    `worker_ids` of rows that were accepted or are known; `fresh` where the person is new here;
    `group_ids` by the group's number, once groups are formed.
    """

    roster: Roster
    settled: list[Settled]
    worker_ids: IdColumn
    fresh: bytearray
    group_ids: dict[int, UUID] = field(default_factory=dict)

    def is_entered(self, index: int) -> bool:
        """Whether the row's person was entered on sight, and has stayed."""
        return self.roster.worker_ids[index] is not None

    def nomination(self, index: int) -> Nomination | None:
        """Give the nomination that a row became."""
        nomination_id, worker_id = self.roster.nomination_ids[index], self.worker_ids[index]
        if nomination_id is None or worker_id is None:
            return None
        nomination = self.roster.nomination(index, worker_id, nomination_id)
        place = self.settled[index]
        if place.group is not None and place.group in self.group_ids:
            nomination.group_id = self.group_ids[place.group]
            nomination.group_size = place.group_size
        return nomination


async def claim(tx: Tx, roster: Roster) -> Claimed:
    """Decide every row. Others that bring the same persons wait for this transaction's commit."""
    count = len(roster.rows)
    claimed = Claimed(
        roster=roster,
        settled=await asyncio.to_thread(roster.settle),
        worker_ids=IdColumn(count),
        fresh=bytearray(count),
    )
    await _claim_persons(tx, claimed)
    await _find_persons(tx, claimed)
    await _take_out(tx, claimed)
    if roster.batch.kind == "origin_roster":
        await _nominate(tx, claimed)
    for index, settled in enumerate(claimed.settled):
        if settled.codes:
            roster.faulty[index] = 1
    return claimed


def _accepted(claimed: Claimed) -> list[int]:
    return [i for i, s in enumerate(claimed.settled) if s.outcome is Outcome.ACCEPTED]


async def _claim_persons(tx: Tx, claimed: Claimed) -> None:
    rows = claimed.roster.rows
    order = sorted(_accepted(claimed), key=lambda i: rows[i].person or b"")
    for part in slices(order, _SLICE):
        blinds = [rows[i].person or b"" for i in part]
        new_ids = [claimed.roster.worker_ids[i] or tx.ids.uuid4() for i in part]
        entered = await people.claim_persons(tx, blinds, new_ids)
        for i, worker_id in zip(part, new_ids, strict=True):
            if worker_id in entered:
                claimed.worker_ids[i], claimed.fresh[i] = worker_id, 1


async def _find_persons(tx: Tx, claimed: Claimed) -> None:
    """Find who was there before: persons whom somebody else brought, and known ones."""
    rows, settled = claimed.roster.rows, claimed.settled
    old = [
        i
        for i, row in enumerate(rows)
        if row.person
        and claimed.worker_ids[i] is None
        and (settled[i].outcome is Outcome.ACCEPTED or _is_known(settled[i]))
    ]
    for part in slices(sorted(old, key=lambda i: rows[i].person or b""), _SLICE):
        found = await people.find_worker_ids(tx, [rows[i].person or b"" for i in part])
        for i in part:
            claimed.worker_ids[i] = found.get(rows[i].person or b"")


async def _take_out(tx: Tx, claimed: Claimed) -> None:
    """Take out who was entered on sight and is not new: twice in the file, or just brought."""
    roster = claimed.roster
    old = [(i, w) for i, w in enumerate(roster.worker_ids) if w and w != claimed.worker_ids[i]]
    await take_out(tx, roster.batch, [(w, roster.nomination_ids[i]) for i, w in old])
    for i, _ in old:
        roster.worker_ids[i] = roster.nomination_ids[i] = None
        roster.told[i] = 0


def _is_known(settled: Settled) -> bool:
    return settled.outcome is Outcome.DUPLICATE and "duplicate_in_file" not in settled.codes


async def _nominate(tx: Tx, claimed: Claimed) -> None:
    offers = claimed.roster.nomination_ids
    while True:
        # Whoever was entered on sight is offered without a race: nobody else knows the worker.
        known = [i for i in _accepted(claimed) if claimed.roster.worker_ids[i] is None]
        wanted = [i for i in known if offers[i] is None]
        # Ids compare as the database compares them, and keep no text of themselves for that.
        order = sorted(wanted, key=lambda i: claimed.worker_ids[i] or _NOBODY)
        for part in slices(order, _SLICE):
            await _insert(tx, claimed, part)
        lost = [i for i in wanted if offers[i] is None]
        if not lost:
            return
        # Somebody was faster between our look and our claim: see who, and decide again.
        await claimed.roster.look_up(tx, lost)
        claimed.settled = await asyncio.to_thread(claimed.roster.settle)
        await _find_persons(tx, claimed)


async def _insert(tx: Tx, claimed: Claimed, part: Sequence[int]) -> None:
    offers = claimed.roster.nomination_ids
    for i in part:
        offers[i] = tx.ids.uuid7()
    # They enter without their groups: those are known only when all of them are in.
    new = [n for i in part if (n := claimed.nomination(i))]
    entered = await nominations.insert_nominations(tx, new)
    for i in part:
        if offers[i] not in entered:
            offers[i] = None
