"""What a placement, as it stands now, means for the booking that it has."""

from datetime import datetime
from enum import StrEnum

from services.transport.domain.booking import WAITING, Booking, BookingState
from services.transport.domain.demand import Demand, PlacementState, seat_for
from services.transport.domain.trip import COMING, UNDER_WAY, Trip


class Fate(StrEnum):
    """What is to be done with a live booking; the releases are named by their reasons."""

    KEEP = "keep"
    CANCELLED = "cancelled"
    CHANGED = "changed"
    ERASED = "erased"
    #: Another seat, on the same booking.
    RESEAT = "reseat"
    #: Another booking, because its owner is another one.
    RENEW = "renew"


def fate_of(booking: Booking, demand: Demand, trip: Trip | None, now: datetime) -> Fate:
    """Say what becomes of a live booking; `trip` is the one it has a seat on.

    Who is under way stays on the manifest: an erasure takes effect when the trip has ended, and who
    sits in the vehicle already is handed over whatever became of the job.
    """
    under_way = trip is not None and trip.state in UNDER_WAY
    if booking.state is BookingState.BOARDED or (under_way and demand.erased):
        return Fate.KEEP
    if demand.erased:
        return Fate.ERASED
    if demand.state is PlacementState.CANCELLED:
        return Fate.CANCELLED
    if under_way or demand.state is PlacementState.STARTED:
        return Fate.KEEP
    if demand.state is PlacementState.ENDED:
        return Fate.CANCELLED
    return _of_live(booking, demand, trip, now)


def _of_live(booking: Booking, demand: Demand, trip: Trip | None, now: datetime) -> Fate:
    if not demand.needs_seat:
        return Fate.CHANGED
    if (booking.office_id, booking.enterprise_id) != (demand.office_id, demand.enterprise_id):
        return Fate.RENEW
    if booking.state in WAITING or trip is None or trip.state not in COMING:
        return Fate.KEEP
    return Fate.KEEP if seat_for(trip, demand, now) == booking.seat else Fate.RESEAT
