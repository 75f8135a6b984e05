"""What a placed person needs, and which seat of a trip serves it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.transport.domain.trip import Seat, Trip, civil_date

Route = tuple[str, str | None, str, str, date, date]


class PlacementState(StrEnum):
    """How the placement stands, as far as it was heard."""

    CONFIRMED = "confirmed"
    STARTED = "started"
    CANCELLED = "cancelled"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Demand:
    """A placement as heard last. `city` is the destination pool, dates are of Asia/Shanghai."""

    placement_id: UUID
    nomination_id: UUID
    worker_id: UUID
    office_id: UUID
    enterprise_id: UUID
    journey_id: UUID
    state: PlacementState
    needs_seat: bool
    city: str
    site_division_code: str
    origin_division_code: str
    boarding_place_code: str | None
    available_from: date
    starts_on: date
    group_id: UUID | None
    group_placed_count: int
    priority: int
    erased: bool = False

    @property
    def boarding_division_code(self) -> str:
        """The division in which the person boards."""
        return (
            self.boarding_place_code[:6] if self.boarding_place_code else self.origin_division_code
        )

    @property
    def route(self) -> Route:
        """What decides which seat of a trip serves: equal for all who travel alike."""
        return (
            self.city,
            self.boarding_place_code,
            self.boarding_division_code,
            self.site_division_code,
            self.available_from,
            self.starts_on,
        )


def board_index(trip: Trip, demand: Demand) -> int | None:
    """Give the stop with the person's place code, else the first of the same division, else None.

    The last stop is no place to board.
    """
    stops = trip.stops[:-1]
    by_place = (i for i, s in enumerate(stops) if s.place_code == demand.boarding_place_code)
    by_division = (
        i for i, s in enumerate(stops) if s.division_code == demand.boarding_division_code
    )
    return next(by_place, next(by_division, None))


def alight_index(trip: Trip, demand: Demand, board: int) -> int:
    """Give the first stop after boarding that lies in the site's division, else the last stop."""
    last = len(trip.stops) - 1
    later = range(board + 1, last + 1)
    return next(
        (i for i in later if trip.stops[i].division_code == demand.site_division_code), last
    )


def in_window(trip: Trip, demand: Demand, seat: Seat) -> bool:
    """Tell whether the seat departs on or after `available_from` and arrives before `starts_on`."""
    departs_at, arrives_at = trip.times(seat)
    return (
        civil_date(departs_at) >= demand.available_from
        and civil_date(arrives_at) < demand.starts_on
    )


def seat_for(trip: Trip, demand: Demand, now: datetime) -> Seat | None:
    """Give the seat with which a trip serves a person, or None when it doesn't serve.

    Whether it is free is another question; what has left its stop already serves nobody.
    """
    board = board_index(trip, demand) if trip.city == demand.city else None
    if board is None:
        return None
    seat = Seat(board, alight_index(trip, demand, board))
    if trip.times(seat)[0] <= now or not in_window(trip, demand, seat):
        return None
    return seat
