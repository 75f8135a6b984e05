"""The seats' single writer: settles what was heard about placements, then books from the pool."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from services.transport.domain.booking import Booking, BookingState, ReleaseReason
from services.transport.domain.demand import Demand, seat_for
from services.transport.domain.pool import Allocation, Timetable, Unit, Wish, allocate
from services.transport.domain.settle import Fate, fate_of
from services.transport.domain.trip import Seat, TripState
from services.transport.handlers.desk import Desk
from services.transport.handlers.saying import because
from services.transport.store import bookings as store
from services.transport.store.bookings import Waiting
from services.transport.store.due import Due, list_overdue_cities, take_due
from services.transport.store.placements import find_group_sizes
from shared.clock import real_now
from shared.transaction import Cause, Tx

Why = Callable[[Waiting], Cause | None]
NOTES_MAX: Final = 5_000
# Real time that a group waits for members who aren't in yet.
GROUP_WAIT: Final = timedelta(seconds=20)


async def run_seats(tx: Tx) -> int:
    """Settle and book what is due in one transaction; give how much there was to look at."""
    due = await take_due(tx, NOTES_MAX)
    cities = {*due.cities, *await list_overdue_cities(tx, GROUP_WAIT)}
    workers = list(due.workers)
    trip_ids, theirs = await store.find_places(tx, workers) if workers else (set(), set())
    cities |= theirs
    if not cities:
        return due.count
    desk = await Desk.open(tx, trip_ids, cities)
    pooled = await settle(desk, due) if workers else []
    done = await fill(desk, sorted(cities), pooled, why=partial(_why, due))
    await desk.flush()
    return due.count + done


def _why(due: Due, one: Waiting) -> Cause | None:
    """Say what a seat or its lack answers to: news of the person, the wish, or of the trips."""
    booking = one.booking
    if news := due.workers.get(booking.worker_id):
        return because(news)
    wish = booking.origin if booking.state is BookingState.POOLED else None
    return because(wish or due.cities.get(one.demand.city))


async def settle(desk: Desk, due: Due) -> list[Waiting]:
    """Bring these persons' bookings in line with their placements; give those newly in the pool.

    Who gives up a seat makes the destination due for the others.
    """
    workers = due.workers
    live = await store.load_live_of_workers(desk.tx, list(workers))
    moving: list[tuple[Waiting, Fate]] = []
    for one in live:
        fate = fate_of(one.booking, one.demand, desk.trip_of(one.booking), desk.tx.now)
        if fate is not Fate.KEEP:
            due.cities.setdefault(one.demand.city, workers[one.booking.worker_id])
        if fate in (Fate.RESEAT, Fate.RENEW):
            moving.append((one, fate))
        elif fate is not Fate.KEEP:
            desk.release(one.booking, _REASONS[fate], because(workers[one.booking.worker_id]))
    # After all releases, so that a seat given up in the same moment can be taken.
    pooled = [
        _moved(desk, one, fate, because(workers[one.booking.worker_id])) for one, fate in moving
    ]
    return [p for p in pooled if p is not None]


_REASONS: Final[dict[Fate, ReleaseReason]] = {
    Fate.CANCELLED: "cancelled",
    Fate.CHANGED: "changed",
    Fate.ERASED: "erased",
}


def _moved(desk: Desk, one: Waiting, fate: Fate, cause: Cause | None) -> Waiting | None:
    """Find another seat in the same step; give the new booking that has to wait, if any."""
    booking, demand = one.booking, one.demand
    found = _another_seat(desk, booking, demand)
    if fate is Fate.RESEAT and found is not None:
        trip_id, seat = found
        if (trip_id, seat) != (booking.trip_id, booking.seat):
            _recount(desk, booking, trip_id, [seat])
            desk.change(booking, trip_id, seat, cause)
        return None
    new = desk.replace(booking, demand, "changed", cause)
    if found is None:
        return Waiting(new, demand)
    desk.rides[found[0]].take([found[1]])
    desk.book(new, *found, cause)
    return None


def _another_seat(desk: Desk, booking: Booking, demand: Demand) -> tuple[UUID, Seat] | None:
    """Find the seat that a changed placement needs: same trip first, else the earliest open."""
    own = desk.rides.get(booking.trip_id) if booking.trip_id else None
    seat = booking.seat
    if own is not None and seat is not None:
        wanted = seat_for(own.trip, demand, desk.tx.now)
        if wanted is not None:
            own.load.give_back([seat])
            fits = own.load.fits([wanted])
            own.load.take([seat])
            return own.trip.trip_id, wanted if fits else seat
    unit = Unit((Wish(booking.booking_id, booking.pooled_at, demand),))
    for ride, seats in Timetable(desk.coming(), desk.tx.now).serving(unit):
        if ride.trip.state is TripState.OPEN and ride.load.fits(seats):
            return ride.trip.trip_id, seats[0]
    return None


def _recount(desk: Desk, booking: Booking, trip_id: UUID, seats: Sequence[Seat]) -> None:
    old = desk.rides.get(booking.trip_id) if booking.trip_id else None
    if old is not None and booking.seat is not None:
        old.load.give_back([booking.seat])
        old.booked_count -= 1
    desk.rides[trip_id].take(seats)


def _command(_: Waiting) -> None:
    """Nothing but the command at work is the cause."""


async def fill(
    desk: Desk,
    cities: Sequence[str],
    pooled: Sequence[Waiting] = (),
    *,
    stranded: bool = False,
    why: Why = _command,
) -> int:
    """Book the pool of locked destinations on their trips, and tell the others why they wait.

    `pooled` are bookings made in this transaction; `stranded` ones, of a cancelled trip, wait for
    `no_trip` when no sister takes them; `why` names the cause of each one's answer. Gives how many
    got a seat or another reason.
    """
    waiting = [
        w for w in await store.load_waiting(desk.tx, cities) if not desk.has_touched(w.booking)
    ]
    # Who had a seat a moment ago doesn't wait for members that come in late.
    ready = {w.booking.group_id for w in pooled}
    units = await _units(desk, [*waiting, *pooled], ready)
    outcome = allocate(desk.coming(), units.values(), desk.tx.now)
    by_id = {w.booking.booking_id: w for w in (*waiting, *pooled)}
    causes = {i: why(w) for i, w in by_id.items()}
    await desk.say_opened({t: _filled_by(t, outcome, causes) for t in outcome.opened})
    if stranded:
        left = outcome.waiting.keys() & {w.booking.booking_id for w in pooled}
        outcome.waiting.update(dict.fromkeys(left, "no_trip"))
    for booking_id, (trip_id, seat) in outcome.seated.items():
        desk.book(by_id[booking_id].booking, trip_id, seat, causes[booking_id])
    told = [
        desk.waitlist(by_id[i].booking, reason, causes[i]) for i, reason in outcome.waiting.items()
    ]
    return len(outcome.seated) + sum(told)


def _filled_by(
    trip_id: UUID, outcome: Allocation, causes: Mapping[UUID, Cause | None]
) -> Cause | None:
    """Give what brought the last one of those with whom a trip opened: ids rise with time."""
    last = max((i for i, (t, _) in outcome.seated.items() if t == trip_id), default=None)
    return causes[last] if last else None


async def _units(
    desk: Desk, waiting: Iterable[Waiting], ready: Container[UUID | None]
) -> dict[UUID, Unit]:
    """Put groups together, and leave out those that still wait for members; drop who was erased."""
    members: dict[UUID, list[Waiting]] = defaultdict(list)
    for one in waiting:
        if one.demand.erased:
            desk.release(one.booking, "erased")
        else:
            members[one.booking.group_id or one.booking.booking_id].append(one)
    groups = {g: m for g, m in members.items() if m[0].booking.group_id is not None}
    known = await find_group_sizes(desk.tx, list(groups)) if groups else {}
    late = real_now() - GROUP_WAIT
    for group_id, group in groups.items():
        wanted = max(m.demand.group_placed_count for m in group)
        complete = group_id in ready or known.get(group_id, 0) >= wanted
        if not complete and not _no_longer_waits(group, late):
            del members[group_id]
    return {key: Unit(tuple(_wish(m) for m in unit)) for key, unit in members.items()}


def _no_longer_waits(group: Sequence[Waiting], late: datetime) -> bool:
    """Tell whether a group has waited its time, or was told something already."""
    return any(
        m.booking.pooled_at < late or m.booking.state is BookingState.WAITLISTED for m in group
    )


def _wish(one: Waiting) -> Wish:
    return Wish(one.booking.booking_id, one.booking.pooled_at, one.demand)
