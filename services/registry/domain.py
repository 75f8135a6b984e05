"""What the registry decides: profiles, a batch's state, what changed in a nomination."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Literal
from uuid import UUID

BatchKind = Literal["origin_roster", "new_hires"]
FinalState = Literal["accepted", "partly_accepted", "rejected"]
Destination = Literal["outside_province", "other_prefecture", "other_county", "same_county"]

#: Business time without a live placement after which a nomination ends (events.md, Nominations).
NOMINATION_LIFE: Final = timedelta(days=180)
#: How long rows that were left out are kept for the workbook that goes back (rosters.md, Persons).
REJECTED_ROWS_KEPT: Final = timedelta(days=7)
REVEAL_IDS_MAX: Final = 2_000
#: Where people go, far ones first (domain.md, Statistics).
DESTINATIONS: Final[tuple[Destination, ...]] = (
    "outside_province", "other_prefecture", "other_county", "same_county",
)  # fmt: skip
#: After how many months offices report who is still there (domain.md, Statistics).
MILESTONES: Final = (3, 6)
#: Groups under so many persons are shown to other tenants as fewer (domain.md, Statistics).
GROUP_SHOWN_MIN: Final = 5
_FEW: Final = f"<{GROUP_SHOWN_MIN}"
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
class Group:
    """How many persons, and how many of them are lifted out of poverty."""

    total: int
    poverty_lifted: int

    def __add__(self, other: "Group") -> "Group":
        """Count two groups as one."""
        return Group(self.total + other.total, self.poverty_lifted + other.poverty_lifted)

    def shown(self, *, exact: bool) -> dict[str, object]:
        """Give the figures: to other tenants no group below five, nor what leaves such a rest."""
        if exact or not self.total:
            return {"total": self.total, "poverty_lifted": self.poverty_lifted}
        if self.total < GROUP_SHOWN_MIN:
            return {"total": _FEW, "poverty_lifted": _FEW}
        return {"total": self.total, "poverty_lifted": self._lifted_shown()}

    def _lifted_shown(self) -> int | str:
        if 0 < self.poverty_lifted < GROUP_SHOWN_MIN:
            return _FEW
        if 0 < self.total - self.poverty_lifted < GROUP_SHOWN_MIN:
            return f">{self.total - GROUP_SHOWN_MIN}"
        return self.poverty_lifted


NOBODY: Final = Group(0, 0)


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the persons asked about after some months, who is still there.

    `corrected_since`: how many of the answers were given, or changed, after the day of the report.
    """

    checked: int
    retained: int
    corrected_since: int

    def shown(self, *, exact: bool) -> dict[str, object]:
        """Give the figures: to other tenants no group below five, nor who is missing from one."""
        told = Group(self.checked, self.retained).shown(exact=exact)
        since = Group(self.corrected_since, 0).shown(exact=exact)
        return {
            "checked": told["total"],
            "retained": told["poverty_lifted"],
            "corrected_since": since["total"],
        }


def kept_shown(kept: Mapping[int, Kept], *, exact: bool) -> dict[str, object]:
    """Give who is still there after 3 and 6 months, and any other number that was asked about."""
    months = sorted({*MILESTONES, *kept})
    return {str(m): kept.get(m, Kept(0, 0, 0)).shown(exact=exact) for m in months}


def transfers_shown(groups: Mapping[Destination, Group], *, exact: bool) -> dict[str, object]:
    """Give an office's transfer employment as it is shown to itself (exact) or to other tenants.

    A sum is left out (None) where it would tell the only figure that is hidden in it.
    """
    parts = {d: groups.get(d, NOBODY).shown(exact=exact) for d in DESTINATIONS}
    whole: dict[str, object] = sum(groups.values(), NOBODY).shown(exact=exact)
    for figure in ("total", "poverty_lifted"):
        if sum(isinstance(part[figure], str) for part in parts.values()) == 1:
            whole[figure] = whole[figure] if isinstance(whole[figure], str) else None
    return {"transfer_employment": whole, "by_destination": parts}


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
