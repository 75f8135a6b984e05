"""INVARIANT: whatever the trips, stops and groups, no segment is overbooked and no group split."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.transport.domain.demand import Demand, PlacementState
from services.transport.domain.load import Load
from services.transport.domain.pool import Ride, Unit, Wish, allocate
from services.transport.domain.trip import Seat, Stop, Trip, TripState
from tests.integration.transport.world import IDS, SOON, a_trip, at

NOW = at(0)
PLACES = [f"5309{n:02}-00" for n in range(1, 6)]
ENDS = ["310114-00", "310104-00", "310151-00"]


def a_demand(place: str, site: str, group_id: UUID | None = None, priority: int = 0) -> Demand:
    ids = [IDS.uuid7() for _ in range(6)]
    return Demand(
        *ids, PlacementState.CONFIRMED, True, "310000", site[:6], place[:6], place,
        SOON - timedelta(days=1), SOON + timedelta(days=5), group_id, 1, priority,
    )  # fmt: skip


def a_unit(*demands: Demand) -> Unit:
    return Unit(tuple(Wish(IDS.uuid7(), NOW, d) for d in demands))


def a_ride(places: list[str], capacity: int, minimum: int, state: TripState) -> Ride:
    stops = [
        Stop.planned((p, p[:6]), at(8 + n) if n else None, at(8.5 + n))
        for n, p in enumerate(places)
    ]
    trip = a_trip(stops=tuple(stops), capacity=capacity, minimum_load=minimum, state=state)
    return Ride(trip, Load.of(capacity, len(stops), ()), 0)


@dataclass
class Case:
    rides: list[Ride]
    units: list[Unit]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rides = []
    for _ in range(draw(st.integers(1, 4))):
        starts = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4, unique=True))
        ends = draw(st.lists(st.sampled_from(ENDS), min_size=1, max_size=3, unique=True))
        state = draw(st.sampled_from([TripState.OPEN, TripState.SCHEDULED]))
        capacity = draw(st.integers(1, 8))
        rides.append(a_ride([*starts, *ends], capacity, draw(st.integers(0, 8)), state))
    units = []
    for _ in range(draw(st.integers(0, 20))):
        size = draw(st.sampled_from([1, 1, 1, 2, 3]))
        group = IDS.uuid7() if size > 1 else None
        priority = draw(st.integers(0, 2))
        units.append(
            a_unit(
                *(
                    a_demand(
                        draw(st.sampled_from(PLACES)), draw(st.sampled_from(ENDS)), group, priority
                    )
                    for _ in range(size)
                )
            )
        )
    return Case(rides, units)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_no_segment_is_overbooked_and_no_group_is_split(case: Case) -> None:
    """INVARIANT: booked <= seats per segment; groups whole; trips open full enough."""
    scheduled = {r.trip.trip_id for r in case.rides if r.trip.state is TripState.SCHEDULED}
    outcome = allocate(case.rides, case.units, NOW)
    by_trip: dict[UUID, list[Seat]] = {}
    for trip_id, seat in outcome.seated.values():
        by_trip.setdefault(trip_id, []).append(seat)
    for ride in case.rides:
        seats = by_trip.get(ride.trip.trip_id, [])
        for segment in range(len(ride.trip.stops) - 1):
            riding = sum(s.board <= segment < s.alight for s in seats)
            assert riding <= ride.trip.vehicle.licensed_capacity
            assert riding == ride.load.on[segment]
        opened = ride.trip.trip_id in outcome.opened
        assert opened == (ride.trip.trip_id in scheduled and ride.trip.state is TripState.OPEN)
        if opened:
            assert len(seats) >= ride.trip.minimum_load
        elif ride.trip.trip_id in scheduled:
            assert not seats
    for unit in case.units:
        found = [outcome.seated.get(w.booking_id) for w in unit.wishes]
        assert len({f and f[0] for f in found}) == 1
        told = {outcome.waiting.get(w.booking_id) for w in unit.wishes}
        assert told == {None} if found[0] else None not in told


@settings(max_examples=100, deadline=None)
@given(cases())
def test_nobody_waits_for_a_seat_that_is_free(case: Case) -> None:
    """INVARIANT: no unit is left over while an open trip serves all of it and has room."""
    outcome = allocate(case.rides, case.units, NOW)
    for unit in case.units:
        if unit.wishes[0].booking_id not in outcome.waiting:
            continue
        for ride in case.rides:
            seats = ride.seats(unit, NOW)
            if ride.trip.state is TripState.OPEN and seats is not None:
                assert not ride.load.fits(seats)


def test_two_segments_share_a_seat_and_a_freed_one_is_sold_again() -> None:
    a, b, c = PLACES[0], "310104-00", "310114-00"
    ride = a_ride([a, b, c], 1, 0, TripState.OPEN)
    first, second = a_unit(a_demand(a, b)), a_unit(a_demand(b, c))
    third = a_unit(a_demand(a, c))
    outcome = allocate([ride], [first, second, third], NOW)
    assert [s for _, s in outcome.seated.values()] == [Seat(0, 1), Seat(1, 2)]
    assert list(outcome.waiting.values()) == ["full"]
    ride.load.give_back([Seat(1, 2)])
    assert len(allocate([ride], [a_unit(a_demand(b, c))], NOW).seated) == 1
    assert not allocate([ride], [a_unit(a_demand(a, b))], NOW).seated


def test_a_trip_of_the_past_serves_nobody() -> None:
    ride = a_ride([PLACES[0], ENDS[0]], 5, 0, TripState.OPEN)
    unit = a_unit(a_demand(PLACES[0], ENDS[0]))
    assert allocate([ride], [unit], at(8.5)).waiting == {unit.wishes[0].booking_id: "no_trip"}


def test_a_trip_counts_only_whom_it_can_take_together() -> None:
    ride = a_ride([PLACES[0], ENDS[0]], 3, 3, TripState.SCHEDULED)
    pair = [a_demand(PLACES[0], ENDS[0], IDS.uuid7()) for _ in range(2)]
    units = [a_unit(*pair), a_unit(*pair)]
    outcome = allocate([ride], units, NOW)
    assert set(outcome.waiting.values()) == {"below_minimum"}
    assert not outcome.opened
    assert isinstance(ride.trip, Trip)
