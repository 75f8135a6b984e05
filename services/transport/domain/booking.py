"""A booking: one person's wish for a seat, the seat, and the table of what may happen to it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from services.transport.domain.origin import Origin
from services.transport.domain.trip import Seat

WaitReason = Literal["no_trip", "below_minimum", "full"]
ReleaseReason = Literal["cancelled", "changed", "rebooked", "erased"]
Outcome = Literal["received", "not_arrived", "left_early"]


class BookingState(StrEnum):
    """Where a booking is; the names are those of the API.

    `pooled` wishes for a seat and was told nothing yet, `waitlisted` was told why there is none.
    """

    POOLED = "pooled"
    WAITLISTED = "waitlisted"
    BOOKED = "booked"
    BOARDED = "boarded"
    MISSED = "missed"
    HANDED_OVER = "handed_over"
    RELEASED = "released"


class BookingStep(StrEnum):
    """What happens to a booking."""

    BOOK = "book"
    WAITLIST = "waitlist"
    CHANGE = "change"
    RELEASE = "release"
    STRAND = "strand"
    BOARD = "board"
    MISS = "miss"
    HAND_OVER = "hand_over"


B = BookingState
WAITING: Final = (B.POOLED, B.WAITLISTED)
#: Who has or had the seat: a missed passenger's late scan still finds it.
SEATED: Final = (B.BOOKED, B.BOARDED, B.MISSED, B.HANDED_OVER)
LIVE: Final = (*WAITING, B.BOOKED, B.BOARDED)

BOOKING_TABLE: Final[dict[tuple[BookingState, BookingStep], BookingState]] = {
    **{(s, BookingStep.BOOK): B.BOOKED for s in WAITING},
    **{(s, BookingStep.WAITLIST): B.WAITLISTED for s in WAITING},
    **{(s, BookingStep.CHANGE): s for s in (B.BOOKED, B.BOARDED)},
    **{(s, BookingStep.RELEASE): B.RELEASED for s in (*WAITING, B.BOOKED)},
    # The trip is cancelled while people sit in the vehicle already.
    **{(s, BookingStep.STRAND): B.RELEASED for s in (B.BOOKED, B.BOARDED)},
    # A late scan wins over the no-show.
    **{(s, BookingStep.BOARD): B.BOARDED for s in (B.BOOKED, B.MISSED)},
    (B.BOOKED, BookingStep.MISS): B.MISSED,
    (B.BOARDED, BookingStep.HAND_OVER): B.HANDED_OVER,
}


class WrongBookingStateError(Exception):
    """The step isn't possible in the booking's state."""

    def __init__(self, state: BookingState, step: BookingStep) -> None:
        super().__init__(f"{step} isn't possible while the booking is {state}")
        self.state = state
        self.step = step


@dataclass(slots=True)
class Booking:
    """A booking as it is stored. `pooled_at` is real time: since when the person waits.

    `cause_id` is the event that brought the wish, `traceparent` its trace.
    """

    booking_id: UUID
    placement_id: UUID
    worker_id: UUID
    office_id: UUID
    enterprise_id: UUID
    nomination_id: UUID
    journey_id: UUID
    pooled_at: datetime
    group_id: UUID | None = None
    cause_id: UUID | None = None
    traceparent: str | None = None
    state: BookingState = BookingState.POOLED
    waiting_for: WaitReason | None = None
    trip_id: UUID | None = None
    board_ordinal: int | None = None
    alight_ordinal: int | None = None
    released_for: ReleaseReason | None = None
    rebooked_as: UUID | None = None
    boarded_at: datetime | None = None
    boarded_stop: str | None = None
    missed_at: datetime | None = None
    handed_over_at: datetime | None = None
    outcome: Outcome | None = None

    @property
    def origin(self) -> Origin | None:
        """The event that brought the wish, unless a command did."""
        return Origin(self.cause_id, self.traceparent) if self.cause_id else None

    @property
    def seat(self) -> Seat | None:
        """The seat, if there is or was one."""
        if self.board_ordinal is None or self.alight_ordinal is None:
            return None
        return Seat(self.board_ordinal, self.alight_ordinal)

    def take(self, step: BookingStep) -> None:
        """Go a step of the table; raises `WrongBookingStateError`."""
        if (self.state, step) not in BOOKING_TABLE:
            raise WrongBookingStateError(self.state, step)
        self.state = BOOKING_TABLE[self.state, step]

    def may(self, step: BookingStep) -> bool:
        """Tell whether the table has the step."""
        return (self.state, step) in BOOKING_TABLE

    def sit(self, trip_id: UUID, seat: Seat) -> None:
        """Have this seat on this trip."""
        self.trip_id = trip_id
        self.board_ordinal, self.alight_ordinal = seat.board, seat.alight
        self.waiting_for = None
