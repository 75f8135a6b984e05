"""The bodies of lodging's commands, with the limits that every database takes."""

from datetime import time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue, StringConstraints

from contracts.fields import Body, Day, DivisionCode, ProgrammeCode, Title

BEDS_MAX = 5_000
GUESTS_MAX = 500

Name = Annotated[str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True)]
Reason = Annotated[str, Field(max_length=200)]


class ProgrammeBody(Body):
    """A programme's rules as they are to be from now on; `cut_off` is a time of day."""

    hire_window_days: int = Field(90, ge=0, le=3_660)
    night_cap: int = Field(15, ge=1, le=366)
    hold_minutes: int = Field(30, ge=1, le=10_080)
    cut_off: time = time(22)
    priorities: list[JsonValue] | dict[str, JsonValue] = Field(default_factory=list, max_length=20)


class RoomBody(Body):
    """A room and the names of its beds."""

    room: Name
    beds: list[Name] = Field(min_length=1, max_length=50)


class InnBody(Body):
    """An inn; without `programmes` it takes guests of every programme."""

    inn_id: UUID | None = None
    name: Title
    town: Title
    division_code: DivisionCode
    programmes: list[ProgrammeCode] = Field(default_factory=list, max_length=20)
    rooms: list[RoomBody] = Field(min_length=1, max_length=2_000)


class ClosureBody(Body):
    """Beds out of service from a night on, up to the day before `to` (open-ended without it)."""

    model_config = ConfigDict(populate_by_name=True)

    bed_ids: list[UUID] = Field(min_length=1, max_length=BEDS_MAX)
    from_on: Day = Field(alias="from")
    to_on: Day | None = Field(None, alias="to")
    reason: Reason = ""


class KeyEnterpriseBody(Body):
    """An entry of the key list; `valid_to` is its last day."""

    name: Title
    credit_level: Literal["A", "B", "C", "revoked"]
    valid_from: Day
    valid_to: Day | None = None


class CommitmentBody(Body):
    """A standing commitment; a coordinator names the enterprise."""

    programme: ProgrammeCode
    enterprise_id: UUID | None = None


class GuestBody(Body):
    """A guest; guests of one `family` may share a room."""

    worker_id: UUID
    family: str | int | bool | None = None


class StayRequestBody(Body):
    """Beds for an enterprise's new hires; a coordinator names the enterprise."""

    programme: ProgrammeCode
    check_in_on: Day
    nights: int = Field(ge=1, le=366)
    guests: list[GuestBody] = Field(min_length=1, max_length=GUESTS_MAX)
    together: bool = False
    wait: bool = True
    inn_id: UUID | None = None
    enterprise_id: UUID | None = None


class AtBody(Body):
    """A moment; absent: now."""

    at: AwareDatetime | None = None


class ReasonBody(Body):
    """Why; what is no code of ours becomes `other` and is kept nowhere."""

    reason: Reason = "cancelled"


class ExtendBody(Body):
    """So many nights more."""

    nights: int = Field(ge=1, le=366)


class MoveBody(Body):
    """Into that bed."""

    bed_id: UUID


class NextHomeBody(Body):
    """Where the guest goes from here."""

    next_home: Literal["long_stay_home", "dormitory", "own", "home_region", "other"]
