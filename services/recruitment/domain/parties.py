"""The two sides of a match: person and vacancy, with what the rules look at and no more."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

Gender = Literal["male", "female"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A nomination in a round; `group_id` only while the person goes with the group.

    `birth_year_month` is `YYYY-MM`. `paired` says whether the office is one of the drive's
    origins. `version` is that of the row as it was read. `skip_count` counts the rounds that
    passed over the group.
    """

    nomination_id: UUID
    worker_id: UUID
    office_id: UUID
    gender: Gender
    birth_year_month: str
    available_from: date
    paired: bool = True
    education_code: str | None = None
    certificate_codes: tuple[str, ...] = ()
    occupation_codes: tuple[str, ...] = ()
    preferred_pay_min: int | None = None
    group_id: UUID | None = None
    skip_count: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A vacancy in a round; pay is yuan a month, `free` the openings that nobody holds."""

    vacancy_id: UUID
    enterprise_id: UUID
    town: str
    occupation_code: str
    starts_on: date
    pay_min: int
    pay_max: int
    free: int
    openings: int
    gender: Gender | None = None
    age_min: int | None = None
    age_max: int | None = None
    education_code: str | None = None
    certificate_codes: tuple[str, ...] = ()

    @property
    def cluster(self) -> tuple[str, str]:
        """Where a group can be together: one enterprise in one town (district code and name)."""
        return (str(self.enterprise_id), self.town)


# 劳动法第十五条: nobody under 16 may be hired, whatever a vacancy asks for.
LEGAL_AGE_MIN: Final = 16


def age_on(birth_year_month: str, day: date) -> int:
    """Give full years on a day; in the birth month a person doesn't count as a year older yet."""
    year, month = int(birth_year_month[:4]), int(birth_year_month[5:7])
    return day.year - year - (day.month <= month)
