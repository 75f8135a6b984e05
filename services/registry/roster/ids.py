"""Resident identity numbers (GB 11643) as they stand in cells."""

import re
from datetime import date
from functools import lru_cache
from operator import mul
from typing import Final, NamedTuple

from contracts.reference import is_known_division
from services.registry.roster.issue import Severity
from services.registry.roster.parsed import Parsed, error
from services.registry.roster.sheet import Value

_NOISE: Final = re.compile(r"[\s\-‐-―−]+")
_QUOTES: Final = "'‘’`"
_SCIENTIFIC: Final = re.compile(r"[+-]?\d+(?:\.\d*)?E[+-]?\d+", re.IGNORECASE)
_WHOLE: Final = re.compile(r"[0-9]{17}[0-9X]")
_DIGITS: Final = re.compile(r"[0-9]+[0-9X]?")
# A number cell keeps 15 digits; what is longer has lost some.
_EXACT_BELOW: Final = 10**15
_OLD_LENGTH: Final = 15
_LENGTH: Final = 18
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# A digit's byte is more than the digit by that of zero.
_ZEROS: Final = ord("0") * sum(_WEIGHTS)
_CHECKS: Final = "10X98765432"
# Events can say no earlier month.
_FIRST_YEAR: Final = 1800
_AGE_MIN: Final = 16
_AGE_MAX: Final = 65
#: The template's own: of the right form, but no person's, whose number begins with a county's code.
EXAMPLE_ID: Final = "530900199001010010"


class Told(NamedTuple):
    """What a valid number says of its bearer."""

    gender: str
    birth: date
    birth_year_month: str


def resident_id(value: Value, text: str, today: date) -> Parsed[str]:
    """Read one filled cell: eighteen characters, or the first fault in the order of the rules.

    `today` is the day of submission: a birth after it is none.
    """
    number = text
    # Nearly every number is whole as it stands.
    if not (isinstance(value, str) and _WHOLE.fullmatch(text)):
        if is_imprecise(value, text):
            return error("id_precision_lost")
        number = _NOISE.sub("", text).lstrip(_QUOTES).upper()
        if fault := _form_fault(number):
            return error(fault)
    fault = _number_fault(number, today)
    return error(fault) if fault else _flagged(number, today)


def _form_fault(number: str) -> str | None:
    if not _DIGITS.fullmatch(number):
        return "id_characters"
    if len(number) == _OLD_LENGTH and number.isdecimal():
        return "id_old_format"
    return None if len(number) == _LENGTH else "id_length"


def _number_fault(number: str, today: date) -> str | None:
    birth = _birth(number)
    if birth is None or birth > today:
        return "id_birthdate"
    if checked(number[:-1]) != number[-1]:
        return "id_checksum"
    return "id_example" if number == EXAMPLE_ID else None


def is_imprecise(value: Value, text: str) -> bool:
    """Tell whether a spreadsheet has turned the number into one that lost its last digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return abs(value) >= _EXACT_BELOW
    return _SCIENTIFIC.fullmatch(text.replace(" ", "").lstrip(_QUOTES)) is not None


# A row asks more than once.
@lru_cache(maxsize=1)
def told_by(number: str) -> Told:
    """Give what a valid number says."""
    birth = date.fromisoformat(number[6:14])
    gender = "male" if int(number[16]) % 2 else "female"
    return Told(gender, birth, f"{number[6:10]}-{number[10:12]}")


def checked(body: str) -> str:
    """Give the check character of the first seventeen digits."""
    return _CHECKS[(sum(map(mul, _WEIGHTS, body.encode())) - _ZEROS) % 11]


def _flagged(number: str, today: date) -> Parsed[str]:
    faults: list[tuple[str, Severity]] = []
    birth = told_by(number).birth
    if not is_known_division(number[:6]):
        faults.append(("division_unknown", "warning"))
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    if age < _AGE_MIN:
        faults.append(("under_age", "error"))
    if age > _AGE_MAX:
        faults.append(("over_age", "warning"))
    return Parsed(number, tuple(faults))


def _birth(number: str) -> date | None:
    try:
        birth = date.fromisoformat(number[6:14])
    except ValueError:
        return None
    return birth if birth.year >= _FIRST_YEAR else None
