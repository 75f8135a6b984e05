"""Finds a sheet's header, and says which of its columns holds which field."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.sheets.container import SEARCHED_ROWS, Value
from shared.sheets.issue import SheetRefused

_KNOWN_MIN: Final = 2
_BRACKETS: Final = re.compile(r"[(\[【（].*?[)\]】）]|[\s*＊]")


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header is (row from 0), what each column says, and its field (None: unknown)."""

    row: int
    words: tuple[str, ...]
    fields: tuple[str | None, ...]

    @property
    def known_count(self) -> int:
        """How many columns are known."""
        return sum(f is not None for f in self.fields)

    @property
    def places(self) -> dict[str, tuple[int, str]]:
        """Each field's column (from 0) and the header's own word."""
        known = enumerate(zip(self.fields, self.words, strict=True))
        return {name: (n, word) for n, (name, word) in known if name is not None}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a service's sheet.

    `words`: each field's name and what else people call it. `main`: a header knows one of them at
    the least. `required`: without these nothing can be done; one of them is there, too, when all
    of its `parts` are. `personal`: people put them into every sheet, and they aren't read.
    """

    words: Mapping[str, tuple[str, ...]]
    main: frozenset[str]
    required: tuple[str, ...]
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    personal: frozenset[str] = frozenset()

    def find(self, rows: Sequence[Sequence[Value]]) -> Header | None:
        """Give the row with the most known names among the first 20, the first of equals."""
        names = {word: field for field, words in self.words.items() for word in words}
        candidates = [_header(n, row, names) for n, row in enumerate(rows[:SEARCHED_ROWS])]
        fit = [c for c in candidates if c.known_count >= _KNOWN_MIN and self.main & set(c.fields)]
        return max(fit, key=lambda c: c.known_count, default=None)

    def check(self, header: Header) -> None:
        """Refuse a header with a column twice, or without one that is needed."""
        known = [f for f in header.fields if f]
        self._refuse("header_duplicate", [f for f in dict.fromkeys(known) if known.count(f) > 1])
        self._refuse("header_missing", [f for f in self.required if not self._has(f, known)])

    def needs(self, name: str) -> bool:
        """Tell whether a column that is there may not be left empty."""
        return name in self.required or any(name in parts for parts in self.parts.values())

    def is_personal(self, word: str) -> bool:
        """Tell whether a column of this name holds what is told about a person."""
        return folded(word) in self.personal

    def _has(self, name: str, known: Sequence[str]) -> bool:
        parts = self.parts.get(name)
        return name in known or (parts is not None and set(parts) <= set(known))

    def _refuse(self, code: str, names: Sequence[str]) -> None:
        if names:
            raise SheetRefused(code, "、".join(self.words[name][0] for name in names))


def folded(word: str) -> str:
    """Give a header's comparable form: no blanks, no stars, no brackets' content."""
    return _BRACKETS.sub("", unicodedata.normalize("NFKC", word))


def _header(number: int, row: Sequence[Value], names: Mapping[str, str]) -> Header:
    words = tuple("" if v is None else str(v).strip() for v in row)
    while words and not words[-1]:
        words = words[:-1]
    return Header(number, words, tuple(names.get(folded(w)) for w in words))
