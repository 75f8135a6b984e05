"""Commands of a booking: a seat on a named trip, another seat, no seat any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.transport.domain.booking import WAITING, Booking, BookingState, BookingStep
from services.transport.domain.demand import Demand, PlacementState, seat_for
from services.transport.domain.pool import Ride
from services.transport.domain.trip import Seat, TripStep
from services.transport.handlers.desk import Desk
from services.transport.store import bookings as store
from services.transport.store.bookings import Waiting
from services.transport.store.due import note_cities
from services.transport.store.placements import load_demands
from shared.clock import real_now
from shared.problem import NotFound, Problem
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a booking shall be changed to; what is None stays."""

    trip_id: UUID | None = None
    board_stop: str | None = None


async def book(tx: Tx, demand: Demand, trip_id: UUID) -> Booking:
    """Book a placed person on a named trip, with the waiting members of the group, or nobody.

    Refusals (409): `not_waiting`, `already_booked`, `wrong_state`, `does_not_serve`, `full`.
    """
    if demand.state is not PlacementState.CONFIRMED or not demand.needs_seat or demand.erased:
        raise _refused("not_waiting", "此岗位不需要座位。This placement doesn't wait for a seat.")
    desk = await Desk.open(tx, [trip_id])
    ride = desk.rides[trip_id]
    if not ride.trip.may(TripStep.BOOK):
        raise _refused(
            "wrong_state", f"班次状态为 {ride.trip.state}。The trip is {ride.trip.state}."
        )
    booking = await _waiting_booking(desk, demand)
    party = await _party(desk, Waiting(booking, demand))
    seats = _seats(desk, ride, party)
    ride.take(seats)
    for one, seat in zip(party, seats, strict=True):
        desk.book(one.booking, trip_id, seat)
    await desk.flush()
    # A booked seat counts towards the minimum load of a trip that isn't open yet.
    await note_cities(tx, [ride.trip.city])
    return booking


async def _waiting_booking(desk: Desk, demand: Demand) -> Booking:
    found = await store.load_bookings_of_placements(desk.tx, [demand.placement_id])
    if found and found[0].state not in WAITING:
        raise _refused("already_booked", "已有座位。There is a seat already.")
    if found:
        return found[0]
    new = Booking(
        desk.tx.ids.uuid7(),
        demand.placement_id,
        demand.worker_id,
        demand.office_id,
        demand.enterprise_id,
        demand.nomination_id,
        demand.journey_id,
        real_now(),
        demand.group_id,
    )
    desk.add(new)
    return new


async def _party(desk: Desk, one: Waiting) -> list[Waiting]:
    """Give the person with all of the group that wait, too."""
    if one.booking.group_id is None:
        return [one]
    group = await store.load_group(desk.tx, one.booking.group_id)
    others = [
        w
        for w in group
        if w.booking.state in WAITING and w.booking.booking_id != one.booking.booking_id
    ]
    return [one, *others]


def _seats(desk: Desk, ride: Ride, party: Sequence[Waiting]) -> list[Seat]:
    found = [seat_for(ride.trip, w.demand, desk.tx.now) for w in party]
    seats = [s for s in found if s is not None]
    if len(seats) < len(found):
        raise _refused(
            "does_not_serve",
            "该班次的停靠点或时间不适合。The trip's stops or times don't serve this person.",
        )
    if not ride.load.fits(seats):
        raise _refused("full", "座位已满。There are no seats left.")
    return seats


async def change(tx: Tx, booking: Booking, wanted: Wanted) -> Booking:
    """Move a booking to another trip or stop in one step that cannot end with no seat.

    Another trip takes the booked members of the group along. Refusals as of `book`, and
    `unknown_stop`.
    """
    demand = (await load_demands(tx, [booking.placement_id]))[booking.placement_id]
    if booking.state in WAITING and wanted.trip_id:
        return await book(tx, demand, wanted.trip_id)
    trip_id = wanted.trip_id or booking.trip_id
    if booking.trip_id is None or trip_id is None:
        raise _refused("wrong_state", "还没有座位。There is no seat yet.")
    desk = await Desk.open(tx, {booking.trip_id, trip_id})
    if trip_id not in desk.rides:
        raise NotFound
    locked = (await store.load_bookings_for_update(tx, [booking.booking_id]))[booking.booking_id]
    if locked.trip_id != booking.trip_id:
        raise _refused("wrong_state", "座位刚刚变动，请重试。The seat has just changed; try again.")
    locked.take(BookingStep.CHANGE)
    party = await _companions(desk, Waiting(locked, demand), trip_id)
    _move(desk, party, desk.rides[trip_id], wanted.board_stop)
    await desk.flush()
    await note_cities(tx, {r.trip.city for r in desk.rides.values()})
    return locked


async def _companions(desk: Desk, one: Waiting, trip_id: UUID) -> list[Waiting]:
    booking = one.booking
    if booking.group_id is None or booking.trip_id == trip_id:
        return [one]
    others = [
        w
        for w in await store.load_group(desk.tx, booking.group_id)
        if w.booking.state is BookingState.BOOKED
        and w.booking.trip_id == booking.trip_id
        and w.booking.booking_id != booking.booking_id
    ]
    return [one, *others]


def _move(desk: Desk, party: Sequence[Waiting], target: Ride, board_stop: str | None) -> None:
    """Give the old seats back and take the new ones, in memory; a refusal rolls everything back."""
    if not target.trip.may(TripStep.BOOK):
        raise _refused("wrong_state", f"The trip is {target.trip.state}.")
    for one in party:
        old = desk.rides[one.booking.trip_id or target.trip.trip_id]
        old.load.give_back([s for s in (one.booking.seat,) if s])
        old.booked_count -= 1
    first, *others = party
    stays = first.booking.trip_id == target.trip.trip_id
    seats = [_boarding_at(target, first, board_stop)] if board_stop and stays else []
    if not seats:
        seats = _seats(desk, target, [first])
        seats = [_boarding_at(target, first, board_stop, seats[0])] if board_stop else seats
    seats += _seats(desk, target, others) if others else []
    if not target.load.fits(seats):
        raise _refused("full", "座位已满。There are no seats left.")
    target.take(seats)
    for one, seat in zip(party, seats, strict=True):
        desk.change(one.booking, target.trip.trip_id, seat)


def _boarding_at(ride: Ride, one: Waiting, board_stop: str, seat: Seat | None = None) -> Seat:
    seat = seat or one.booking.seat
    board = ride.trip.index_of(board_stop)
    if seat is None or board is None or board >= seat.alight:
        raise Problem(
            422, "unknown_stop", "该班次在下车点之前没有此停靠点。No such stop before the last one."
        )
    return Seat(board, seat.alight)


async def cancel(tx: Tx, booking: Booking) -> Booking:
    """Give up a seat or the wish for one; nothing new is booked by itself."""
    desk = await Desk.open(tx, [booking.trip_id] if booking.trip_id else [])
    locked = (await store.load_bookings_for_update(tx, [booking.booking_id]))[booking.booking_id]
    desk.release(locked, "cancelled")
    await desk.flush()
    await note_cities(tx, [r.trip.city for r in desk.rides.values()])
    return locked


def _refused(code: str, detail: str) -> Problem:
    return Problem(409, code, detail)
