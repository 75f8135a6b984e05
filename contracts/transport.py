"""What transport says: trips, seats, passengers."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.event import Event, PersonFact
from contracts.fields import Code, Count, DivisionCode, Instant, Part, PlaceCode

VehicleKind = Literal["coach", "carriage", "train", "flight"]


class Stop(Part):
    """A place where a trip stops; the first has no arrival, the last no departure."""

    place_code: PlaceCode
    division_code: DivisionCode
    arrives_at: Instant | None = None
    departs_at: Instant | None = None


class Vehicle(Part):
    """What carries the passengers; the plate stays with transport."""

    kind: VehicleKind
    licensed_capacity: Count


class TripFact(Event):
    """The whole of a trip at that moment."""

    trip_id: UUID
    destination_division_code: DivisionCode
    stops: tuple[Stop, ...] = Field(max_length=200)
    vehicle: Vehicle
    minimum_load: Count
    booked_count: Count = 0
    boarded_count: Count = 0
    missed_count: Count = 0
    handed_over_count: Count = 0
    delay_minutes: Count | None = None
    reason: Code | None = None


class TripScheduled(TripFact, service="transport", noun="trip", key="trip_id"):
    """A trip is planned; it takes bookings once it opens."""


class TripOpened(TripFact, service="transport", noun="trip", key="trip_id"):
    """The minimum load is reached, or a coordinator said so."""


class TripChanged(TripFact, service="transport", noun="trip", key="trip_id"):
    """Another vehicle, stop or time."""

    changed: tuple[Code, ...] = ()


class TripDeparted(TripFact, service="transport", noun="trip", key="trip_id"):
    """On the way."""


class TripDelayed(TripFact, service="transport", noun="trip", key="trip_id"):
    """Later by `delay_minutes` in all than planned."""


class TripArrived(TripFact, service="transport", noun="trip", key="trip_id"):
    """At its last stop."""


class TripCancelled(TripFact, service="transport", noun="trip", key="trip_id"):
    """It will not run."""


class TripClosed(TripFact, service="transport", noun="trip", key="trip_id"):
    """Everyone aboard is handed over; the totals reconcile to zero."""


class BookingFact(PersonFact):
    """Ids of a booking: one person's wish for a seat, and the seat."""

    booking_id: UUID
    placement_id: UUID
    trip_id: UUID | None = None
    group_id: UUID | None = None


class SeatFact(BookingFact):
    """A seat: from which stop to which, and when."""

    trip_id: UUID
    board_stop: PlaceCode
    alight_stop: PlaceCode
    departs_at: Instant
    arrives_at: Instant
    arrival_division_code: DivisionCode


class SeatBooked(SeatFact, service="transport", noun="booking", key="booking_id"):
    """A person has a seat."""


class SeatChanged(SeatFact, service="transport", noun="booking", key="booking_id"):
    """Another trip, stop or time; a delay of the trip, too."""

    changed: tuple[Code, ...] = ()
    reason: Code | None = None


class SeatWaitlisted(BookingFact, service="transport", noun="booking", key="booking_id"):
    """No seat yet."""

    reason: Literal["no_trip", "below_minimum", "full"]


class SeatReleased(BookingFact, service="transport", noun="booking", key="booking_id"):
    """The seat, or the wish for one, is given up."""

    reason: Literal["cancelled", "changed", "rebooked", "erased"]
    rebooked_as: UUID | None = None


class PassengerFact(BookingFact):
    """What happened to a passenger, when and at which stop."""

    trip_id: UUID
    at: Instant
    stop: PlaceCode


class PassengerBoarded(PassengerFact, service="transport", noun="booking", key="booking_id"):
    """Aboard."""


class PassengerMissed(PassengerFact, service="transport", noun="booking", key="booking_id"):
    """Not aboard when the grace was over; a later scan still wins."""


class PassengerHandedOver(PassengerFact, service="transport", noun="booking", key="booking_id"):
    """The enterprise received the person, or did not."""

    outcome: Literal["received", "not_arrived", "left_early"]
