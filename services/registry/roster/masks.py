"""Shows an office which value is meant, without telling a person (rosters.md, An issue)."""

import re
from typing import Final

from services.registry.roster.fields import HIRED_ON, NAME, PHONE, RESIDENT_ID

_PLAIN: Final = frozenset(
    {
        "gender",
        "poverty_lifted_worker",
        "monitored_person",
        "preferred_pay",
        "available_from",
        HIRED_ON,
        "needs_bed",
    }
)
_PHONES: Final = frozenset({PHONE, "emergency_phone"})
_NAMES: Final = frozenset({NAME, "emergency_contact"})
# A date, a pay and a yes are short; what is longer, or holds a long number, is no such thing.
_PLAIN_LENGTH_MAX: Final = 20
_LONG_NUMBER: Final = re.compile(r"\d{9}")
_STARRED_LENGTH_MAX: Final = 100
_PHONE_TAIL: Final = 4


def mask(field: str | None, text: str) -> str | None:
    """Mask a cell's text by its field: None for an empty cell."""
    if not text:
        return None
    if len(text) > _STARRED_LENGTH_MAX:
        # No number or name is as long, and nobody counts the stars of thousands of letters.
        return f"{len(text)} 字"
    if field == RESIDENT_ID:
        return mask_id(text)
    if field in _NAMES:
        return mask_name(text)
    if field in _PHONES:
        return mask_phone(text)
    short = len(text) <= _PLAIN_LENGTH_MAX and not _LONG_NUMBER.search(text)
    return text if field in _PLAIN and short else f"{len(text)} 字"


def mask_id(text: str) -> str:
    """Show the first and last character (facts.md, F28: more would find the person)."""
    ends = 2
    return f"{text[0]}{'*' * (len(text) - ends)}{text[-1]}" if len(text) > ends else "*" * len(text)


def mask_name(text: str) -> str:
    """Show the first character."""
    return text[0] + "*" * (len(text) - 1)


def mask_phone(text: str) -> str:
    """Show the last four digits."""
    hidden = max(len(text) - _PHONE_TAIL, 0)
    return "*" * hidden + text[hidden:] if hidden else "*" * len(text)
