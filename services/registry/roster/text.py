"""Texts as they come out of cells: normalised, trimmed, freed of what cannot be seen."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final

from services.registry.roster.sheet import Value

_BREAKS: Final = re.compile(r"[\r\n\v\f\u0085\u2028\u2029\t]+")
# Up to here a number cell has all of its digits.
_EXACT_BELOW: Final = 10**15
# Nothing of this is changed by NFKC, trimmed, or hidden: most cells are done at a glance.
_PLAIN: Final = re.compile(r"[\u4e00-\u9fff!-~]*")


def cleaned(row: Iterable[Value]) -> list[str]:
    """Give each cell's text."""
    is_plain = _PLAIN.fullmatch
    # Asked for here, nearly every text is spared a call.
    return [v if v.__class__ is str and is_plain(v) else clean(v) for v in row]


def clean(value: Value) -> str:
    """Give a cell's text: NFKC, line breaks as a space, no control or zero-width characters."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else _written(value)
    if _PLAIN.fullmatch(text):
        return text
    text = _BREAKS.sub(" ", unicodedata.normalize("NFKC", text))
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf")).strip()


def _written(value: float | date | time | timedelta) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < _EXACT_BELOW:
            return str(int(value))
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case _:
            return str(value)
