"""Has a sheet of guests read."""

from typing import Any

from services.lodging.sheet.rows import Found
from shared.sheets.reader import SheetReader


def sheet_reader(**limits: Any) -> SheetReader[Found]:  # noqa: ANN401 (the reader's own)
    """Make the reader of sheets of guests; `limits` are those of `SheetReader`."""
    return SheetReader("services.lodging.sheet.child", Found.from_dict, **limits)
