"""What an office is told of one row: its own faults, and those that the decision adds."""

from typing import Final

from services.registry.roster.check import CheckedRow, Found
from services.registry.roster.fields import COMPANIONS, RESIDENT_ID
from services.registry.roster.issue import Issue, Severity, column_letter
from services.registry.roster.masks import mask
from services.registry.roster.messages import message
from services.registry.roster.reading import Layout
from services.registry.roster.settle import Settled

_SEVERITY: Final[dict[str, Severity]] = {
    "duplicate_in_file": "error",
    "already_nominated": "error",
    "already_known": "info",
    "group_incomplete": "warning",
    "group_too_large": "warning",
}
_OTHER_DRIVE: Final = "already_known_other_drive"


def issues_of(
    row: CheckedRow, settled: Settled, layout: Layout, other_drive: str | None = None
) -> list[Issue]:
    """Give a row's issues by column. `other_drive`: the office's own drive that has the person."""
    if not row.faults and not settled.codes:
        return []
    found = [*row.faults, *(_found(code, row, layout) for code in settled.codes)]
    found.sort(key=lambda f: f.column)
    return [_issue(f, row, settled, layout, other_drive) for f in found]


def _found(code: str, row: CheckedRow, layout: Layout) -> Found:
    field = COMPANIONS if code.startswith("group_") else RESIDENT_ID
    column = layout.fields.index(field) if field in layout.fields else 0
    return Found(column, field, code, _SEVERITY[code], mask(field, row.cells[column]))


def _issue(
    found: Found, row: CheckedRow, settled: Settled, layout: Layout, other_drive: str | None
) -> Issue:
    first_row = settled.first_row if found.code == "duplicate_in_file" else None
    is_elsewhere = found.code == "already_known" and other_drive is not None
    sentence = message(
        _OTHER_DRIVE if is_elsewhere else found.code, first_row=first_row, drive=other_drive or ""
    )
    return Issue(
        row=row.row,
        column=column_letter(found.column),
        header=layout.header_of(found.column),
        field=found.field,
        code=found.code,
        severity=found.severity,
        message=sentence,
        value_masked=found.masked,
        first_row=first_row,
    )
