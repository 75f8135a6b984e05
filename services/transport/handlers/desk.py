"""The single writer's desk: locked trips, their loads, and what is done to bookings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from contracts.transport import SeatBooked, SeatChanged, TripOpened
from services.transport.domain.booking import (
    Booking,
    BookingState,
    BookingStep,
    ReleaseReason,
    WaitReason,
)
from services.transport.domain.demand import Demand
from services.transport.domain.load import Load
from services.transport.domain.pool import Ride
from services.transport.domain.trip import COMING, Seat, Trip, TripState
from services.transport.handlers.saying import say_released, say_seat, say_trip, say_waitlisted
from services.transport.store import bookings as store
from services.transport.store import trips as trip_store
from shared.transaction import Cause, Tx


@dataclass
class Desk:
    """Trips under their row locks. What is done here is written and said by `flush`."""

    tx: Tx
    trips: dict[UUID, Trip]
    rides: dict[UUID, Ride]
    _changed: dict[UUID, Booking] = field(default_factory=dict)
    _new: dict[UUID, Booking] = field(default_factory=dict)
    _replaced: list[tuple[Booking, Booking, Cause | None]] = field(default_factory=list)

    @classmethod
    async def open(cls, tx: Tx, trip_ids: Iterable[UUID] = (), cities: Iterable[str] = ()) -> Self:
        """Lock these trips, and all that may take people to these cities; count their seats.

        Always before any booking is locked.
        """
        trips = await trip_store.load_trips_for_update(tx, trip_ids, cities)
        counted = await store.count_seats(tx, list(trips))
        return cls(tx, trips, {i: ride_of(t, counted.get(i, [])) for i, t in trips.items()})

    def coming(self) -> list[Ride]:
        """List the rides that take or may come to take passengers."""
        return [r for r in self.rides.values() if r.trip.state in COMING]

    def trip_of(self, booking: Booking) -> Trip | None:
        """Give the trip on which a booking has a seat, if it is locked here."""
        return self.trips.get(booking.trip_id) if booking.trip_id else None

    def book(self, booking: Booking, trip_id: UUID, seat: Seat, cause: Cause | None = None) -> None:
        """Give a waiting booking its seat; the ride has counted it already."""
        booking.take(BookingStep.BOOK)
        booking.sit(trip_id, seat)
        self._touch(booking)
        say_seat(self.tx, SeatBooked, booking, self.trips[trip_id], cause)

    def change(
        self, booking: Booking, trip_id: UUID, seat: Seat, cause: Cause | None = None
    ) -> None:
        """Move a booked one to another seat; the rides have counted that already."""
        booking.take(BookingStep.CHANGE)
        changed = ("trip",) if booking.trip_id != trip_id else ("stop",)
        booking.sit(trip_id, seat)
        self._touch(booking)
        say_seat(self.tx, SeatChanged, booking, self.trips[trip_id], cause, changed=changed)

    def delay(self, booking: Booking, trip: Trip) -> None:
        """Tell a booked or boarded one the new times of its seat."""
        say_seat(self.tx, SeatChanged, booking, trip, changed=("times",), reason=trip.reason)

    def follow(self, booking: Booking, old: Trip, seat: Seat) -> None:
        """Let a seat be where its trip, whose stops were those of `old`, has put it."""
        trip, before = self.trips[old.trip_id], booking.seat
        booking.take(BookingStep.CHANGE)
        booking.sit(trip.trip_id, seat)
        self._touch(booking)
        if before is None:
            raise ValueError(booking.state)
        moved = {
            "stop": old.places(before) != trip.places(seat),
            "times": old.times(before) != trip.times(seat),
        }
        changed = tuple(what for what, differs in moved.items() if differs)
        if changed:
            say_seat(self.tx, SeatChanged, booking, trip, changed=changed)

    def waitlist(self, booking: Booking, reason: WaitReason, cause: Cause | None = None) -> bool:
        """Tell a waiting booking why it waits, unless it knows; tell whether that was news."""
        if booking.waiting_for == reason:
            return False
        booking.take(BookingStep.WAITLIST)
        booking.waiting_for = reason
        self._touch(booking)
        say_waitlisted(self.tx, booking, reason, cause)
        return True

    def release(self, booking: Booking, reason: ReleaseReason, cause: Cause | None = None) -> None:
        """Give up a seat, or the wish for one."""
        self._let_go(booking, BookingStep.RELEASE, reason)
        say_released(self.tx, booking, cause)

    def strand(self, booking: Booking, reason: ReleaseReason) -> None:
        """Give up the seat of a trip that doesn't run, also of who sits in the vehicle already."""
        self._let_go(booking, BookingStep.STRAND, reason)
        say_released(self.tx, booking)

    def replace(
        self, booking: Booking, demand: Demand, reason: ReleaseReason, cause: Cause | None = None
    ) -> Booking:
        """Give up a seat for a new booking of the same placement, which may find one here and now.

        The release is said at `flush`: it names the new booking only when that has a seat.
        """
        step = BookingStep.STRAND if reason == "cancelled" else BookingStep.RELEASE
        self._let_go(booking, step, reason)
        new = Booking(
            self.tx.ids.uuid7(),
            demand.placement_id,
            demand.worker_id,
            demand.office_id,
            demand.enterprise_id,
            demand.nomination_id,
            demand.journey_id,
            booking.pooled_at,  # the place in the queue is kept
            demand.group_id,
        )
        self._new[new.booking_id] = new
        self._replaced.append((booking, new, cause))
        return new

    def add(self, booking: Booking) -> None:
        """Take in a booking that isn't stored yet."""
        self._new[booking.booking_id] = booking

    def has_touched(self, booking: Booking) -> bool:
        """Tell whether something was done to a booking here already."""
        return booking.booking_id in self._changed

    async def flush(self) -> None:
        """Write everything, opened trips included, and say what is left to say."""
        for old, new, cause in self._replaced:
            old.rebooked_as = new.booking_id if new.state is BookingState.BOOKED else None
            say_released(self.tx, old, cause)
        # First what is given up: a placement has one live booking.
        await store.update_bookings(self.tx, list(self._changed.values()))
        await store.insert_bookings(self.tx, list(self._new.values()))

    async def say_opened(self, opened: Mapping[UUID, Cause | None]) -> None:
        """Write and say that scheduled trips are open, each with what filled it up."""
        await trip_store.update_opened(self.tx, list(opened))
        for trip_id, cause in opened.items():
            ride = self.rides[trip_id]
            ride.trip.state = TripState.OPEN
            counts: Mapping[BookingState, int] = {BookingState.BOOKED: ride.booked_count}
            say_trip(self.tx, TripOpened, ride.trip, counts, cause)

    def _let_go(self, booking: Booking, step: BookingStep, reason: ReleaseReason) -> None:
        booking.take(step)
        booking.released_for = reason
        booking.waiting_for = None
        ride = self.rides.get(booking.trip_id) if booking.trip_id else None
        if ride is not None and booking.seat is not None:
            ride.load.give_back([booking.seat])
            ride.booked_count -= 1
        self._touch(booking)

    def _touch(self, booking: Booking) -> None:
        if booking.booking_id not in self._new:
            self._changed[booking.booking_id] = booking


def ride_of(trip: Trip, counted: Iterable[tuple[Seat, int]]) -> Ride:
    """Give a trip with the passengers that its manifest rows count."""
    load = Load.of(trip.vehicle.licensed_capacity, len(trip.stops), ())
    total = 0
    for seat, count in counted:
        load.take([seat] * count)
        total += count
    return Ride(trip, load, total)
