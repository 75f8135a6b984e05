"""The kinds of values that events are made of, each with the limits that every database takes."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

INT_MAX: Final = 2**31 - 1
_EARLIEST: Final = date(1900, 1, 1)
_LATEST: Final = date(2200, 1, 1)
_LONG_NUMBER: Final = re.compile(r"\d{7}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
PERSONAL_DATA: Final = "personal_data"
USCC_CHECKSUM: Final = "uscc_checksum"
_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))


class Part(BaseModel):
    """A frozen part of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Body(BaseModel):
    """A command's body: unknown fields are refused, so that a typing error has no silent effect."""

    model_config = ConfigDict(extra="forbid")


def holds_long_number(text: str) -> bool:
    """Tell whether a text holds a run of 7 digits or more: an ID number or a phone, not a title."""
    return _LONG_NUMBER.search(text) is not None


def _without_personal_data(text: str) -> str:
    if holds_long_number(text):
        raise ValueError(PERSONAL_DATA)
    return text


def _on_one_line(text: str) -> str:
    # PostgreSQL's text takes no NUL; other control characters have no place in a name either.
    if _CONTROL.search(text):
        raise ValueError("control characters")
    return text


def is_uscc(code: str) -> bool:
    """Tell whether a unified social credit code's last character checks the others (GB 32100)."""
    if len(code) != len(_USCC_WEIGHTS) + 1 or not set(code) <= set(_USCC):
        return False
    total = sum(_USCC.index(c) * weight for c, weight in zip(code, _USCC_WEIGHTS, strict=False))
    return code[-1] == _USCC[-total % len(_USCC)]


def _with_its_check(code: str) -> str:
    if not is_uscc(code):
        raise ValueError(USCC_CHECKSUM)
    return code


def _in_utc(instant: datetime) -> datetime:
    if not _EARLIEST.year < instant.year < _LATEST.year:
        raise ValueError("out of range")
    return instant.astimezone(UTC)


def _plausible(day: date) -> date:
    if not _EARLIEST <= day < _LATEST:
        raise ValueError("out of range")
    return day


#: A name of a thing (drive, site, inn, organisation): a fact, with no run of 7 digits or more, on
#: one line.
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_without_personal_data),
    AfterValidator(_on_one_line),
]
#: A reason or rule: a word of ours, never text that a person typed about a person.
Code = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$"),
    AfterValidator(_without_personal_data),
]
#: GB/T 2260, six digits.
DivisionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
#: A boarding place: `<division code>-<nn>`, `-00` being the county's coach station.
PlaceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}-[0-9]{2}$")]
#: A code of the reference tables (occupation, education, certificate).
ReferenceCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,29}$"),
    AfterValidator(_without_personal_data),
]
#: GB 32100, 18 characters.
Uscc = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJ-NP-RT-UW-Y]{18}$")]
#: One that somebody types in: its check character must be right, so that a slip names nobody else.
TypedUscc = Annotated[Uscc, AfterValidator(_with_its_check)]
#: A lodging programme's code, like `YOUJIA`.
ProgrammeCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][A-Z0-9_-]{0,29}$"),
    AfterValidator(_without_personal_data),
]
#: A month without a day: enough for age rules, too little to find a person.
YearMonth = Annotated[str, StringConstraints(pattern=r"^(18|19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")]
#: An instant in UTC.
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
#: A civil date in Asia/Shanghai.
Day = Annotated[date, AfterValidator(_plausible)]
Count = Annotated[int, Field(ge=0, le=INT_MAX)]
#: Yuan a month.
Pay = Annotated[int, Field(ge=0, le=10_000_000)]
Priority = Annotated[int, Field(ge=0, le=9)]
Gender = Literal["male", "female"]


class Site(Part):
    """A workplace."""

    name: Title
    division_code: DivisionCode
    town: Title
