"""Turns a sheet into guests as the command takes them, and lists all faults of all rows."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from services.lodging.sheet.header import PERSONAL, REQUIRED, Header, check_header, find_header
from services.lodging.sheet.issue import issue
from shared.sheets.container import ROWS_MAX, Sheet, Value, sheets
from shared.sheets.issue import Issue, SheetRefused

TEXT_MAX: Final = 100
# How the lines below a table begin that are no guests.
_FOOT: Final = ("合计", "总计", "小计", "填表", "制表", "审核", "单位", "联系人", "说明", "备注")
_DATE: Final = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))")
_MIDNIGHT: Final = re.compile(r"[ T]0{1,2}:00(:00)?$")
_NUMBER: Final = re.compile(r"\d{1,9}")
_YES_NO: Final = {"是": True, "愿意": True, "yes": True, "否": False, "不": False, "no": False}
_PROGRAMMES: Final = {"有嘉客栈": "YOUJIA"}
_QUOTES: Final = re.compile(r"[\"'“”「」]")


@dataclass(slots=True)
class Row:
    """A row (as the spreadsheet counts, from 1): a guest's fields, and what is wrong."""

    row: int
    fields: dict[str, Any] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Tell whether nothing stands against the row."""
        return not any(i.severity == "error" for i in self.issues)


@dataclass(frozen=True, slots=True)
class Found:
    """A sheet as it was read: `places` maps fields to (column from 0, the header's own word)."""

    rows: list[Row]
    notices: list[Issue]
    places: dict[str, tuple[int, str]]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Found":
        """Read what `as_dict` gave."""
        rows = [Row(r["row"], r["fields"], [Issue(**i) for i in r["issues"]]) for r in told["rows"]]
        places = {f: (column, word) for f, (column, word) in told["places"].items()}
        return cls(rows, [Issue(**i) for i in told["notices"]], places)

    def fault(self, row: Row, name: str, code: str, sentence: str | None = None) -> None:
        """Note what is wrong with a field of a row, at its column if the sheet has it."""
        column, word = self.places.get(name, (None, None))
        row.issues.append(issue(code, "error", (row.row, column, word), name, sentence))


def read(data: bytes, filename: str, today: date) -> Found:
    """Read a file. Raises `SheetRefused` for what is wrong with the whole of it."""
    found: tuple[Sheet, Header] | None = None
    notices: list[Issue] = []
    for sheet in sheets(data, filename):
        header = find_header(sheet.rows)
        if header is not None and found is None:
            found = sheet, header
        elif header is not None:
            notices.append(issue("sheet_not_read", "info", (None, None, sheet.name)))
    if found is None:
        raise SheetRefused("header_not_found")
    sheet, header = found
    check_header(header)
    rows = [_row(n, values, sheet, header, today) for n, values in _counted(sheet, header)]
    if not rows:
        raise SheetRefused("no_rows")
    if len(rows) > ROWS_MAX:
        raise SheetRefused("too_many_rows")
    places = {f: (n, header.words[n]) for n, f in enumerate(header.fields) if f is not None}
    return Found(rows, [*notices, *_unread(header)], places)


def _unread(header: Header) -> Iterator[Issue]:
    for n, (word, known) in enumerate(zip(header.words, header.fields, strict=True)):
        if word and known is None:
            place = (None, n, word)
            if _folded(word) in PERSONAL:
                yield issue("personal_data", "warning", place)
            else:
                yield issue("header_unknown", "info", place)


def _folded(word: str) -> str:
    return re.sub(r"[\s*＊]", "", unicodedata.normalize("NFKC", word))


def _counted(sheet: Sheet, header: Header) -> Iterator[tuple[int, list[Value]]]:
    serial, main = header.column_of("serial"), header.column_of("worker_id")
    for number, values in enumerate(sheet.rows[header.row + 1 :], header.row + 1):
        texts = [clean(v) for v in values]
        filled = [n for n, text in enumerate(texts) if text]
        if not filled or filled == [serial]:
            continue
        if main not in filled and texts[filled[0]].startswith(_FOOT):
            continue
        yield number, values


def _row(number: int, values: Sequence[Value], sheet: Sheet, header: Header, today: date) -> Row:
    row = Row(number + 1)
    for column, name in enumerate(header.fields):
        if name is None or name == "serial":
            continue
        value = values[column] if column < len(values) else None
        place = (row.row, column, header.words[column])
        if (number, column) in sheet.formulas:
            row.issues.append(issue("formula_not_allowed", "error", place, name))
            continue
        text = clean(value)
        found, code = _cell(name, text, today)
        if code:
            row.issues.append(issue(code, "error", place, name))
        row.fields[name] = found
    if any(clean(v) for v in values[len(header.words) :]):
        row.issues.append(issue("row_too_long", "error", (row.row, len(header.words), None)))
    return row


def _cell(name: str, text: str, today: date) -> tuple[Any, str | None]:
    if len(text) > TEXT_MAX:
        return None, "text_too_long"
    if not text:
        return None, "required" if name in REQUIRED else None
    return _READERS[name](text, today)


def clean(value: Value) -> str:
    """Give a cell's text: NFKC, trimmed, line breaks as spaces, nothing that can't be seen."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else unicodedata.normalize("NFKC", str(value))
    text = re.sub(r"\s+", " ", text)
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf")).strip()


Reading = tuple[Any, str | None]


def _worker(text: str, _: date) -> Reading:
    try:
        return str(UUID(text)), None
    except ValueError:
        return None, "worker_id_invalid"


def _day(text: str, today: date) -> Reading:
    match = _DATE.fullmatch(_MIDNIGHT.sub("", text).replace(" ", ""))
    if match is None:
        return None, "date_invalid"
    try:
        day = date(*(int(g) for g in match.groups() if g is not None))
    except ValueError:
        return None, "date_invalid"
    return day.isoformat(), "day_gone" if day < today else None


def _count(text: str, _: date) -> Reading:
    number = text.removesuffix("晚").removesuffix("天").strip()
    return (int(number), None) if _NUMBER.fullmatch(number) else (None, "number_invalid")


def _programme(text: str, _: date) -> Reading:
    told = _QUOTES.sub("", text)
    return _PROGRAMMES.get(told, told), None


def _mark(text: str, _: date) -> Reading:
    return text, None


def _yes_no(text: str, _: date) -> Reading:
    told = _YES_NO.get(text.lower())
    return told, "value_unknown" if told is None else None


_READERS: Final[dict[str, Callable[[str, date], Reading]]] = {
    "worker_id": _worker,
    "check_in_on": _day,
    "nights": _count,
    "programme": _programme,
    "group": _mark,
    "family": _mark,
    "inn": _mark,
    "wait": _yes_no,
}
