"""Cells with a small answer: gender, yes or no, pay (rosters.md, Cells)."""

import re
from functools import lru_cache
from typing import Final

from services.registry.roster.parsed import Parsed, warned

_GENDERS: Final = {
    "男": "male", "男性": "male", "M": "male", "女": "female", "女性": "female", "F": "female",
}  # fmt: skip
_YES: Final = ("是", "有", "√", "✓", "Y", "YES", "1")
_NO: Final = ("", "否", "无", "×", "N", "NO", "0")

_AMOUNT: Final = r"(\d+(?:\.\d+)?)(千|万|K|W)?"
_UNIT: Final = r"(?:元)?(?:/?(?:每?月|个月))?"
_PAY: Final = re.compile(
    rf"{_AMOUNT}{_UNIT}(?:[-~至到―—–]{_AMOUNT}{_UNIT})?(以上|起|\+)?", re.IGNORECASE
)
_FACTOR: Final = {None: 1, "千": 1000, "K": 1000, "万": 10_000, "W": 10_000}
_PAY_MAX: Final = 1_000_000
# An office writes few different answers into a column.
_CACHED: Final = 1_024


@lru_cache(maxsize=_CACHED)
def gender(text: str, by_id: str | None) -> Parsed[str]:
    """Read a gender; the ID number's own counts (`by_id`: None without a valid ID)."""
    if not text:
        return Parsed(by_id)
    told = _GENDERS.get(text.upper())
    if told is None:
        return warned(by_id, "value_unclear")
    if by_id and told != by_id:
        return warned(by_id, "gender_mismatch")
    return Parsed(by_id or told)


@lru_cache(maxsize=_CACHED)
def yes_no(text: str) -> Parsed[bool]:
    """Read a yes or no; empty is no, anything else unknown (None)."""
    if text.upper() in _NO:
        return Parsed(value=False)
    return Parsed(value=True) if text.upper() in _YES else warned(None, "value_unclear")


@lru_cache(maxsize=_CACHED)
def pay(text: str) -> Parsed[tuple[int | None, int | None]]:
    """Read a monthly pay in yuan as (least, most); open (None) for 面议 or empty."""
    if text in ("", "面议"):
        return Parsed(None)
    match = _PAY.fullmatch(text.replace(",", "").replace(" ", ""))
    if not match:
        return warned(None, "value_unclear")
    low_unit = match[2] or match[4]
    low = _yuan(match[1], low_unit)
    high = _yuan(match[3], match[4]) if match[3] else None
    if max(low, high or 0) > _PAY_MAX or (high is not None and high < low):
        return warned(None, "value_unclear")
    if match[5]:
        return Parsed((low, None))
    return Parsed((low, low if high is None else high))


def _yuan(amount: str, unit: str | None) -> int:
    return round(float(amount) * _FACTOR[unit.upper() if unit else None])
