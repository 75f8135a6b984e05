"""A worksheet as the readers give it: rows of plain values with the office's own row numbers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

Value = str | int | float | bool | date | datetime | time | timedelta | None


@dataclass(slots=True)
class Marks:
    """What the values do not show; rows and columns count from 0."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    hidden_rows: bool = False
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    """Each (first column, last column)."""
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Each (first row, first column, last row, last column)."""


@dataclass(slots=True)
class Sheet:
    """One visible worksheet. `rows` can be read once: (row number from 0, values from column A)."""

    name: str
    rows: Iterator[tuple[int, list[Value]]]
    marks: Marks
    is_text: bool = False
    """True for CSV: every value is text, and merges cannot be seen."""


def numbered(rows: Iterable[Sequence[Value]], left: int) -> Iterator[tuple[int, list[Value]]]:
    """Number calamine's rows: they begin with the first row, but at the first used column."""
    pad: list[Value] = [None] * left
    for number, row in enumerate(rows):
        yield number, [*pad, *row]
