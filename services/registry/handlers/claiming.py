"""Decides a batch's rows against everybody else's: all is claimed before any is told."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

from services.registry.domain import Wishes
from services.registry.roster.settle import Outcome, Settled, Standing, settle
from services.registry.store import nominations, people
from services.registry.store.batches import Batch
from services.registry.store.nominations import Nomination
from shared.transaction import Tx

_SLICE: Final = 10_000
GROUP_MEMBERS_MAX: Final = 20

T = TypeVar("T")
Refresh = Callable[[list[int]], Awaitable[None]]


@dataclass(slots=True)
class Claimed:
    """The decision: each row's outcome, person and nomination; by the row's place in the file."""

    settled: list[Settled]
    workers: dict[bytes, UUID]
    fresh: set[UUID]
    rows: list[Standing]
    nominations: dict[int, Nomination] = field(default_factory=dict)
    group_ids: dict[int, UUID] = field(default_factory=dict)

    def worker_of(self, index: int) -> UUID | None:
        """The person of a row that was accepted or is known."""
        person = self.rows[index].person
        return self.workers.get(person) if person else None


async def claim(
    tx: Tx, batch: Batch, rows: list[Standing], wishes: Sequence[Wishes], refresh: Refresh
) -> Claimed:
    """Decide every row. Others that bring the same persons wait for this transaction's commit."""
    settled = await _settled(rows)
    fresh = await _claim_persons(tx, rows, settled)
    claimed = Claimed(settled, await _find_workers(tx, rows), fresh, rows)
    if batch.kind == "origin_roster":
        await _nominate(tx, batch, claimed, wishes, refresh)
    return claimed


async def _settled(rows: list[Standing]) -> list[Settled]:
    return await asyncio.to_thread(settle, rows, group_members_max=GROUP_MEMBERS_MAX)


async def _claim_persons(tx: Tx, rows: list[Standing], settled: list[Settled]) -> set[UUID]:
    accepted = sorted(
        row.person
        for row, s in zip(rows, settled, strict=True)
        if s.outcome is Outcome.ACCEPTED and row.person
    )
    fresh: set[UUID] = set()
    for part in _slices(accepted):
        fresh |= await people.claim_persons(tx, part, [tx.ids.uuid4() for _ in part])
    return fresh


async def _find_workers(tx: Tx, rows: list[Standing]) -> dict[bytes, UUID]:
    found: dict[bytes, UUID] = {}
    for part in _slices(sorted({r.person for r in rows if r.person and not r.has_error})):
        found |= await people.find_worker_ids(tx, part)
    return found


async def _nominate(
    tx: Tx, batch: Batch, claimed: Claimed, wishes: Sequence[Wishes], refresh: Refresh
) -> None:
    while True:
        wanted = [
            i
            for i, s in enumerate(claimed.settled)
            if s.outcome is Outcome.ACCEPTED and i not in claimed.nominations
        ]
        new = [_nomination(tx, batch, claimed, i, wishes[i]) for i in wanted]
        order = sorted(zip(new, wanted, strict=True), key=lambda pair: pair[0].worker_id)
        for part in _slices(order):
            entered = await nominations.insert_nominations(tx, [n for n, _ in part])
            claimed.nominations |= {i: n for n, i in part if n.nomination_id in entered}
        lost = [i for i in wanted if i not in claimed.nominations]
        if not lost:
            break
        # Somebody was faster between our look and our claim: see who, and decide again.
        await refresh(lost)
        claimed.settled = await _settled(claimed.rows)
    await _group(tx, claimed)


def _nomination(tx: Tx, batch: Batch, claimed: Claimed, index: int, told: Wishes) -> Nomination:
    worker_id = claimed.worker_of(index)
    if worker_id is None:
        raise LookupError("an accepted row has its person")
    return Nomination(
        nomination_id=tx.ids.uuid7(),
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


async def _group(tx: Tx, claimed: Claimed) -> None:
    members = []
    for i, nomination in claimed.nominations.items():
        place = claimed.settled[i]
        if place.group is not None:
            group_id = claimed.group_ids.setdefault(place.group, tx.ids.uuid7())
            nomination.group_id, nomination.group_size = group_id, place.group_size
            members.append(nomination)
    for part in _slices(members):
        await nominations.update_groups(tx, part)


def _slices(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[i : i + _SLICE] for i in range(0, len(items), _SLICE))
