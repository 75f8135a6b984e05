"""The tables: every step that isn't in them is refused, with the state and the step."""

import itertools

import pytest

from services.transport.domain.booking import (
    BOOKING_TABLE,
    Booking,
    BookingState,
    BookingStep,
    WrongBookingStateError,
)
from services.transport.domain.trip import TRIP_TABLE, TripState, TripStep, WrongTripStateError
from tests.integration.transport.world import IDS, a_trip, at


def a_booking(state: BookingState) -> Booking:
    ids = [IDS.uuid7() for _ in range(7)]
    return Booking(*ids, at(0), state=state)


@pytest.mark.parametrize(("state", "step"), list(itertools.product(TripState, TripStep)))
def test_a_trip_goes_only_the_steps_of_its_table(state: TripState, step: TripStep) -> None:
    trip = a_trip(state=state)
    assert trip.may(step) == ((state, step) in TRIP_TABLE)
    if trip.may(step):
        trip.take(step)
        assert trip.state is TRIP_TABLE[state, step]
    else:
        with pytest.raises(WrongTripStateError, match=f"{step}.*{state}"):
            trip.take(step)
        assert trip.state is state


@pytest.mark.parametrize(("state", "step"), list(itertools.product(BookingState, BookingStep)))
def test_a_booking_goes_only_the_steps_of_its_table(state: BookingState, step: BookingStep) -> None:
    booking = a_booking(state)
    if booking.may(step):
        booking.take(step)
        assert booking.state is BOOKING_TABLE[state, step]
    else:
        with pytest.raises(WrongBookingStateError, match=f"{step}.*{state}"):
            booking.take(step)


def test_nothing_leads_out_of_the_ends() -> None:
    ends = {TripState.CANCELLED, TripState.CLOSED}
    assert not {state for state, _ in TRIP_TABLE} & ends
    final = {BookingState.RELEASED, BookingState.HANDED_OVER}
    assert not {state for state, _ in BOOKING_TABLE} & final
