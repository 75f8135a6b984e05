"""Reads the cells that every sheet has: texts, numbers, days."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from shared.sheets.container import Value

_DATE: Final = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))")
_NO_YEAR: Final = re.compile(r"(\d{1,2})月(\d{1,2})日?")
_MIDNIGHT: Final = re.compile(r"[ T]0{1,2}:00(:00)?$")
_NUMBER: Final = re.compile(r"\d{1,9}")
_UNITS: Final = "人天晚"
# A leap day comes back after eight years at the latest.
_YEARS: Final = 9


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell comes to; a `code` is a fault, which leaves the row out unless `warns`."""

    value: object = None
    code: str | None = None
    warns: bool = False


#: Reads the clean text of a cell that isn't empty, on a day.
Reader = Callable[[str, date], Cell]


def clean(value: Value) -> str:
    """Give a cell's text: NFKC, trimmed, line breaks as spaces, nothing that can't be seen."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else unicodedata.normalize("NFKC", str(value))
    text = re.sub(r"\s+", " ", text)
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf")).strip()


def as_written(text: str, _: date) -> Cell:
    """A name or a mark, as it is; the limits are those of the command."""
    return Cell(text)


def whole_number(text: str, _: date) -> Cell:
    """A count, with or without its unit."""
    number = text.rstrip(_UNITS).strip()
    return Cell(int(number)) if _NUMBER.fullmatch(number) else Cell(code="number_invalid")


def day(text: str, today: date) -> Cell:
    """A day in ISO's form; 3月1日 is the next one."""
    told = _MIDNIGHT.sub("", text).replace(" ", "")
    if full := _DATE.fullmatch(told):
        found = _real(*(int(g) for g in full.groups() if g is not None))
        return Cell(found.isoformat()) if found else Cell(code="date_invalid")
    short = _NO_YEAR.fullmatch(told)
    years = range(today.year, today.year + _YEARS) if short else ()
    days = [_real(y, int(short[1]), int(short[2])) for y in years] if short else []
    coming = next((d for d in days if d and d >= today), None)
    if coming is None:
        return Cell(code="date_invalid")
    return Cell(coming.isoformat(), "date_year_assumed", warns=True)


def _real(year: int, month: int, day_: int) -> date | None:
    try:
        return date(year, month, day_)
    except ValueError:
        return None
