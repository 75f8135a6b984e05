"""Puts what happened to trips and bookings into words: one place that fills the events' fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from contracts.envelope import Envelope
from contracts.transport import (
    BookingFact,
    PassengerFact,
    SeatFact,
    SeatReleased,
    SeatWaitlisted,
    TripDelayed,
    TripFact,
    Vehicle,
)
from contracts.transport import Stop as SaidStop
from services.transport.domain.booking import Booking, BookingState, WaitReason
from services.transport.domain.origin import Origin
from services.transport.domain.trip import Trip
from shared.transaction import Cause, Tx

_UNKNOWN_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Because:
    """The event that made something due, of which only its id and trace were kept."""

    envelope: Envelope


def because(origin: Origin | None) -> Because | None:
    """Name what was heard earlier as the cause of what is said now."""
    if origin is None:
        return None
    known = (origin.cause_id, "", "", "", 0, None, None, None, _UNKNOWN_TIME, origin.traceparent)
    return Because(Envelope(*known))


def say_trip(
    tx: Tx,
    kind: type[TripFact],
    trip: Trip,
    counts: Mapping[BookingState, int],
    cause: Cause | None = None,
    **more: Any,  # noqa: ANN401 (an event's own fields)
) -> None:
    """Say the whole of a trip. The bureau owns it."""
    late = trip.delay_minutes or kind is TripDelayed
    boarded = counts.get(BookingState.BOARDED, 0) + counts.get(BookingState.HANDED_OVER, 0)
    event = kind(
        trip_id=trip.trip_id,
        destination_division_code=trip.destination_division_code,
        stops=tuple(
            SaidStop(
                place_code=s.place_code,
                division_code=s.division_code,
                arrives_at=s.arrives_at,
                departs_at=s.departs_at,
            )
            for s in trip.stops
        ),
        vehicle=Vehicle(kind=trip.vehicle.kind, licensed_capacity=trip.vehicle.licensed_capacity),
        minimum_load=trip.minimum_load,
        booked_count=sum(counts.values()),
        boarded_count=boarded,
        missed_count=counts.get(BookingState.MISSED, 0),
        handed_over_count=counts.get(BookingState.HANDED_OVER, 0),
        delay_minutes=trip.delay_minutes if late else None,
        reason=trip.reason,
        **more,
    )
    tx.say(event, tenant_id=None, journey_id=trip.trip_id, cause=cause)


def say_seat(
    tx: Tx,
    kind: type[SeatFact],
    booking: Booking,
    trip: Trip,
    cause: Cause | None = None,
    **more: Any,  # noqa: ANN401 (an event's own fields)
) -> None:
    """Say which seat a booking has."""
    seat = booking.seat
    if seat is None:
        raise ValueError(booking.state)
    departs_at, arrives_at = trip.times(seat)
    event = kind(
        **_ids(booking),
        board_stop=trip.stops[seat.board].place_code,
        alight_stop=trip.stops[seat.alight].place_code,
        departs_at=departs_at,
        arrives_at=arrives_at,
        arrival_division_code=trip.stops[seat.alight].division_code,
        **more,
    )
    _say(tx, event, booking, cause)


def say_waitlisted(
    tx: Tx, booking: Booking, reason: WaitReason, cause: Cause | None = None
) -> None:
    """Say why a booking has no seat yet."""
    _say(tx, SeatWaitlisted(**_ids(booking), reason=reason), booking, cause)


def say_released(tx: Tx, booking: Booking, cause: Cause | None = None) -> None:
    """Say that a released booking has given up its seat or its wish."""
    event = SeatReleased(
        **_ids(booking), reason=booking.released_for or "cancelled", rebooked_as=booking.rebooked_as
    )
    _say(tx, event, booking, cause)


def say_passenger(
    tx: Tx,
    kind: type[PassengerFact],
    booking: Booking,
    moment: tuple[datetime, str],
    **more: Any,  # noqa: ANN401 (an event's own fields)
) -> None:
    """Say what happened to a passenger; `moment` is the instant and the stop's place code."""
    at, stop = moment
    _say(tx, kind(**_ids(booking), at=at, stop=stop, **more), booking, None)


def _say(tx: Tx, event: BookingFact, booking: Booking, cause: Cause | None) -> None:
    tx.say(event, tenant_id=booking.office_id, journey_id=booking.journey_id, cause=cause)


def _ids(booking: Booking) -> dict[str, Any]:
    return {
        "booking_id": booking.booking_id,
        "placement_id": booking.placement_id,
        "worker_id": booking.worker_id,
        "office_id": booking.office_id,
        "enterprise_id": booking.enterprise_id,
        "nomination_id": booking.nomination_id,
        "trip_id": booking.trip_id,
        "group_id": booking.group_id,
    }
