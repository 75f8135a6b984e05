"""Another vehicle, crew or way for a trip: it re-seats by rule, and says who is left."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from contracts.transport import TripChanged
from services.transport.domain.booking import Booking, BookingState
from services.transport.domain.demand import Demand, seat_for
from services.transport.domain.load import Load
from services.transport.domain.pool import Ride, Unit, Wish
from services.transport.domain.trip import Carrier, Seat, Stop, Trip, TripStep
from services.transport.handlers.desk import Desk
from services.transport.handlers.saying import say_trip
from services.transport.handlers.seats import fill
from services.transport.store import bookings as store
from services.transport.store import trips as trip_store
from services.transport.store.bookings import Waiting
from services.transport.store.placements import load_demands
from shared.problem import Problem
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Refit:
    """What is to be another one of a trip; what is None stays."""

    vehicle: Carrier | None = None
    crew: tuple[str, ...] | None = None
    escort: str | None = None
    stops: tuple[Stop, ...] | None = None

    def of(self, trip: Trip) -> Trip:
        """Give the trip as it would be; other stops are a plan of their own, without a delay."""
        new = replace(
            trip,
            vehicle=self.vehicle or trip.vehicle,
            crew=trip.crew if self.crew is None else self.crew,
            escort=trip.escort if self.escort is None else self.escort,
        )
        if self.stops is not None:
            new.stops = tuple(_synced(s, trip) for s in self.stops)
            new.delay_minutes, new.reason = 0, None
        return new

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of what changes."""
        names = ("vehicle", "crew", "escort", "stops")
        return tuple(n for n in names if getattr(self, n) is not None)


def _synced(stop: Stop, trip: Trip) -> Stop:
    index = trip.index_of(stop.place_code)
    return stop if index is None else replace(stop, synced_at=trip.stops[index].synced_at)


async def refit(tx: Tx, seen: Trip, wanted: Refit) -> tuple[Trip, list[UUID]]:
    """Change a trip's vehicle, crew or stops; give the trip and the new bookings without a seat.

    A seat follows its stops to their new times; whose stop is gone boards or alights where the
    trip serves the person otherwise. In a smaller vehicle those keep their seats who are aboard,
    then by priority and time, groups whole; the others move to sister trips or wait in the pool.
    """
    desk = await Desk.open(tx, [seen.trip_id], [seen.city])
    old = desk.trips[seen.trip_id]
    old.take(TripStep.CHANGE)
    trip = wanted.of(old)
    if trip.minimum_load > trip.vehicle.licensed_capacity:
        detail = "新车辆容不下最低成行人数。The new vehicle holds less than the minimum load."
        raise Problem(409, "below_minimum", detail)
    seating = await _seating(desk, old, trip)
    # These give their seats back as the trip was; then it is counted anew as it will be.
    pooled = [Waiting(desk.replace(b, demand, "changed"), demand) for b, demand in seating.left]
    desk.trips[trip.trip_id] = trip
    desk.rides[trip.trip_id] = Ride(trip, seating.load, len(seating.kept))
    for booking, seat in seating.kept:
        desk.follow(booking, old, seat)
    if wanted.stops is not None:
        await trip_store.replace_stops(tx, trip)
    # Who lost a seat looks for another one before anybody else gets what is free now.
    await fill(desk, [trip.city], pooled)
    await desk.flush()
    await trip_store.update_trip(tx, trip)
    if wanted.stops is not None:
        ordinals = [trip.index_of(s.place_code) for s in old.stops]
        await trip_store.move_released(tx, trip.trip_id, ordinals)
    counts = await store.count_states(tx, [trip.trip_id])
    say_trip(tx, TripChanged, trip, counts.get(trip.trip_id, {}), changed=wanted.changed)
    return trip, [p.booking.booking_id for p in pooled if p.booking.trip_id is None]


@dataclass(slots=True)
class _Seating:
    """Who keeps a seat on a changed trip, and who leaves it."""

    load: Load
    kept: list[tuple[Booking, Seat]] = field(default_factory=list)
    left: list[tuple[Booking, Demand]] = field(default_factory=list)


async def _seating(desk: Desk, old: Trip, trip: Trip) -> _Seating:
    bookings = await store.load_bookings_of_trips(desk.tx, [trip.trip_id])
    demands = await load_demands(desk.tx, [b.placement_id for b in bookings])
    by_id = {b.booking_id: b for b in bookings}
    result = _Seating(Load.of(trip.vehicle.licensed_capacity, len(trip.stops), ()))
    for unit in sorted(_units(bookings, demands), key=lambda u: (_may_leave(u, by_id), *u.rank)):
        riders = [by_id[w.booking_id] for w in unit.wishes]
        places = [_place(old, trip, b, demands[b.placement_id], desk.tx.now) for b in riders]
        seats = [s for s in places if s is not None]
        if len(seats) == len(riders) and result.load.fits(seats):
            result.load.take(seats)
            result.kept += zip(riders, seats, strict=True)
        elif _may_leave(unit, by_id):
            result.left += [(b, demands[b.placement_id]) for b in riders]
        else:
            raise _aboard(len(seats) == len(riders))
    return result


def _place(old: Trip, trip: Trip, booking: Booking, demand: Demand, now: datetime) -> Seat | None:
    """Give the seat between the same stops; if one is gone, that with which the trip serves now."""
    if booking.seat is None:
        return None
    board, alight = (trip.index_of(code) for code in old.places(booking.seat))
    if board is not None and alight is not None and board < alight:
        return Seat(board, alight)
    return seat_for(trip, demand, now) if booking.state is BookingState.BOOKED else None


def _aboard(too_many: bool) -> Problem:  # noqa: FBT001 (which of two refusals)
    if too_many:
        detail = "已上车的人数超过新车辆座位。More people are aboard than the vehicle holds."
        return Problem(409, "too_many_aboard", detail)
    detail = "已有乘客在此停靠点上车或将在此下车。Somebody aboard has come or goes by this stop."
    return Problem(409, "stop_in_use", detail)


def _may_leave(unit: Unit, by_id: dict[UUID, Booking]) -> bool:
    return all(by_id[w.booking_id].state is BookingState.BOOKED for w in unit.wishes)


def _units(bookings: Sequence[Booking], demands: dict[UUID, Demand]) -> list[Unit]:
    members: dict[UUID, list[Wish]] = defaultdict(list)
    for b in bookings:
        wish = Wish(b.booking_id, b.pooled_at, demands[b.placement_id])
        members[b.group_id or b.booking_id].append(wish)
    return [Unit(tuple(m)) for m in members.values()]
