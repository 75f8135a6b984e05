"""What recruitment says: drives, vacancies, offers, placements."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.event import Event, PersonFact
from contracts.fields import (
    Code,
    Count,
    Day,
    DivisionCode,
    Gender,
    Instant,
    Part,
    Pay,
    PlaceCode,
    Priority,
    ProgrammeCode,
    ReferenceCode,
    Site,
    Title,
)

Acceptance = Literal["on_nomination", "by_office", "by_worker"]


class DriveFact(Event):
    """The whole of a recruitment drive. `origins` are division codes, `enterprises` tenant ids."""

    drive_id: UUID
    title: Title
    kind: Code
    origins: tuple[DivisionCode, ...]
    enterprises: tuple[UUID, ...]
    opens_on: Day
    closes_on: Day
    acceptance: Acceptance
    runs_transport: bool
    priority: Priority = 0


class DriveAnnounced(DriveFact, service="recruitment", noun="drive", key="drive_id"):
    """A drive is known; it takes nominations, and matches from its opening on."""


class DriveOpened(DriveFact, service="recruitment", noun="drive", key="drive_id"):
    """The drive matches."""


class DriveClosed(DriveFact, service="recruitment", noun="drive", key="drive_id"):
    """The drive is over; what has no live placement is said to be unplaced."""


class Requirements(Part):
    """Hard rules of a vacancy. Ages are full years on `starts_on`."""

    gender: Gender | None = None
    age_min: int | None = Field(None, ge=16, le=80)
    age_max: int | None = Field(None, ge=16, le=80)
    education_code: ReferenceCode | None = None
    certificate_codes: tuple[ReferenceCode, ...] = ()


class VacancyFact(Event):
    """The whole of a vacancy; pay is yuan a month. `labour_brand` is the brand's code, if any."""

    vacancy_id: UUID
    drive_id: UUID
    enterprise_id: UUID
    site: Site
    title: Title
    occupation_code: ReferenceCode
    openings: Count
    starts_on: Day
    monthly_pay_min: Pay
    monthly_pay_max: Pay
    requirements: Requirements = Requirements()
    programme: ProgrammeCode | None = None
    nights: int | None = Field(None, ge=1, le=366)
    labour_brand: Code | None = None


class VacancyPosted(VacancyFact, service="recruitment", noun="vacancy", key="vacancy_id"):
    """An enterprise looks for workers."""


class VacancyChanged(VacancyFact, service="recruitment", noun="vacancy", key="vacancy_id"):
    """The new whole of a vacancy; also when openings come free again."""

    changed: tuple[Code, ...] = ()


class VacancyFilled(VacancyFact, service="recruitment", noun="vacancy", key="vacancy_id"):
    """Every opening has its placement."""


class VacancyWithdrawn(VacancyFact, service="recruitment", noun="vacancy", key="vacancy_id"):
    """The enterprise no longer looks."""

    reason: Code | None = None


class NearestMiss(Part):
    """The vacancy that a person misses by least, and the rules that stand between."""

    vacancy_id: UUID
    rules: tuple[Code, ...]


class NominationUnplaced(PersonFact, service="recruitment", noun="nomination", key="nomination_id"):
    """No vacancy for this nomination for now; the last one said counts."""

    nomination_id: UUID
    office_id: UUID
    drive_id: UUID | None = None
    round: Count
    reason: Code
    nearest_miss: NearestMiss | None = None


class OfferFact(PersonFact):
    """An offer of a vacancy to a nominated person."""

    offer_id: UUID
    nomination_id: UUID
    office_id: UUID
    enterprise_id: UUID
    vacancy_id: UUID
    drive_id: UUID | None = None
    group_id: UUID | None = None
    expires_at: Instant | None = None
    reason: Code | None = None


class OfferMade(OfferFact, service="recruitment", noun="offer", key="offer_id"):
    """An opening is kept for this person until it expires; `acceptance` says who answers."""

    acceptance: Acceptance = "by_office"


class OfferAccepted(OfferFact, service="recruitment", noun="offer", key="offer_id"):
    """The offer is taken."""


class OfferDeclined(OfferFact, service="recruitment", noun="offer", key="offer_id"):
    """The offer is refused by the office or the worker."""


class OfferExpired(OfferFact, service="recruitment", noun="offer", key="offer_id"):
    """Nobody answered in time."""


class OfferWithdrawn(OfferFact, service="recruitment", noun="offer", key="offer_id"):
    """The enterprise or the system took the offer back."""


class PlacementFact(PersonFact):
    """The whole of a placement: everything that transport and lodging need."""

    placement_id: UUID
    nomination_id: UUID
    gender: Gender
    office_id: UUID
    enterprise_id: UUID
    drive_id: UUID
    vacancy_id: UUID
    site: Site
    starts_on: Day
    hired_on: Day
    origin_division_code: DivisionCode
    boarding_place_code: PlaceCode | None = None
    available_from: Day
    group_id: UUID | None = None
    group_placed_count: Count | None = None
    needs_seat: bool
    needs_bed: bool
    programme: ProgrammeCode | None = None
    nights: int | None = Field(None, ge=1, le=366)
    priority: Priority = 0


class PlacementConfirmed(
    PlacementFact, service="recruitment", noun="placement", key="placement_id"
):
    """A person has a job."""


class PlacementChanged(PlacementFact, service="recruitment", noun="placement", key="placement_id"):
    """The new whole of a placement; `changed` names the fields."""

    changed: tuple[Code, ...]


class PlacementFate(PersonFact):
    """How a placement went on."""

    placement_id: UUID
    nomination_id: UUID
    office_id: UUID
    enterprise_id: UUID
    drive_id: UUID | None = None
    reason: Code | None = None
    by: Code


class PlacementCancelled(
    PlacementFate, service="recruitment", noun="placement", key="placement_id"
):
    """The job is off before its start; seat and bed are given back."""

    rematch: bool = False


class PlacementStarted(PlacementFate, service="recruitment", noun="placement", key="placement_id"):
    """The person has started working (onboarding)."""

    started_on: Day


class PlacementEnded(PlacementFate, service="recruitment", noun="placement", key="placement_id"):
    """The person has left the job after starting."""

    ended_on: Day


class RetentionChecked(PersonFact, service="recruitment", noun="placement", key="placement_id"):
    """Whether the person is still there after so many months; `corrects` is an earlier event."""

    placement_id: UUID
    nomination_id: UUID
    milestone_months: int = Field(ge=1, le=120)
    due_on: Day
    answered_on: Day
    result: Literal["retained", "left", "unknown"]
    corrects: UUID | None = None
