"""Has a sheet of vacancies read."""

from typing import Any

from services.recruitment.sheet.rows import Found
from shared.sheets.reader import SheetReader


def sheet_reader(**limits: Any) -> SheetReader[Found]:  # noqa: ANN401 (the reader's own)
    """Make the reader of sheets of vacancies; `limits` are those of `SheetReader`."""
    return SheetReader("services.recruitment.sheet.child", Found.from_dict, **limits)
