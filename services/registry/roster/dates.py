"""Dates as offices write them (rosters.md, Cells: `available_from`, `hired_on`)."""

import re
from datetime import date, timedelta
from typing import Final

from services.registry.roster.parsed import Parsed, error, warned
from services.registry.roster.sheet import Value
from services.registry.roster.text import clean

_FULL: Final = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日?)"
)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NO_YEAR: Final = re.compile(r"(\d{1,2})月(\d{1,2})日?")
_MIDNIGHT: Final = re.compile(r"[ T]0{1,2}:00(?::00(?:\.0+)?)?$")
_AT_ONCE: Final = ("随时", "立即")
# A leap day comes back after eight years at the latest.
_YEARS: Final = 9

# What events can say.
_FIRST: Final = date(1900, 1, 1)
_LAST: Final = date(2200, 1, 1)

HIRED_BACK_DAYS: Final = 365
HIRED_AHEAD_DAYS: Final = 180


def available_from(value: Value, today: date) -> Parsed[date]:
    """Read the day from which a person can leave; `today` is the day of submission."""
    text = clean(value)
    if not text or text in _AT_ONCE:
        return Parsed(today)
    day, assumed = _day(value, text, today, nearest=False)
    if day is None:
        return error("date_invalid")
    if day < today:
        return warned(today, "date_in_past")
    return warned(day, "date_year_assumed") if assumed else Parsed(day)


def hired_on(value: Value, today: date) -> Parsed[date]:
    """Read the day of hiring: at most 365 days back and 180 ahead of the day of submission."""
    text = clean(value)
    day, assumed = _day(value, text, today, nearest=True)
    if day is None or not _hirable(day, today):
        return error("date_invalid")
    return warned(day, "date_year_assumed") if assumed else Parsed(day)


def _hirable(day: date, today: date) -> bool:
    return today - timedelta(HIRED_BACK_DAYS) <= day <= today + timedelta(HIRED_AHEAD_DAYS)


def _day(value: Value, text: str, today: date, *, nearest: bool) -> tuple[date | None, bool]:
    """Give the day and whether its year was assumed."""
    if isinstance(value, date):
        return _real(value.year, value.month, value.day), False
    text = _MIDNIGHT.sub("", text).replace(" ", "")
    full = _FULL.fullmatch(text) or _COMPACT.fullmatch(text)
    if full:
        year, month, day = (int(g) for g in full.groups() if g is not None)
        return _real(year, month, day), False
    short = _NO_YEAR.fullmatch(text)
    if not short:
        return None, False
    return _assumed(int(short[1]), int(short[2]), today, nearest=nearest), True


def _assumed(month: int, day: int, today: date, *, nearest: bool) -> date | None:
    around = range(today.year - _YEARS * nearest, today.year + _YEARS)
    days = [d for y in around if (d := _real(y, month, day))]
    if nearest:
        return min(days, key=lambda d: abs((d - today).days), default=None)
    return min((d for d in days if d >= today), default=None)


def _real(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if _FIRST <= found < _LAST else None
