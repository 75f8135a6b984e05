"""What is done with one file: look at the whole, then check it row by row."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from services.registry.roster.check import CheckedRow, Checker, Context
from services.registry.roster.example import is_example, not_read
from services.registry.roster.fields import NAME, RESIDENT_ID, SERIAL, Kind
from services.registry.roster.issue import FileRefused, Issue
from services.registry.roster.limits import Limits
from services.registry.roster.reading import Layout, Opened, open_roster
from services.registry.roster.rows import is_counted
from services.registry.roster.worksheet_xml import too_many_rows


@dataclass(frozen=True, slots=True)
class Job:
    """One file to read: its name as uploaded, whose it is, and the day of submission.

    `synonyms` are the tenant's own header words: word -> field.
    """

    filename: str
    kind: Kind
    division_code: str
    today: date
    limits: Limits = field(default_factory=Limits)
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give the job as JSON can carry it."""
        told = asdict(self)
        return told | {"today": self.today.isoformat(), "synonyms": dict(self.synonyms)}

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Job":
        """Read what `as_dict` gave."""
        day, limits = date.fromisoformat(told["today"]), Limits(**told["limits"])
        return cls(**(told | {"today": day, "limits": limits}))

    @property
    def context(self) -> Context:
        """What the rows are checked against."""
        return Context(self.kind, self.division_code, self.today)


def look(data: bytes, job: Job) -> Opened:
    """Answer for the file as a whole: open a readable one. Raises `FileRefused`."""
    opened = opened_file(data, job)
    people = _people(opened, job.limits)
    if next(people, None) is None:
        raise FileRefused("no_rows", "表头之下没有人员。")
    if not opened.is_small:
        # Whether they are too many, or too wide, shows at the last.
        deque(people, maxlen=0)
    return opened


def opened_file(data: bytes, job: Job) -> Opened:
    """Open a file behind its header, and behind the template's example if that still stands first.

    Raises `FileRefused`.
    """
    opened = open_roster(data, job.filename, job.kind, job.limits, job.synonyms)
    number, row = next(_people(opened, job.limits), (0, []))
    if row and is_example(row, opened.header):
        notices = (*opened.layout.notices, not_read(number))
        layout = replace(opened.layout, notices=notices)
        return replace(opened, layout=layout, last_skipped=number)
    return opened


def checked_rows(opened: Opened, job: Job) -> Iterator[CheckedRow]:
    """Give every person's row, checked, in order. Raises `FileRefused`."""
    checker = Checker(opened.header, opened.sheet, job.context)
    return (checker.check(number, row) for number, row in _people(opened, job.limits))


def _people(opened: Opened, limits: Limits) -> Iterator[tuple[int, list[Any]]]:
    header = opened.header
    serial = header.column_of(SERIAL)
    persons = [c for f in (NAME, RESIDENT_ID) if (c := header.column_of(f)) is not None]
    computed = opened.sheet.marks.computed()
    count = 0
    for number, row in opened.rows():
        if not is_counted(row, persons, serial, computed.get(number, ())):
            continue
        count += 1
        if count > limits.rows_max:
            raise too_many_rows(limits)
        yield number, row


def layout_as_dict(layout: Layout) -> dict[str, Any]:
    """Give a layout as JSON can carry it."""
    return asdict(layout)


def layout_from_dict(told: dict[str, Any]) -> Layout:
    """Read what `layout_as_dict` gave."""
    return Layout(
        type=told["type"],
        sheet=told["sheet"],
        headers=tuple(told["headers"]),
        fields=tuple(told["fields"]),
        notices=tuple(Issue(**n) for n in told["notices"]),
    )
