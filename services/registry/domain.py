"""What the registry decides: profiles, a batch's state, what changed in a nomination."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Literal
from uuid import UUID

BatchKind = Literal["origin_roster", "new_hires"]
FinalState = Literal["accepted", "partly_accepted", "rejected"]

#: Business time without a live placement after which a nomination ends (events.md, Nominations).
NOMINATION_LIFE: Final = timedelta(days=180)
#: How long rows that were left out are kept for the workbook that goes back (rosters.md, Persons).
REJECTED_ROWS_KEPT: Final = timedelta(days=7)
REVEAL_IDS_MAX: Final = 2_000
#: What a reveal may show; all of it lies sealed in the vault.
REVEALABLE: Final = ("name", "resident_id", "phone", "emergency_contact", "emergency_phone")


@dataclass(frozen=True, slots=True)
class Profile:
    """What others may know of a person. In a row's profile None and () say nothing new."""

    gender: str
    birth_year_month: str
    origin_division_code: str | None
    education_code: str | None = None
    certificate_codes: tuple[str, ...] = ()
    occupation_codes: tuple[str, ...] = ()
    preferred_pay_min: int | None = None
    preferred_pay_max: int | None = None

    def as_fields(self) -> dict[str, Any]:
        """Give the fields as events have them."""
        # By hand: asdict copies deeply, and costs as much as all the rest of an event.
        return {
            "gender": self.gender,
            "birth_year_month": self.birth_year_month,
            "origin_division_code": self.origin_division_code,
            "education_code": self.education_code,
            "certificate_codes": self.certificate_codes,
            "occupation_codes": self.occupation_codes,
            "preferred_pay_min": self.preferred_pay_min,
            "preferred_pay_max": self.preferred_pay_max,
        }

    def with_origin(self, division_code: str) -> "Profile":
        """Give the profile of a person who is new here: without a residence, from there."""
        if self.origin_division_code:
            return self
        return replace(self, origin_division_code=division_code)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a nomination asks for. In a row's wishes None says nothing new."""

    available_from: date | None
    boarding_place_code: str | None
    needs_bed: bool | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How the rows of a batch count; each row counts once."""

    accepted: int
    rejected: int
    duplicate: int
    warnings: int
    groups: int = 0

    @property
    def rows(self) -> int:
        """All rows: accepted, rejected and duplicate ones."""
        return self.accepted + self.rejected + self.duplicate

    @property
    def state(self) -> FinalState:
        """The batch's final state: duplicates don't matter (rosters.md, Persons)."""
        if not self.rejected:
            return "accepted"
        return "partly_accepted" if self.accepted else "rejected"


def changed_wishes(now: Wishes, told: Wishes, today: date) -> tuple[Wishes, tuple[str, ...]]:
    """Give a nomination's wishes after a later row, and the names of those that changed.

    Whoever could leave before and can leave "today" has said nothing new.
    """
    leaves = told.available_from
    if leaves == today and now.available_from and now.available_from <= today:
        leaves = None
    new = Wishes(
        available_from=leaves or now.available_from,
        boarding_place_code=told.boarding_place_code or now.boarding_place_code,
        needs_bed=now.needs_bed if told.needs_bed is None else told.needs_bed,
    )
    names = ("available_from", "boarding_place_code", "needs_bed")
    return new, tuple(n for n in names if getattr(new, n) != getattr(now, n))


def hire_journey(hire_id: UUID, live_nomination_id: UUID | None) -> UUID:
    """Name a hire's journey: the live placement's at that enterprise, else the hire itself."""
    return live_nomination_id or hire_id
