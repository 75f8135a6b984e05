"""Checks one row: every fault of every cell in one pass, and what the row says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from services.registry.roster import catalogue, choices, dates, phones
from services.registry.roster.fields import (
    COMPANIONS,
    HIRED_ON,
    NAME,
    PHONE,
    RESIDENT_ID,
    SERIAL,
    Kind,
    required,
)
from services.registry.roster.header import Header
from services.registry.roster.ids import is_imprecise, resident_id, told_by
from services.registry.roster.issue import Severity
from services.registry.roster.masks import mask
from services.registry.roster.parsed import ERROR, Parsed
from services.registry.roster.sheet import Sheet, Value
from services.registry.roster.text import cleaned

_LENGTHS: Final = {NAME: 50, "notes": 500}
_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Context:
    """What a row is checked against: whose roster it is, and the day of submission."""

    kind: Kind
    division_code: str
    today: date


@dataclass(frozen=True, slots=True)
class Found:
    """A fault as the check finds it; `column` counts from 0."""

    column: int
    field: str | None
    code: str
    severity: Severity
    masked: str | None


@dataclass(slots=True)
class CheckedRow:
    """One person's row: what it says (plain values that JSON can hold), and what is wrong with it.

    `row` is as the office sees it; `cells` are the texts to give back, by column; `values` has
    derived values by field, of which a faulty cell has none.
    """

    row: int
    cells: list[str]
    faults: list[Found] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def has_error(self) -> bool:
        """Whether a fault of its own leaves the row out."""
        return any(f.severity == ERROR for f in self.faults)

    def as_list(self) -> list[Any]:
        """Give the row as JSON can carry it, without values that say nothing."""
        faults = [[f.column, f.field, f.code, f.severity, f.masked] for f in self.faults]
        values = {k: v for k, v in self.values.items() if v is not None}
        return [self.row, self.cells, faults, values]

    @classmethod
    def from_list(cls, told: list[Any]) -> "CheckedRow":
        """Read what `as_list` gave."""
        row, cells, faults, values = told
        return cls(row, cells, [Found(*f) for f in faults], values)


class Checker:
    """Checks the rows below one header."""

    def __init__(self, header: Header, sheet: Sheet, context: Context) -> None:
        self._context = context
        self._width = len(header.fields)
        self._required = frozenset(required(context.kind))
        named = [(f, i) for i, f in enumerate(header.fields) if f and f != SERIAL]
        # The ID number speaks about gender, the residence about the boarding place.
        named.sort(key=lambda column: _ORDER.get(column[0], 1))
        self._columns = [self._column(f, i) for f, i in named]
        self._computed = sheet.marks.computed()
        self._is_text = sheet.is_text

    def check(self, number: int, row: Sequence[Value]) -> CheckedRow:
        """Check one row; `number` counts from 0."""
        cells = self._cells(cleaned(row))
        checked = CheckedRow(number + 1, cells)
        computed = self._computed.get(number, ())
        for column in self._columns:
            name, place, least, most, by_text = column
            text = cells[place]
            if place in computed or not least <= len(text) <= most:
                _leave_unread(checked, column, is_computed=place in computed)
                continue
            if by_text is Parsed:
                # Taken as it is written.
                checked.values[name] = text
                continue
            read = by_text(text) if by_text else self._by_cell(column, row, checked)
            checked.values[name] = read.value
            if read.faults:
                _tell(checked, column, row, read)
        _complete(checked.values)
        if len(cells) > self._width:
            checked.faults.append(self._too_long(cells))
        checked.faults.sort(key=lambda f: f.column)
        return checked

    def _column(self, name: str, place: int) -> "_Column":
        by_text = None if name in _READERS else _TEXT_READERS.get(name, Parsed)
        most = _LENGTHS.get(name, _LENGTH)
        return _Column(name, place, int(name in self._required), most, by_text)

    def _by_cell(self, column: "_Column", row: Sequence[Value], checked: CheckedRow) -> Parsed[Any]:
        text = checked.cells[column.place]
        return _READERS[column.name](_value(row, column.place), text, checked.values, self._context)

    def _cells(self, texts: list[str]) -> list[str]:
        if self._is_text and any(texts[self._width :]):
            # The office sees what was too much, where it stood.
            return texts[: max(i for i, t in enumerate(texts) if t) + 1]
        return texts[: self._width] + [""] * (self._width - len(texts))

    def _too_long(self, cells: list[str]) -> Found:
        extra = next(i for i, t in enumerate(cells) if t and i >= self._width)
        return Found(extra, None, "row_too_long", ERROR, mask(None, cells[extra]))


class _Column(NamedTuple):
    """A column's field and place, the length of its texts, and who reads one by its text alone."""

    name: str
    place: int
    least: int
    most: int
    by_text: "Callable[[str], Parsed[Any]] | None"

    def fault(self, code: str, severity: Severity, text: str) -> Found:
        return Found(self.place, self.name, code, severity, mask(self.name, text))


