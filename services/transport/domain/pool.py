"""Brings the pool's people and the trips together: by priority and time, groups whole."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.transport.domain.booking import WaitReason
from services.transport.domain.demand import Demand, Route, seat_for
from services.transport.domain.load import Load
from services.transport.domain.trip import Seat, Trip, TripState, TripStep


@dataclass(frozen=True, slots=True)
class Wish:
    """A waiting booking and what it needs."""

    booking_id: UUID
    pooled_at: datetime
    demand: Demand


@dataclass(frozen=True, slots=True)
class Unit:
    """Who travels together or not at all: a group, or one person."""

    wishes: tuple[Wish, ...]

    @property
    def rank(self) -> tuple[int, datetime, UUID]:
        """The order of service: priority, then time."""
        first = min(self.wishes, key=lambda w: (w.pooled_at, w.booking_id))
        return -max(w.demand.priority for w in self.wishes), first.pooled_at, first.booking_id


@dataclass(slots=True)
class Ride:
    """A trip with its passengers so far, as the allocation goes on."""

    trip: Trip
    load: Load
    booked_count: int
    # Hundreds travel alike, so each route is asked once.
    _routes: dict[Route, Seat | None] = field(default_factory=dict)

    def seats(self, unit: Unit, now: datetime) -> list[Seat] | None:
        """Give a seat for each of the unit, or None when the trip doesn't serve all of them."""
        found: list[Seat] = []
        for wish in unit.wishes:
            seat = self._seat(wish.demand, now)
            if seat is None:
                return None
            found.append(seat)
        return found

    def _seat(self, demand: Demand, now: datetime) -> Seat | None:
        route = demand.route
        if route not in self._routes:
            self._routes[route] = seat_for(self.trip, demand, now)
        return self._routes[route]

    def take(self, seats: Sequence[Seat]) -> None:
        """Count these in."""
        self.load.take(seats)
        self.booked_count += len(seats)


@dataclass(slots=True)
class Allocation:
    """What came out: who sits where, who waits for what, and which trips opened for it."""

    seated: dict[UUID, tuple[UUID, Seat]] = field(default_factory=dict)
    waiting: dict[UUID, WaitReason] = field(default_factory=dict)
    opened: list[UUID] = field(default_factory=list)

    def seat(self, unit: Unit, trip_id: UUID, seats: Sequence[Seat]) -> None:
        """Note a unit's seats."""
        for wish, seat in zip(unit.wishes, seats, strict=True):
            self.seated[wish.booking_id] = trip_id, seat


class Timetable:
    """The rides by the places and divisions where they take people in, earliest first."""

    def __init__(self, rides: Iterable[Ride], now: datetime) -> None:
        self.now = now
        self.rides = sorted(rides, key=lambda r: (r.trip.departs_at, r.trip.trip_id))
        self._by_division: dict[str, dict[int, None]] = {}
        for number, ride in enumerate(self.rides):
            for stop in ride.trip.stops[:-1]:
                for key in (stop.place_code, stop.division_code):
                    self._by_division.setdefault(key, {})[number] = None

    def serving(self, unit: Unit) -> Iterator[tuple[Ride, list[Seat]]]:
        """Give the rides that serve the whole unit, earliest first, full or not."""
        demand = unit.wishes[0].demand
        numbers = {
            **self._by_division.get(demand.boarding_place_code or "", {}),
            **self._by_division.get(demand.boarding_division_code, {}),
        }
        for number in sorted(numbers):
            seats = self.rides[number].seats(unit, self.now)
            if seats is not None:
                yield self.rides[number], seats


def allocate(rides: Iterable[Ride], units: Iterable[Unit], now: datetime) -> Allocation:
    """Seat the units on open trips, then open those scheduled trips that reach their minimum load.

    A scheduled trip counts whom it could take of the people left, together with those who have a
    seat on it already; the earliest departure chooses first.
    """
    timetable = Timetable(rides, now)
    result = Allocation()
    left = [u for u in sorted(units, key=lambda u: u.rank) if not _seated(timetable, u, result)]
    for ride in timetable.rides:
        if ride.trip.state is TripState.SCHEDULED:
            left = _opened(ride, left, now, result)
    for unit in left:
        reason = _reason(timetable, unit)
        for wish in unit.wishes:
            result.waiting[wish.booking_id] = reason
    return result


def _seated(timetable: Timetable, unit: Unit, result: Allocation) -> bool:
    for ride, seats in timetable.serving(unit):
        if ride.trip.state is TripState.OPEN and ride.load.fits(seats):
            ride.take(seats)
            result.seat(unit, ride.trip.trip_id, seats)
            return True
    return False


def _opened(ride: Ride, left: list[Unit], now: datetime, result: Allocation) -> list[Unit]:
    """Open the trip for whom it can take, if they are enough; give the units still left."""
    on_board: list[tuple[Unit, list[Seat]]] = []
    others: list[Unit] = []
    load = Load(ride.load.capacity, list(ride.load.on))
    for unit in left:
        seats = ride.seats(unit, now)
        if seats is None or not load.fits(seats):
            others.append(unit)
            continue
        load.take(seats)
        on_board.append((unit, seats))
    count = sum(len(seats) for _, seats in on_board)
    if ride.booked_count + count < max(1, ride.trip.minimum_load):
        return left
    ride.trip.take(TripStep.OPEN)
    result.opened.append(ride.trip.trip_id)
    for unit, seats in on_board:
        ride.take(seats)
        result.seat(unit, ride.trip.trip_id, seats)
    return others


def _reason(timetable: Timetable, unit: Unit) -> WaitReason:
    states = {ride.trip.state for ride, _ in timetable.serving(unit)}
    if TripState.SCHEDULED in states:
        return "below_minimum"
    return "full" if states else "no_trip"
