"""A list as a file that a spreadsheet opens: CSV with a mark of its encoding, xlsx, JSON lines."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Final

import xlsxwriter

Row = Sequence[object]
KINDS: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl; charset=utf-8",
}
# What a spreadsheet would take for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_COLUMN_WIDTH: Final = 22


def written(kind: str, columns: Mapping[str, str], rows: Sequence[Row]) -> bytes:
    """Write rows; `columns` are the keys of JSON lines and the headings of the others."""
    match kind:
        case "csv":
            return _csv(list(columns.values()), rows)
        case "xlsx":
            return _xlsx(list(columns.values()), rows)
        case _:
            return _jsonl(list(columns), rows)


def _csv(headings: Row, rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    # Without the mark Excel takes UTF-8 for the system's own encoding.
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _xlsx(headings: Row, rows: Sequence[Row]) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, headings, book.add_format({"bold": True}))
        for n, row in enumerate(rows, 1):
            sheet.write_row(n, 0, ["" if cell is None else str(cell) for cell in row])
        sheet.set_column(0, len(headings), _COLUMN_WIDTH)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


def _jsonl(keys: Sequence[str], rows: Sequence[Row]) -> bytes:
    lines = (json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()
