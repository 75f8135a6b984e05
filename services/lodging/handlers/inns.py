"""Inns open, beds go out of service and come back; guests whose beds are gone move by rule."""

from datetime import date
from uuid import UUID

from contracts.lodging import InnCapacityChanged
from services.lodging.domain.calendar import civil_date
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.moving import Move, movable, relocate
from services.lodging.store import houses
from services.lodging.store import stays as store
from services.lodging.store.houses import Closure, NewInn
from shared.problem import NotFound, Problem
from shared.transaction import Tx


async def open_inn(tx: Tx, inn: NewInn) -> None:
    """Open an inn with all its rooms and beds; the waitlist is asked right after this commit."""
    await store.lock_allocation(tx)
    if not await houses.insert_inn(tx, inn):
        raise Problem(409, "already_there", "客栈已存在。There is an inn of this id.")
    await _say_capacity(tx, inn.inn_id, civil_date(tx.now), None)
    await _free(tx)


async def close_beds(tx: Tx, closure: Closure, until: date | None) -> list[UUID]:
    """Take beds out of service; give the ids of the periods.

    Guests move to other beds, their own inn first. Who isn't in house and finds none waits, before
    all who asked later; who is in house and finds none keeps the bed: nobody is put out by a batch.
    """
    await store.lock_allocation(tx)
    known = {
        b.bed_id
        for b in await houses.load_bed_places(tx, closure.bed_ids)
        if b.inn_id == closure.inn_id
    }
    if not set(closure.bed_ids) <= known:
        raise NotFound
    periods = await houses.insert_closures(tx, closure)
    desk = Desk(tx)
    hit = await store.list_stays_in_beds(tx, closure.bed_ids, closure.nights)
    moves = [Move(s, s.nights, "bed_out_of_service") for s in hit if movable(desk, s)]
    await relocate(desk, moves)
    await _say_capacity(tx, closure.inn_id, closure.nights.check_in_on, until)
    return periods


async def reopen_bed(tx: Tx, inn_id: UUID, period_id: UUID) -> None:
    """Put a bed back into service."""
    await store.lock_allocation(tx)
    if not await houses.end_closure(tx, inn_id, period_id):
        raise NotFound
    await _say_capacity(tx, inn_id, civil_date(tx.now), None)
    await _free(tx)


async def _free(tx: Tx) -> None:
    await store.update_freed(tx, freed=True)
    tx.wake("settle")


async def _say_capacity(tx: Tx, inn_id: UUID, since: date, until: date | None) -> None:
    town = await houses.find_town(tx, inn_id)
    if town is None:
        raise NotFound
    beds = await houses.count_beds(tx, inn_id, since)
    tx.say(
        InnCapacityChanged(inn_id=inn_id, town=town, beds=beds, from_on=since, to_on=until),
        tenant_id=None,
    )
