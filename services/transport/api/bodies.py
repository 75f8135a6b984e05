"""The bodies of transport's commands, and what makes a plan complete."""

import re
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StringConstraints,
)

from contracts.fields import (
    PERSONAL_DATA,
    Body,
    DivisionCode,
    PlaceCode,
    Title,
    holds_long_number,
)
from contracts.transport import VehicleKind
from services.transport.domain.booking import Outcome

STOPS_MAX: Final = 200
PASSENGERS_MAX: Final = 5_000
SCANS_MAX: Final = 5_000
DELAY_MINUTES_MAX: Final = 14 * 24 * 60
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _no_person(text: str) -> str:
    if holds_long_number(text) and not _UUID.fullmatch(text):
        raise ValueError(PERSONAL_DATA)
    return text


#: A code of staff (names are the registry's business), or the id of an account.
StaffCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$"),
    AfterValidator(_no_person),
]
ContractNumber = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Plate = Annotated[str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True)]
Reason = Annotated[str, Field(max_length=200)]
#: Text of a ticket's QR code.
TicketText = Annotated[str, Field(max_length=300)]


class VehicleBody(Body):
    """A vehicle; `licensed_capacity` is what passengers may use."""

    plate: Plate
    licensed_capacity: int = Field(ge=1, le=PASSENGERS_MAX)
    kind: VehicleKind
    operator: Title | None = None


class CarrierBody(Body):
    """The vehicle of a trip."""

    plate: Plate
    licensed_capacity: int = Field(ge=1, le=PASSENGERS_MAX)
    kind: VehicleKind


class StopBody(Body):
    """A stop; the first needs no arrival, the last no departure."""

    place_code: PlaceCode
    division_code: DivisionCode
    arrives_at: AwareDatetime | None = None
    departs_at: AwareDatetime | None = None


def in_order(stops: list[StopBody]) -> list[StopBody]:
    """Give the stops with complete times; each once, and no time before the one that precedes."""
    completed = completed_stops(stops)
    if len({s.place_code for s in stops}) < len(stops):
        raise ValueError("stop_twice")
    for here, there in pairwise(completed):
        if _instant(here.departs_at) >= _instant(there.arrives_at):
            raise ValueError("times_out_of_order")
    if any(s.arrives_at and s.departs_at and s.arrives_at > s.departs_at for s in completed):
        raise ValueError("times_out_of_order")
    return completed


def completed_stops(stops: list[StopBody]) -> list[StopBody]:
    """Let a stop between with one time only arrive and leave at that; drop times of no meaning."""
    last = len(stops) - 1
    found = [
        s.model_copy(
            update={
                "arrives_at": None if n == 0 else (s.arrives_at or s.departs_at),
                "departs_at": None if n == last else (s.departs_at or s.arrives_at),
            }
        )
        for n, s in enumerate(stops)
    ]
    missing = [s for s in found if s.arrives_at is None and s.departs_at is None]
    if missing or found[0].departs_at is None or found[-1].arrives_at is None:
        raise ValueError("times_missing")
    return found


def _instant(instant: datetime | None) -> datetime:
    if instant is None:
        raise ValueError("times_missing")
    return instant


#: The stops of a trip in their order, with complete times.
Stops = Annotated[
    list[StopBody], Field(min_length=2, max_length=STOPS_MAX), AfterValidator(in_order)
]


class TripBody(Body):
    """One plan per vehicle. `minimum_load` absent: the setting's."""

    destination_division_code: DivisionCode
    vehicle: CarrierBody
    operator: Title
    contract_number: ContractNumber
    crew: list[StaffCode] = Field(default_factory=list, max_length=20)
    escort: StaffCode | None = None
    minimum_load: int | None = Field(None, ge=0, le=PASSENGERS_MAX)
    wholly_on_motorway: bool = False
    stops: Stops


class TripChangeBody(Body):
    """Another vehicle, crew, escort, or other stops and times; what is absent stays."""

    vehicle: CarrierBody | None = None
    crew: list[StaffCode] | None = Field(None, max_length=20)
    escort: StaffCode | None = None
    stops: Stops | None = None
    wholly_on_motorway: bool = False


class AtBody(Body):
    """A moment; absent: now."""

    at: AwareDatetime | None = None


class ReasonBody(Body):
    """Why; what is no code becomes `other` and is kept nowhere."""

    reason: Reason | None = None

    @property
    def code(self) -> str | None:
        """The reason as a code."""
        return code_of(self.reason)


class DelayBody(Body):
    """Later by so many minutes in all than planned; 0 takes a delay back."""

    delay_minutes: int = Field(ge=0, le=DELAY_MINUTES_MAX)
    reason: Reason | None = None


class BookingBody(Body):
    """A seat on a named trip."""

    placement_id: UUID
    trip_id: UUID


class BookingChangeBody(Body):
    """Another trip, another stop, or both."""

    trip_id: UUID | None = None
    board_stop: PlaceCode | None = None


class ScanBody(Body):
    """A passenger checked at a stop; `ticket` is the text of the QR code, if one was read."""

    scan_id: UUID
    booking_id: UUID
    scanned_at: AwareDatetime
    stop: PlaceCode
    ticket: TicketText | None = None


class BoardAllBody(Body):
    """Everyone of a stop is aboard but these; `list_id` names the list: it may come twice."""

    list_id: UUID
    scanned_at: AwareDatetime
    except_booking_ids: list[UUID] = Field(default_factory=list, max_length=PASSENGERS_MAX)


class HandoverBody(Body):
    """How a passenger was received."""

    booking_id: UUID
    outcome: Outcome


def code_of(reason: str | None) -> str | None:
    """Give a reason as a code of ours; any other text becomes `other`, for it may name a person."""
    if reason is None:
        return None
    return reason if _CODE.fullmatch(reason) else "other"
