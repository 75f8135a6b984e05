"""Telephone numbers as offices write them (rosters.md, Cells: `phone`)."""

import re
from typing import Final

from services.registry.roster.parsed import Parsed, error, warned

_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_LAND_LINE: Final = re.compile(r"0\d{2,3}\d{7,8}")
_PREFIX: Final = re.compile(r"^(?:\+86|0086|86)(?=\d)")
_BETWEEN: Final = re.compile(r"[/,;、，；|\\]|或|和")
_NOISE: Final = re.compile(r"[\s\-‐-―−()']+")


def phone(text: str) -> Parsed[str]:
    """Read one cell: the first number counts. Gives eleven digits, or a land line."""
    if _MOBILE.fullmatch(text):
        return Parsed(text)
    parts = [p for p in (_NOISE.sub("", p) for p in _BETWEEN.split(text)) if p]
    parts = [q for p in parts for q in _halves(p)]
    if not parts:
        return error("phone_invalid")
    first = _number(parts[0])
    if first is None:
        return error("phone_invalid")
    codes = ["phone_landline"] if first.startswith("0") else []
    if len(parts) > 1:
        codes.append("phone_several")
    return warned(first, *codes)


def emergency_phone(text: str) -> Parsed[str]:
    """Read one cell as `phone` does; what is no number is left empty, with a warning."""
    if not text:
        return Parsed(None)
    read = phone(text)
    return read if read.value else warned(None, "phone_invalid")


def _number(digits: str) -> str | None:
    plain = _PREFIX.sub("", digits)
    for candidate in (plain, digits):
        if _MOBILE.fullmatch(candidate) or _LAND_LINE.fullmatch(candidate):
            return candidate
    return None


def _halves(digits: str) -> list[str]:
    """Part two numbers that only a blank stood between."""
    for cut in range(7, len(digits) - 6):
        pair = digits[:cut], digits[cut:]
        if _number(digits) is None and all(_number(half) for half in pair):
            return list(pair)
    return [digits]
