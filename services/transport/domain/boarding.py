"""Boarding without a network: what a scan means, however late, often or out of order it comes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.transport.domain.booking import Booking, BookingState, BookingStep
from services.transport.domain.ticket import Ticket
from services.transport.domain.trip import UNDER_WAY, Stop, Trip, TripState, TripStep


class ScanResult(StrEnum):
    """What became of a scan. The first two are good."""

    BOARDED = "boarded"
    ALREADY_BOARDED = "already_boarded"
    WRONG_TRIP = "wrong_trip"
    RELEASED = "released"
    NOT_ON_MANIFEST = "not_on_manifest"
    UNKNOWN_STOP = "unknown_stop"
    TRIP_NOT_RUNNING = "trip_not_running"
    TRIP_CLOSED = "trip_closed"
    SCAN_ID_REUSED = "scan_id_reused"
    FORGED = "forged_ticket"
    OLD_VERSION = "old_version"


GOOD: Final = (ScanResult.BOARDED, ScanResult.ALREADY_BOARDED)


@dataclass(frozen=True, slots=True)
class Scan:
    """A passenger checked at a stop. `ticket` is what the QR code said, `forged` when it lied."""

    scan_id: UUID
    booking_id: UUID
    scanned_at: datetime
    stop: str
    ticket: Ticket | None = None
    forged: bool = False


def judge(trip: Trip, scan: Scan, booking: Booking | None) -> ScanResult:
    """Say what a scan on a trip means; it changes nothing."""
    if scan.forged:
        return ScanResult.FORGED
    if trip.state is TripState.CLOSED or not trip.may(TripStep.BOARD):
        closed = trip.state is TripState.CLOSED
        return ScanResult.TRIP_CLOSED if closed else ScanResult.TRIP_NOT_RUNNING
    return _of_booking(trip, scan, booking)


def _of_booking(trip: Trip, scan: Scan, booking: Booking | None) -> ScanResult:
    if booking is not None and booking.state is BookingState.RELEASED:
        return ScanResult.RELEASED
    if booking is None or booking.trip_id is None:
        return ScanResult.NOT_ON_MANIFEST
    if booking.trip_id != trip.trip_id or (scan.ticket and scan.ticket.trip_id != trip.trip_id):
        return ScanResult.WRONG_TRIP
    if trip.index_of(scan.stop) is None:
        return ScanResult.UNKNOWN_STOP
    if scan.ticket is not None and scan.ticket != ticket_of(trip, booking):
        return ScanResult.OLD_VERSION
    may = booking.may(BookingStep.BOARD)
    return ScanResult.BOARDED if may else ScanResult.ALREADY_BOARDED


def ticket_of(trip: Trip, booking: Booking) -> Ticket:
    """Give the ticket of a booking's seat as it is now."""
    seat = booking.seat
    if seat is None:
        raise ValueError(booking.state)
    stops = trip.stops
    return Ticket(
        trip.trip_id,
        booking.booking_id,
        stops[seat.board].place_code,
        stops[seat.alight].place_code,
    )


def is_over(trip: Trip, stop: Stop, grace: timedelta, now: datetime) -> bool:
    """Tell whether who isn't aboard from this stop has missed the trip.

    Departure plus grace is over and the escort's list of the stop has come in; at the latest the
    trip's arrival decides.
    """
    if trip.state not in UNDER_WAY or stop.departs_at is None:
        return False
    if trip.state is TripState.ARRIVED:
        return True
    first = stop.place_code == trip.stops[0].place_code
    left_at = (
        max(stop.departs_at, trip.departed_at or stop.departs_at) if first else stop.departs_at
    )
    return stop.synced_at is not None and left_at + grace <= now
