"""A worksheet as the readers give it: rows of plain values with the office's own row numbers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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

    def computed(self) -> dict[int, list[int]]:
        """Give the columns with formulas of each row that has any."""
        found: dict[int, list[int]] = {}
        for row, column in self.formulas:
            found.setdefault(row, []).append(column)
        return found


@dataclass(slots=True)
class Sheet:
    """One visible worksheet; `rows` can be read again and again."""

    name: str
    rows: "Rows"
    marks: Marks
    size: tuple[int, int]
    """How many rows and columns have something in them, at most."""
    is_text: bool = False
    """True for CSV: every value is text, and merges cannot be seen."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as (row number from 0, values from column A), each time from the first on.

    calamine's begin with the first row, but at the first used column: `left` are empty before it.
    """

    source: Callable[[], Iterable[Sequence[Value]]]
    left: int = 0
    merges: Sequence[tuple[int, int, int, int]] = ()
    """As in `Marks`: what a merged range covers is empty, whatever was left in the file."""

    def __iter__(self) -> Iterator[tuple[int, list[Value]]]:
        """Begin with the first row."""
        rows = self._padded()
        return _uncovered(rows, self.merges) if self.merges else rows

    def _padded(self) -> Iterator[tuple[int, list[Value]]]:
        if not self.left:
            yield from enumerate(self.source())
            return
        pad: list[Value] = [None] * self.left
        for number, row in enumerate(self.source()):
            yield number, [*pad, *row]


def _uncovered(
    rows: Iterator[tuple[int, list[Value]]], merges: Sequence[tuple[int, int, int, int]]
) -> Iterator[tuple[int, list[Value]]]:
    waiting = sorted(merges, reverse=True)
    over: list[tuple[int, int, int, int]] = []
    for number, row in rows:
        while waiting and waiting[-1][0] <= number:
            over.append(waiting.pop())
        if over:
            # Sound ranges don't overlap: no more of them than there are columns lie beside another.
            over = [m for m in over if m[2] >= number][: len(row)]
            for top, left, _, right in over:
                first = left + (top == number)
                row[first : right + 1] = [None] * len(row[first : right + 1])
        yield number, row
