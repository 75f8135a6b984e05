"""Turns a sheet into rows of fields, and lists all faults of all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from shared.sheets.cells import Cell, Reader, clean
from shared.sheets.container import ROWS_MAX, Sheet, Value, sheets
from shared.sheets.header import Columns, Header
from shared.sheets.issue import Issue, Place, Sentences, Severity, SheetRefused

# How the lines below a table begin that are none of its rows.
_FOOT: Final = (
    "合计", "总计", "小计", "填表", "制表", "审核", "单位", "联系人", "说明", "备注", "注:",
    "以下空白",
)  # fmt: skip
_SERIAL: Final = "serial"


@dataclass(slots=True)
class Row:
    """A row (as the spreadsheet counts, from 1): its fields, and what is wrong."""

    row: int
    fields: dict[str, Any] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    @property
    def errors(self) -> list[Issue]:
        """What stands against the row."""
        return [i for i in self.issues if i.severity == "error"]


@dataclass(frozen=True, slots=True)
class Found:
    """A sheet as it was read: `places` maps fields to (column from 0, the header's own word)."""

    rows: list[Row]
    notices: list[Issue]
    places: dict[str, tuple[int, str]]

    @property
    def issues(self) -> list[Issue]:
        """All that is told about the sheet."""
        return [*self.notices, *(i for row in self.rows for i in row.issues)]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Found":
        """Read what `as_dict` gave."""
        rows = [Row(r["row"], r["fields"], [Issue(**i) for i in r["issues"]]) for r in told["rows"]]
        places = {f: (column, word) for f, (column, word) in told["places"].items()}
        return cls(rows, [Issue(**i) for i in told["notices"]], places)

    def place(self, row: Row, name: str) -> Place:
        """Give where a field of a row stands, as far as the sheet has it."""
        column, word = self.places.get(name, (None, None))
        return row.row, column, word


@dataclass(frozen=True, slots=True)
class Table:
    """What a service reads: its columns, how to read a cell of each, what is said about it."""

    columns: Columns
    readers: Mapping[str, Reader]
    sentences: Sentences
    text_length_max: int

    def read(self, data: bytes, filename: str, today: date) -> Found:
        """Read a file. Raises `SheetRefused` for what is wrong with the whole of it."""
        sheet, header, notices = self._choose(sheets(data, filename))
        self.columns.check(header)
        rows = [self._row(n, cells, sheet, header, today) for n, cells in self._rows(sheet, header)]
        if not rows:
            raise SheetRefused("no_rows")
        if len(rows) > ROWS_MAX:
            raise SheetRefused("too_many_rows")
        return Found(rows, [*notices, *self._unread(header)], header.places)

    def _choose(self, all_: Iterator[Sheet]) -> tuple[Sheet, Header, list[Issue]]:
        """Give the first sheet with a header, and a notice of each other that has one, too."""
        with_header = [(s, header) for s in all_ if (header := self.columns.find(s.rows))]
        if not with_header:
            raise SheetRefused("header_not_found")
        (sheet, header), *others = with_header
        tell = self.sentences.issue
        return (
            sheet,
            header,
            [tell("sheet_not_read", "info", (None, None, s.name)) for s, _ in others],
        )

    def _unread(self, header: Header) -> Iterator[Issue]:
        for n, (word, known) in enumerate(zip(header.words, header.fields, strict=True)):
            if word and known is None:
                place = (None, n, word)
                if self.columns.is_personal(word):
                    yield self.sentences.issue("personal_data", "warning", place)
                else:
                    yield self.sentences.issue("header_unknown", "info", place)

    def _rows(self, sheet: Sheet, header: Header) -> Iterator[tuple[int, list[Value]]]:
        """Give the lines that count: neither empty, nor only numbered, nor below the table."""
        columns = {name: n for name, (n, _) in header.places.items()}
        main = {columns[name] for name in self.columns.main & columns.keys()}
        for number, values in enumerate(sheet.rows[header.row + 1 :], header.row + 1):
            texts = [clean(v) for v in values]
            filled = [n for n, text in enumerate(texts) if text]
            if not filled or filled == [columns.get(_SERIAL)]:
                continue
            if main.isdisjoint(filled) and texts[filled[0]].startswith(_FOOT):
                continue
            yield number, values

    def _row(
        self, number: int, values: Sequence[Value], sheet: Sheet, header: Header, today: date
    ) -> Row:
        row = Row(number + 1)
        for name, (column, word) in header.places.items():
            if name == _SERIAL:
                continue
            place = (row.row, column, word)
            if (number, column) in sheet.formulas:
                row.issues.append(self.sentences.issue("formula_not_allowed", "error", place, name))
                continue
            text = clean(values[column]) if column < len(values) else ""
            cell = self._cell(name, text, today)
            if cell.code:
                severity: Severity = "warning" if cell.warns else "error"
                row.issues.append(self.sentences.issue(cell.code, severity, place, name))
            row.fields[name] = cell.value
        width = len(header.words)
        if any(clean(v) for v in values[width:]):
            row.issues.append(self.sentences.issue("row_too_long", "error", (row.row, width, None)))
        return row

    def _cell(self, name: str, text: str, today: date) -> Cell:
        if len(text) > self.text_length_max:
            return Cell(code="text_too_long")
        if not text:
            return Cell(code="required" if self.columns.needs(name) else None)
        return self.readers[name](text, today)
