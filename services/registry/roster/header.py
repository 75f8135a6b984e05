"""Finds the header among a sheet's first rows and says which column holds which field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
        """How many names are known; what stands twice counts once."""
        return len({*self.fields} - {None})

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

    A single row goes before a pair that knows no more, unless the pair's lower row only parts what
    the upper one has grouped. None: no row knows two names, one of them the name or the ID number.
    """
    top = [(n, r) for n, r in rows if n < SEARCHED_ROWS]
    best: Header | None = None
    for candidate in _candidates(top, marks, synonyms, is_text=is_text):
        enough = sum(f is not None for f in candidate.fields) >= _KNOWN_MIN
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
    singles = [_single(number, row, synonyms) for number, row in top]
    pairs: list[Header] = []
    for single, (number, upper), (below, lower) in zip(singles, top, top[1:], strict=False):
        if below != number + 1:
            continue
        groups = _groups(number, upper, lower, marks, is_text=is_text)
        if groups:
            pair = _paired(number, _spread(upper, lower, groups), lower, synonyms)
            if _is_parted(single, lower, groups):
                yield pair
            pairs.append(pair)
    yield from singles
    yield from pairs


def _single(number: int, row: Sequence[Value], synonyms: Mapping[str, str]) -> Header:
    words = tuple(_text(v) for v in row)
    return Header(
        number, number, words, tuple(synonyms.get(folded(w)) if w else None for w in words)
    )


def _groups(
    number: int, upper: Sequence[Value], lower: Sequence[Value], marks: Marks, *, is_text: bool
) -> list[tuple[int, int]]:
    """Give the first and last columns that a word of the upper row stands over together.

    A CSV shows no merges: there a group is a word followed by empty cells above filled ones.
    """
    if is_text:
        width = max(len(upper), len(lower))
        words = [_text(upper[i]) if i < len(upper) else "" for i in range(width)]
        return _text_groups(words, [_text(v) for v in lower])
    return [(c0, c1) for r0, c0, r1, c1 in marks.merges if r0 == r1 == number and c1 > c0]


def _spread(
    upper: Sequence[Value], lower: Sequence[Value], groups: list[tuple[int, int]]
) -> list[str]:
    """Give the upper row with each group's word over all its columns."""
    width = max(len(upper), len(lower))
    words = [_text(upper[i]) if i < len(upper) else "" for i in range(width)]
    for first, last in groups:
        words[first : last + 1] = [words[first]] * (min(last, width - 1) - first + 1)
    return words


def _is_parted(upper: Header, lower: Sequence[Value], groups: list[tuple[int, int]]) -> bool:
    """Tell whether the lower row stands under groups and nothing else that says something.

    Then below a header it is no person's row, unless a group is the name's or the number's own:
    that would have a name or a number.
    """
    if upper.known_count < _KNOWN_MIN:
        return False
    under = {c for first, last in groups for c in range(first, last + 1)}
    alone = {c for c, word in enumerate(upper.words) if word} - under
    filled = {c for c, value in enumerate(lower) if _text(value)}
    persons = {c for c, known in enumerate(upper.fields) if known in {NAME, RESIDENT_ID}}
    return bool(filled & under) and not filled & alone and not persons & under


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
