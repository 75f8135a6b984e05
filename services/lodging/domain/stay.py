"""A stay: a guest's nights in a bed, and the table of what may happen to it in which state."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from services.lodging.domain.calendar import Nights
from services.lodging.domain.places import Place


class State(StrEnum):
    """Where a stay is; the names are those of the API."""

    REQUESTED = "requested"
    HELD = "held"
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    REJECTED = "rejected"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    RELEASED = "released"
    MISSED = "missed"


class Step(StrEnum):
    """What happens to a stay."""

    HOLD = "hold"
    CONFIRM = "confirm"
    WAITLIST = "waitlist"
    REJECT = "reject"
    RELEASE = "release"
    CHANGE = "change"
    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"
    MISS = "miss"


BEDDED: Final = frozenset({State.HELD, State.CONFIRMED, State.CHECKED_IN})
ARRIVING: Final = frozenset({State.REQUESTED, State.WAITLISTED, State.HELD, State.CONFIRMED})
LIVE: Final = ARRIVING | {State.CHECKED_IN}
UNDECIDED: Final = frozenset({State.REQUESTED, State.WAITLISTED})

S = State
TABLE: Final[dict[tuple[State, Step], State]] = {
    **{(s, Step.HOLD): S.HELD for s in (S.REQUESTED, S.WAITLISTED)},
    (S.HELD, Step.CONFIRM): S.CONFIRMED,
    **{(s, Step.WAITLIST): S.WAITLISTED for s in (S.REQUESTED, S.HELD, S.CONFIRMED)},
    **{(s, Step.REJECT): S.REJECTED for s in (S.REQUESTED, S.WAITLISTED)},
    **{(s, Step.RELEASE): S.RELEASED for s in ARRIVING},
    # A guest who comes after the bed was given up is taken in if there is still a bed.
    **{(s, Step.CHANGE): s for s in (*LIVE, S.MISSED)},
    **{(s, Step.CHECK_IN): S.CHECKED_IN for s in (S.CONFIRMED, S.MISSED)},
    (S.CHECKED_IN, Step.CHECK_OUT): S.CHECKED_OUT,
    (S.CONFIRMED, Step.MISS): S.MISSED,
}


class WrongStateError(Exception):
    """The step isn't possible in the stay's state."""

    def __init__(self, state: State, step: Step) -> None:
        super().__init__(f"{step} isn't possible while the stay is {state}")
        self.state = state
        self.step = step


Origin = Literal["placement", "direct"]


@dataclass(slots=True)
class Stay:
    """A stay as it is stored: dates of Asia/Shanghai, instants UTC; the migration explains."""

    stay_id: UUID
    origin: Origin
    worker_id: UUID
    gender: str | None
    enterprise_id: UUID
    check_in_on: date
    check_out_on: date
    requested_at: datetime
    state: State = State.REQUESTED
    office_id: UUID | None = None
    placement_id: UUID | None = None
    nomination_id: UUID | None = None
    hire_id: UUID | None = None
    booking_id: UUID | None = None
    stay_request_id: UUID | None = None
    journey_id: UUID | None = None
    announced: bool = False
    programme: str | None = None
    rule_version: int = 0
    programme_asked: str | None = None
    nights_asked: int | None = None
    wait: bool = True
    wanted_inn_id: UUID | None = None
    group_id: UUID | None = None
    group_size: int = 1
    family_id: UUID | None = None
    town: str | None = None
    division_code: str | None = None
    priority: int = 0
    ready_at: datetime | None = None
    passed_count: int = 0
    inn_id: UUID | None = None
    bed_id: UUID | None = None
    arrival_on: date | None = None
    expected_at: datetime | None = None
    cut_off_at: datetime | None = None
    expires_at: datetime | None = None
    town_missing: bool = False
    reason: str | None = None
    rule: str | None = None
    decision: dict[str, object] = field(default_factory=dict)
    decided_at: datetime | None = None
    granted_nights: int = 0
    given_back_nights: int = 0
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    missed_at: datetime | None = None
    overstayed_at: datetime | None = None
    next_home: str | None = None
    next_home_asked_at: datetime | None = None
    cause_id: UUID | None = None
    traceparent: str | None = None
    overstayed_nights: int = 0

    @property
    def nights(self) -> Nights:
        """The nights asked for or granted."""
        return Nights(self.check_in_on, self.check_out_on)

    @property
    def site(self) -> Place | None:
        """Where the guest works, if it is known."""
        return None if self.town is None else (self.town, self.division_code or "")

    def take(self, step: Step) -> None:
        """Move by the table; raises `WrongStateError`."""
        following = TABLE.get((self.state, step))
        if following is None:
            raise WrongStateError(self.state, step)
        self.state = following

    def place(self, nights: Nights) -> None:
        """Set other dates."""
        self.check_in_on, self.check_out_on = nights.check_in_on, nights.check_out_on

    def give_back(self) -> None:
        """Give the granted nights back; which bed it was stays on record."""
        if self.bed_id is not None:
            self.given_back_nights += self.nights.count
        self.expires_at = self.cut_off_at = None
        self.town_missing = False

    def lose_bed(self) -> None:
        """Be without a bed again."""
        self.give_back()
        self.inn_id = self.bed_id = None
