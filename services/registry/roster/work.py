"""What is done with one file: look at the whole, then check it row by row."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import chain
from typing import Any

from services.registry.roster.check import CheckedRow, Checker, Context
from services.registry.roster.example import is_example, not_read
from services.registry.roster.fields import SERIAL, Kind
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


def look(data: bytes, job: Job) -> Layout:
    """Answer for the file as a whole. Raises `FileRefused`; gives the layout of a readable one."""
    opened = open_roster(data, job.filename, job.kind, job.limits, job.synonyms)
    layout, people = _without_example(opened, job.limits)
    if sum(1 for _ in people) == 0:
        raise FileRefused("no_rows", "表头之下没有人员。")
    return layout


def checked_rows(data: bytes, job: Job) -> tuple[Layout, Iterator[CheckedRow]]:
    """Give the layout and every person's row, checked, in order. Raises `FileRefused`."""
    opened = open_roster(data, job.filename, job.kind, job.limits, job.synonyms)
    checker = Checker(opened.header, opened.sheet, job.context)
    layout, people = _without_example(opened, job.limits)
    return layout, (checker.check(number, row) for number, row in people)


_People = Iterator[tuple[int, list[Any]]]


def _without_example(opened: Opened, limits: Limits) -> tuple[Layout, _People]:
    """Leave out the template's example if it still stands first, and say so."""
    people = _people(opened, limits)
    first = next(people, None)
    if first is None:
        return opened.layout, people
    number, row = first
    if is_example(row, opened.header):
        return replace(opened.layout, notices=(*opened.layout.notices, not_read(number))), people
    return opened.layout, chain([first], people)


def _people(opened: Opened, limits: Limits) -> _People:
    serial = opened.header.column_of(SERIAL)
    count = 0
    for number, row in opened.rows:
        if not is_counted(row, opened.header, serial):
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
