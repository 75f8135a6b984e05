"""What is wrong with a roster: the file as a whole (refused) or a cell of it (an issue)."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from services.registry.roster.messages import english
from shared.sheets.issue import STATUS, Severity, column_letter

__all__ = ["FileRefused", "Issue", "Severity", "column_letter"]

# The Chinese sentence says how to mend it; this says the same for whoever reads no Chinese.
_ENGLISH: Final = {
    "content_mismatch": "The content is not what the extension says.",
    "unsupported_type": "Send .xlsx, .xls or .csv.",
    "file_too_large": "The file is too large; split it.",
    "unpacked_too_large": "The file unpacks to too much.",
    "too_many_rows": "Too many rows; split the roster.",
    "too_many_cells": "Too many cells; delete unused columns.",
    "line_too_long": "A line is too long.",
    "bad_archive": "The file is broken; save it again.",
    "encrypted_file": "The file has a password; remove it.",
    "bad_xml": "The workbook's inside is broken or hostile; save it again.",
    "active_content": "Macros or embedded objects are not taken.",
    "bad_encoding": "Save the CSV as UTF-8 or GB18030.",
    "bad_csv": "The CSV has a NUL or an unbalanced quote.",
    "empty_file": "The file is empty.",
    "header_not_found": "No header among the first 20 rows.",
    "header_missing": "A required column is missing.",
    "header_duplicate": "A column occurs twice.",
    "no_rows": "There are no people below the header.",
}


class FileRefused(Exception):  # noqa: N818 (an answer to the office, not a fault of ours)
    """The whole file is refused by the POST itself; no batch is made.

    `status` is the HTTP status, `code` a stable word, `detail` says how to mend it.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.status = STATUS.get(code, 422)
        self.detail = detail

    @property
    def told(self) -> str:
        """The sentence for people, Chinese first."""
        return f"{self.detail}{_ENGLISH.get(self.code, '')}"


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault of one cell, or a notice about the whole file (`row` and `column` None).

    `row` and the column letter are as the office sees them; `value_masked` never tells a person;
    `message` is Chinese, as it stands in the sheet that goes back.
    """

    row: int | None
    column: str | None
    header: str | None
    field: str | None
    code: str
    severity: Severity
    message: str
    value_masked: str | None = None
    first_row: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give the issue as the API tells it; `first_row` only where it says something."""
        told = asdict(self) | {"message": self.message + english(self.code)}
        if self.first_row is None:
            del told["first_row"]
        return told