def _value(row: Sequence[Value], place: int) -> Value:
    return row[place] if place < len(row) else None


def _leave_unread(checked: CheckedRow, column: _Column, *, is_computed: bool) -> None:
    text = checked.cells[column.place]
    if is_computed:
        code = "formula_not_allowed"
        # What a formula showed last is not what the office wrote.
        checked.cells[column.place] = ""
    else:
        code = "text_too_long" if text else "required"
    checked.faults.append(column.fault(code, ERROR, text))


def _tell(checked: CheckedRow, column: _Column, row: Sequence[Value], read: Parsed[Any]) -> None:
    text = checked.cells[column.place]
    checked.faults.extend(column.fault(code, severity, text) for code, severity in read.faults)
    if column.name == RESIDENT_ID:
        _keep_imprecise(checked.cells, column.place, _value(row, column.place))


def _keep_imprecise(cells: list[str], place: int, value: Value) -> None:
    # Sent back as it was the number must be refused again, not pass as a whole one.
    if isinstance(value, int | float) and is_imprecise(value, cells[place]):
        cells[place] = f"{float(cells[place]):.14E}"


_Values = dict[str, Any]
_Reader = Callable[[Value, str, _Values, Context], Parsed[Any]]


def _read_id(value: Value, text: str, values: _Values, context: Context) -> Parsed[str]:
    read = resident_id(value, text, context.today)
    if read.value:
        told = told_by(read.value)
        values["told_gender"] = told.gender
        values["birth_year_month"] = told.birth_year_month
    return read


def _read_gender(_: Value, text: str, values: _Values, _context: Context) -> Parsed[str]:
    return choices.gender(text, values.get("told_gender"))


def _read_residence(_: Value, text: str, values: _Values, context: Context) -> Parsed[str]:
    anywhere = context.kind == "new_hires"
    values["home_county"] = catalogue.home_county(text, context.division_code, anywhere=anywhere)
    return Parsed(text)


def _read_available(value: Value, text: str, _: _Values, context: Context) -> Parsed[str]:
    if not text:
        return Parsed(None)
    read = dates.available_from(value, context.today)
    return Parsed(read.value.isoformat() if read.value else None, read.faults)


def _read_hired(value: Value, _text: str, _: _Values, context: Context) -> Parsed[str]:
    read = dates.hired_on(value, context.today)
    return Parsed(read.value.isoformat() if read.value else None, read.faults)


def _read_place(_: Value, text: str, values: _Values, context: Context) -> Parsed[str]:
    origin = values.get("home_county") or context.division_code
    return catalogue.boarding_place(text, origin)


def _read_bed(text: str) -> Parsed[bool]:
    # An empty cell asks for nothing, and takes nothing back that was asked for before.
    return choices.yes_no(text) if text else Parsed(None)


#: Who needs more than the text: the cell's own value, the row, or whose roster it is.
_READERS: Final[Mapping[str, _Reader]] = {
    RESIDENT_ID: _read_id,
    "gender": _read_gender,
    "registered_residence": _read_residence,
    "available_from": _read_available,
    HIRED_ON: _read_hired,
    "boarding_point": _read_place,
    "site": lambda _value, text, _, context: catalogue.site(text, context.division_code),
}
#: Fields that are named nowhere are taken as they are written.
_TEXT_READERS: Final[Mapping[str, Callable[[str], Parsed[Any]]]] = {
    PHONE: phones.phone,
    "emergency_phone": phones.emergency_phone,
    "poverty_lifted_worker": choices.yes_no,
    "monitored_person": choices.yes_no,
    "needs_bed": _read_bed,
    "preferred_pay": choices.pay,
    "education": catalogue.education,
    "certificates": catalogue.certificates,
    "preferred_occupation": catalogue.occupations,
}
_ORDER: Final = {RESIDENT_ID: 0, "registered_residence": 0, COMPANIONS: 2}


def _complete(values: _Values) -> None:
    values["gender"] = values.get("gender") or values.pop("told_gender", None)
    values.pop("told_gender", None)
