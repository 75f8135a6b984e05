"""Checks small rosters in memory, as the office of Lincang on a fixed day."""

from datetime import date
from typing import Any

from services.registry.roster.check import CheckedRow
from services.registry.roster.fields import Kind
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.reading import Layout
from services.registry.roster.work import Job, checked_rows, look, opened_file

TODAY = date(2026, 11, 25)


def job(name: str = "花名册.xlsx", kind: Kind = "origin_roster", **overrides: Any) -> Job:
    return Job(name, kind, overrides.pop("division_code", "530900"), TODAY, **overrides)


def read(data: bytes, wanted: Job | None = None) -> tuple[Layout, list[CheckedRow]]:
    wanted = wanted or job()
    opened = opened_file(data, wanted)
    return opened.layout, list(checked_rows(opened, wanted))


def codes(row: CheckedRow) -> list[tuple[str, str]]:
    return [(f.code, f.severity) for f in row.faults]


def refused(data: bytes, name: str = "花名册.xlsx", **overrides: Any) -> str:
    """Give `<status> <code>` of the refusal, or the empty text for a file that is taken."""
    try:
        look(data, job(name, **overrides))
    except FileRefused as answer:
        return f"{answer.status} {answer.code}"
    return ""


SMALL = Limits(rows_max=50, columns_max=30)
