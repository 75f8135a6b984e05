"""Finds the header among a sheet's first rows and says which column holds which field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from services.registry.roster.fields import NAME, RESIDENT_ID, folded
from services.registry.roster.limits import SEARCHED_ROWS
from services.registry.roster.sheet import Marks, Value

_KNOWN_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class Header:
    """A header found: where, what each column says, and which field it is (None: unknown)."""

    first_row: int
    last_row: int
    words: tuple[str, ...]
    fields: tuple[str | None, ...]

    @property
    def known_count(self) -> int:
        """How many columns are known."""
        return sum(f is not None for f in self.fields)

    def column_of(self, field: str) -> int | None:
        """The column of a field, from 0; None if the roster has no such column."""
        return self.fields.index(field) if field in self.fields else None

    def repeated(self) -> list[str]:
        """The fields that stand in more than one column."""
        known = [f for f in self.fields if f]
        return sorted({f for f in known if known.count(f) > 1})


def find_header(
    rows: Sequence[tuple[int, Sequence[Value]]],
    marks: Marks,
    synonyms: Mapping[str, str],
    *,
    is_text: bool,
) -> Header | None:
    """Give the row or pair with the most known names among the first 20, the first of equals.

    A single row goes before a pair that knows no more. None: no row knows two names, one of them
    the name or the ID number.
    """
    top = [(n, r) for n, r in rows if n < SEARCHED_ROWS]
    best: Header | None = None
    for candidate in _candidates(top, marks, synonyms, is_text=is_text):
        enough = candidate.known_count >= _KNOWN_MIN
        if not enough or not {NAME, RESIDENT_ID} & set(candidate.fields):
            continue
        if best is None or candidate.known_count > best.known_count:
            best = candidate
    return _trimmed(best) if best else None


def _trimmed(header: Header) -> Header:
    """Leave out what stands behind the last header word: those are no columns."""
    width = max((i for i, word in enumerate(header.words, 1) if word), default=0)
    return replace(header, words=header.words[:width], fields=header.fields[:width])


def _candidates(
    top: Sequence[tuple[int, Sequence[Value]]],
    marks: Marks,
    synonyms: Mapping[str, str],
    *,
    is_text: bool,
) -> Iterable[Header]:
    for number, row in top:
        words = tuple(_text(v) for v in row)
        yield Header(
            number, number, words, tuple(synonyms.get(folded(w)) if w else None for w in words)
        )
    for (number, upper), (below, lower) in pairwise(top):
        if below != number + 1:
            continue
        spread = _spread(number, upper, lower, marks, is_text=is_text)
        if spread:
            yield _paired(number, spread, lower, synonyms)


def _spread(
    number: int, upper: Sequence[Value], lower: Sequence[Value], marks: Marks, *, is_text: bool
) -> list[str] | None:
    """Give the upper row with each merged group's word over all its columns; None without a group.

    A CSV shows no merges: there a group is a word followed by empty cells above filled ones.
    """
    width = max(len(upper), len(lower))
    words = [_text(upper[i]) if i < len(upper) else "" for i in range(width)]
    groups = [(c0, c1) for r0, c0, r1, c1 in marks.merges if r0 == r1 == number and c1 > c0]
    if is_text:
        groups = _text_groups(words, [_text(v) for v in lower])
    for first, last in groups:
        words[first : last + 1] = [words[first]] * (min(last, width - 1) - first + 1)
    return words if groups else None


def _text_groups(upper: list[str], lower: list[str]) -> list[tuple[int, int]]:
    groups: list[tuple[int, int]] = []
    start = None
    for column, word in enumerate(upper):
        if word:
            start = column
        elif start is not None and column < len(lower) and lower[column] and lower[start]:
            if groups and groups[-1][0] == start:
                groups[-1] = (start, column)
            else:
                groups.append((start, column))
    return groups


def _paired(
    number: int, upper: list[str], lower: Sequence[Value], synonyms: Mapping[str, str]
) -> Header:
    words, fields = [], []
    for column, above in enumerate(upper):
        below = _text(lower[column]) if column < len(lower) else ""
        repeats = column > 0 and bool(above) and above == upper[column - 1]
        word, field = _looked_up("" if repeats and not below else above, below, synonyms, repeats)
        words.append(word)
        fields.append(field)
    return Header(number, number + 1, tuple(words), tuple(fields))


def _looked_up(
    above: str,
    below: str,
    synonyms: Mapping[str, str],
    repeats: bool,  # noqa: FBT001 (one of four)
) -> tuple[str, str | None]:
    # A group's word counts as a column's name once, over its first column.
    for word in (above + below, below, "" if repeats else above):
        if word and folded(word) in synonyms:
            return word, synonyms[folded(word)]
    return below or above, None


def _text(value: Value) -> str:
    return "" if value is None else str(value).strip()
