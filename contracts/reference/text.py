"""Brings what people write to one form before it is looked up in a table."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

#: Longer texts are no names; looking for names in them would only cost time.
LENGTH_MAX: Final = 100

_NOISE: Final = re.compile(r"[\s\-_·,，。.:：;；、/()]+")
_SEVERAL: Final = re.compile(r"[、，,;；/|\s+]+|和|或|以及")


def plain(text: str) -> str:
    """Give the text in NFKC, upper case, without spaces, brackets and punctuation."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text[:LENGTH_MAX])).upper()


def several(text: str) -> list[str]:
    """Split a text that lists things; one thing alone is given as it is."""
    whole = unicodedata.normalize("NFKC", text[:LENGTH_MAX])
    parts = [part for part in _SEVERAL.split(whole) if part]
    return parts if len(parts) > 1 else [whole]


def longest_inside(text: str, names: Mapping[str, str]) -> str | None:
    """Find the longest name (two characters or more) inside a text; give what it maps to."""
    for length in range(len(text), 1, -1):
        for start in range(len(text) - length + 1):
            found = names.get(text[start : start + length])
            if found is not None:
                return found
    return None
