"""Turns a sheet into vacancies as the command takes them, and lists all faults of all rows."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from contracts import reference
from services.recruitment.sheet.cells import READERS, TEXT_MAX, clean, occupation
from services.recruitment.sheet.header import REQUIRED, Header, check_header, find_header
from services.recruitment.sheet.issue import issue
from shared.sheets.container import ROWS_MAX, Sheet, Value, sheets
from shared.sheets.issue import Issue, Severity, SheetRefused, column_letter

# How the lines below a table begin that are no vacancies.
_FOOT: Final = (
    "合计", "总计", "小计", "填表", "制表", "审核", "单位", "联系人", "说明", "备注", "注:",
)  # fmt: skip
_FOOT_END: Final = "以下空白"


@dataclass(slots=True)
class Row:
    """A row (as the spreadsheet counts, from 1): a command's fields, and what is wrong."""

    row: int
    fields: dict[str, Any] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """A sheet as it was read: `places` maps fields to (column letter, the header's own word)."""

    rows: list[Row]
    notices: list[Issue]
    places: dict[str, tuple[str, str]]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Found":
        """Read what `as_dict` gave."""
        rows = [Row(r["row"], r["fields"], [Issue(**i) for i in r["issues"]]) for r in told["rows"]]
        places = {f: (column, word) for f, (column, word) in told["places"].items()}
        return cls(rows, [Issue(**i) for i in told["notices"]], places)


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
    notices += [
        issue("header_unknown", "info", (None, n, word))
        for n, (word, known) in enumerate(zip(header.words, header.fields, strict=True))
        if word and known is None
    ]
    rows = [_row(n, values, sheet, header, today) for n, values in _counted(sheet, header)]
    if not rows:
        raise SheetRefused("no_rows")
    if len(rows) > ROWS_MAX:
        raise SheetRefused("too_many_rows")
    places = {
        f: (column_letter(n), header.words[n]) for n, f in enumerate(header.fields) if f is not None
    }
    return Found(rows, notices, places)


def _counted(sheet: Sheet, header: Header) -> Iterator[tuple[int, list[Value]]]:
    serial = header.column_of("serial")
    main = [header.column_of(f) for f in ("title", "openings")]
    for number, values in enumerate(sheet.rows[header.row + 1 :], header.row + 1):
        texts = [clean(v) for v in values]
        filled = [n for n, text in enumerate(texts) if text]
        if not filled or filled == [serial]:
            continue
        if not any(n in filled for n in main) and _is_foot(texts[filled[0]]):
            continue
        yield number, values


def _is_foot(text: str) -> bool:
    return text.startswith(_FOOT) or text == _FOOT_END


def _row(number: int, values: Sequence[Value], sheet: Sheet, header: Header, today: date) -> Row:
    row = Row(number + 1)
    told: dict[str, Any] = {}
    for column, name in enumerate(header.fields):
        if name is None or name == "serial":
            continue
        value = values[column] if column < len(values) else None
        place = (row.row, column, header.words[column])
        if (number, column) in sheet.formulas:
            row.issues.append(issue("formula_not_allowed", "error", place, name))
            continue
        told[name] = _cell(row, name, clean(value), place, today)
    if any(clean(v) for v in values[len(header.words) :]):
        row.issues.append(issue("row_too_long", "error", (row.row, len(header.words), None)))
    _derive_occupation(row, told, header)
    row.fields = _fields(row, told, header)
    return row


def _cell(
    row: Row, name: str, text: str, place: tuple[int | None, int | None, str | None], today: date
) -> object:
    if len(text) > TEXT_MAX:
        row.issues.append(issue("text_too_long", "error", place, name))
        return None
    if not text and name in (*REQUIRED, "pay", "pay_min", "pay_max"):
        row.issues.append(issue("required", "error", place, name))
        return None
    found = READERS[name](text, today)
    if found.code:
        severity: Severity = "warning" if found.warns else "error"
        row.issues.append(issue(found.code, severity, place, name))
    return found.value


def _derive_occupation(row: Row, told: dict[str, Any], header: Header) -> None:
    """Without an occupation of its own a vacancy has that of its title."""
    if told.get("occupation") or any(i.field == "occupation" for i in row.issues):
        return
    column = header.column_of("title")
    found = occupation(told.get("title") or "", date.min)
    told["occupation"] = found.value
    if found.code and column is not None:
        place = (row.row, column, header.words[column])
        row.issues.append(issue(found.code, "error", place, "title"))


def _fields(row: Row, told: dict[str, Any], header: Header) -> dict[str, Any]:
    low, high = told.get("pay") or (None, None)
    youngest, oldest = told.get("age") or (None, None)
    requirements = {
        "gender": told.get("gender"),
        "age_min": youngest,
        "age_max": oldest,
        "education_code": told.get("education"),
        "certificate_codes": told.get("certificates") or (),
    }
    return {
        "title": told.get("title"),
        "occupation_code": told.get("occupation"),
        "openings": told.get("openings"),
        "starts_on": told.get("starts_on"),
        "monthly_pay_min": low if told.get("pay_min") is None else told["pay_min"],
        "monthly_pay_max": high if told.get("pay_max") is None else told["pay_max"],
        "site": _site(row, told, header),
        "requirements": requirements,
        "programme": told.get("programme"),
        "nights": told.get("nights"),
        "labour_brand": told.get("labour_brand"),
    }


def _site(row: Row, told: dict[str, Any], header: Header) -> dict[str, Any]:
    town, code = told.get("town"), told.get("division")
    known = reference.find_town(town, code) if town and code else None
    if town and code and known is None:
        column = header.column_of("town")
        place = (row.row, column, header.words[column or 0])
        row.issues.append(issue("town_unknown", "warning", place, "town"))
    return {
        "name": told.get("site_name"),
        "division_code": code,
        "town": known.name if known else town,
    }
