"""Another vehicle for a trip: a smaller one re-seats by rule, and says who is left."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from contracts.transport import TripChanged
from services.transport.domain.booking import Booking, BookingState
from services.transport.domain.demand import Demand
from services.transport.domain.load import Load
from services.transport.domain.pool import Unit, Wish
from services.transport.domain.trip import Carrier, Seat, Trip, TripStep
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

    def of(self, trip: Trip) -> Trip:
        """Give the trip as it would be."""
        return replace(
            trip,
            vehicle=self.vehicle or trip.vehicle,
            crew=trip.crew if self.crew is None else self.crew,
            escort=trip.escort if self.escort is None else self.escort,
        )

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of what changes."""
        return tuple(n for n in ("vehicle", "crew", "escort") if getattr(self, n) is not None)


async def refit(tx: Tx, seen: Trip, wanted: Refit) -> tuple[Trip, list[UUID]]:
    """Change a trip's vehicle or crew; give the trip and the new bookings that have no seat.

    In a smaller vehicle those keep their seats who are aboard, then by priority and time, groups
    whole; the others move to sister trips or wait in the pool.
    """
    desk = await Desk.open(tx, [seen.trip_id], [seen.city])
    old = desk.trips[seen.trip_id]
    old.take(TripStep.CHANGE)
    trip = wanted.of(old)
    if trip.minimum_load > trip.vehicle.licensed_capacity:
        detail = "新车辆容不下最低成行人数。The new vehicle holds less than the minimum load."
        raise Problem(409, "below_minimum", detail)
    desk.trips[trip.trip_id] = desk.rides[trip.trip_id].trip = trip
    left = await _left(desk, trip)
    demands = await load_demands(tx, [b.placement_id for b in left])
    # Who lost a seat looks for another one before anybody else gets what is free now.
    desk.rides[trip.trip_id].load.capacity = trip.vehicle.licensed_capacity
    pooled = [
        Waiting(desk.replace(b, demands[b.placement_id], "changed"), demands[b.placement_id])
        for b in left
    ]
    await fill(desk, [trip.city], pooled)
    await desk.flush()
    await trip_store.update_trip(tx, trip)
    counts = await store.count_states(tx, [trip.trip_id])
    say_trip(tx, TripChanged, trip, counts.get(trip.trip_id, {}), changed=wanted.changed)
    return trip, [p.booking.booking_id for p in pooled if p.booking.trip_id is None]


async def _left(desk: Desk, trip: Trip) -> list[Booking]:
    """Choose who can't ride in the new vehicle."""
    bookings = await store.load_bookings_of_trips(desk.tx, [trip.trip_id])
    demands = await load_demands(desk.tx, [b.placement_id for b in bookings])
    by_id = {b.booking_id: b for b in bookings}
    load = Load.of(trip.vehicle.licensed_capacity, len(trip.stops), ())
    left: list[Booking] = []
    for unit in sorted(_units(bookings, demands), key=lambda u: (_may_leave(u, by_id), *u.rank)):
        riders = [by_id[w.booking_id] for w in unit.wishes]
        seats: list[Seat] = [b.seat for b in riders if b.seat]
        if load.fits(seats):
            load.take(seats)
        elif _may_leave(unit, by_id):
            left += riders
        else:
            detail = "已上车的人数超过新车辆座位。More people are aboard than the vehicle holds."
            raise Problem(409, "too_many_aboard", detail)
    return left


def _may_leave(unit: Unit, by_id: dict[UUID, Booking]) -> bool:
    return all(by_id[w.booking_id].state is BookingState.BOOKED for w in unit.wishes)


def _units(bookings: Sequence[Booking], demands: dict[UUID, Demand]) -> list[Unit]:
    members: dict[UUID, list[Wish]] = defaultdict(list)
    for b in bookings:
        wish = Wish(b.booking_id, b.pooled_at, demands[b.placement_id])
        members[b.group_id or b.booking_id].append(wish)
    return [Unit(tuple(m)) for m in members.values()]
