"""A trip: one plan per vehicle, its stops and times, and the table of what may happen to it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.transport import VehicleKind

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


class TripState(StrEnum):
    """Where a trip is; the names are those of the API."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    DEPARTED = "departed"
    ARRIVED = "arrived"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class TripStep(StrEnum):
    """What happens to a trip."""

    OPEN = "open"
    CHANGE = "change"
    BOOK = "book"
    BOARD = "board"
    DELAY = "delay"
    DEPART = "depart"
    ARRIVE = "arrive"
    CANCEL = "cancel"
    CLOSE = "close"


S = TripState
TRIP_TABLE: Final[dict[tuple[TripState, TripStep], TripState]] = {
    (S.SCHEDULED, TripStep.OPEN): S.OPEN,
    **{(s, TripStep.CHANGE): s for s in (S.SCHEDULED, S.OPEN)},
    # A coordinator may book on a trip that isn't open yet: that seat counts towards its minimum.
    **{(s, TripStep.BOOK): s for s in (S.SCHEDULED, S.OPEN)},
    # Scans come late: aboard is who was aboard, also after the arrival.
    **{(s, TripStep.BOARD): s for s in (S.OPEN, S.DEPARTED, S.ARRIVED)},
    **{(s, TripStep.DELAY): s for s in (S.SCHEDULED, S.OPEN, S.DEPARTED)},
    (S.OPEN, TripStep.DEPART): S.DEPARTED,
    (S.DEPARTED, TripStep.ARRIVE): S.ARRIVED,
    **{(s, TripStep.CANCEL): S.CANCELLED for s in (S.SCHEDULED, S.OPEN)},
    (S.ARRIVED, TripStep.CLOSE): S.CLOSED,
}

#: The states in which a trip takes passengers or may come to do so.
COMING: Final = (S.SCHEDULED, S.OPEN)
#: The states in which its passengers are under way.
UNDER_WAY: Final = (S.DEPARTED, S.ARRIVED)


class WrongTripStateError(Exception):
    """The step isn't possible in the trip's state."""

    def __init__(self, state: TripState, step: TripStep) -> None:
        super().__init__(f"{step} isn't possible while the trip is {state}")
        self.state = state
        self.step = step


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where a trip stops: the times as planned, and as they are with the delay so far.

    `synced_at` is when the escort's list of this stop came in.
    """

    place_code: str
    division_code: str
    planned_arrives_at: datetime | None
    planned_departs_at: datetime | None
    arrives_at: datetime | None
    departs_at: datetime | None
    synced_at: datetime | None = None

    @classmethod
    def planned(
        cls, place: tuple[str, str], arrives_at: datetime | None, departs_at: datetime | None
    ) -> "Stop":
        """Give a stop of a new plan; `place` is place code and division code."""
        return cls(*place, arrives_at, departs_at, arrives_at, departs_at)


@dataclass(frozen=True, slots=True)
class Carrier:
    """The vehicle of a trip; `licensed_capacity` is for passengers, crew sits elsewhere."""

    plate: str
    kind: VehicleKind
    licensed_capacity: int


@dataclass(frozen=True, slots=True)
class Seat:
    """From which stop to which, as indexes of the trip's stops."""

    board: int
    alight: int


@dataclass(slots=True)
class Trip:
    """A trip as it is stored. `city` is the destination's; Shanghai's districts count as one."""

    trip_id: UUID
    destination_division_code: str
    city: str
    vehicle: Carrier
    operator: str
    contract_number: str
    crew: tuple[str, ...]
    escort: str
    minimum_load: int
    stops: tuple[Stop, ...]
    state: TripState = TripState.SCHEDULED
    delay_minutes: int = 0
    reason: str | None = None
    departed_at: datetime | None = None
    arrived_at: datetime | None = None
    manifest_version: int = 0

    @property
    def departs_at(self) -> datetime:
        """The first departure."""
        return _known(self.stops[0].departs_at)

    @property
    def arrives_at(self) -> datetime:
        """The last arrival."""
        return _known(self.stops[-1].arrives_at)

    def times(self, seat: Seat) -> tuple[datetime, datetime]:
        """Give departure and arrival of a seat."""
        return _known(self.stops[seat.board].departs_at), _known(self.stops[seat.alight].arrives_at)

    def places(self, seat: Seat) -> tuple[str, str]:
        """Give the place codes between which a seat rides."""
        return self.stops[seat.board].place_code, self.stops[seat.alight].place_code

    def index_of(self, place_code: str) -> int | None:
        """Give the index of the stop at a place, or None."""
        found = (i for i, s in enumerate(self.stops) if s.place_code == place_code)
        return next(found, None)

    def take(self, step: TripStep) -> None:
        """Go a step of the table; raises `WrongTripStateError`."""
        if (self.state, step) not in TRIP_TABLE:
            raise WrongTripStateError(self.state, step)
        self.state = TRIP_TABLE[self.state, step]

    def may(self, step: TripStep) -> bool:
        """Tell whether the table has the step."""
        return (self.state, step) in TRIP_TABLE

    def has_lapsed(self, now: datetime) -> bool:
        """Tell whether the first departure has passed and the trip was never opened."""
        return self.state is TripState.SCHEDULED and self.departs_at <= now

    def delay(self, minutes: int, now: datetime) -> None:
        """Be later by `minutes` in all than planned, from the first time that isn't past on."""
        self.take(TripStep.DELAY)
        under_way = self.state in UNDER_WAY
        self.delay_minutes = minutes
        late = timedelta(minutes=minutes)
        self.stops = tuple(_delayed(s, late, now if under_way else None) for s in self.stops)


def civil_date(instant: datetime) -> date:
    """Give the date in Asia/Shanghai of an instant."""
    return instant.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """Give the instant at which a day begins in Asia/Shanghai."""
    return datetime.combine(day, time(), SHANGHAI)


def _known(instant: datetime | None) -> datetime:
    if instant is None:
        raise ValueError("only the first stop has no arrival, only the last no departure")
    return instant


def _delayed(stop: Stop, late: timedelta, now: datetime | None) -> Stop:
    return replace(
        stop,
        arrives_at=_later(stop.planned_arrives_at, stop.arrives_at, late, now),
        departs_at=_later(stop.planned_departs_at, stop.departs_at, late, now),
    )


def _later(
    planned: datetime | None, current: datetime | None, late: timedelta, now: datetime | None
) -> datetime | None:
    # What a bus under way has behind it doesn't become late any more.
    if planned is None or (now is not None and current is not None and current <= now):
        return current
    return planned + late
