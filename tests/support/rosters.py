"""Rosters of invented persons for tests: whole ones by the demo's generator, or cell by cell."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter
import xlwt

from stack.people import ERRORS, FAULTS, RosterSpec, a_roster, invented_rows, resident_id, written

Table = Sequence[Sequence[Any]]

#: Required columns and a valid person; tests add the column they are about.
PERSON: Mapping[str, str] = {
    "姓名": "王小芳",
    "身份证号": "530902199903070023",
    "联系电话": "13812345678",
}


def a_table(*rows: Mapping[str, Any], headers: Sequence[str] = ()) -> list[list[Any]]:
    """Give a header and rows; each row is `PERSON` with what the test says over it."""
    whole = [dict(PERSON) | dict(row) for row in rows]
    columns = list(headers) or list(dict.fromkeys(key for row in whole for key in row))
    return [columns, *([row.get(c, "") for c in columns] for row in whole)]


def persons(count: int, **cells: Any) -> list[dict[str, Any]]:
    """Give that many different persons, each with these cells."""
    return [
        {
            "姓名": f"测试{chr(0x4E00 + i)}",
            "身份证号": resident_id("530902", date(1990, 1, 1 + i % 28), 2 + 2 * (i // 28)),
        }
        | cells
        for i in range(count)
    ]


def xlsx(table: Table, change: Callable[[Any, Any], None] | None = None) -> bytes:
    """Write one sheet; texts as text, numbers as numbers, dates as dates. `change(book, sheet)`."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("花名册")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for r, row in enumerate(table):
            for c, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(r, c, cell, day)
                elif isinstance(cell, str) and cell:
                    sheet.write_string(r, c, cell)
                elif cell not in ("", None):
                    sheet.write(r, c, cell)
        if change:
            change(book, sheet)
    return out.getvalue()


def xls(table: Table, change: Callable[[Any, Any], None] | None = None) -> bytes:
    """Write one sheet in BIFF8."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("花名册", cell_overwrite_ok=True)
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for r, row in enumerate(table):
        for c, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write(r, c, cell, day)
            elif cell not in ("", None):
                sheet.write(r, c, cell)
    if change:
        change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_of(table: Table, encoding: str = "utf-8", separator: str = ",") -> bytes:
    """Write a CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(table)
    return out.getvalue().encode(encoding)


WRITERS: Mapping[str, Callable[[Table], bytes]] = {"xlsx": xlsx, "xls": xls, "csv": csv_of}

__all__ = [
    "ERRORS",
    "FAULTS",
    "PERSON",
    "WRITERS",
    "RosterSpec",
    "a_roster",
    "a_table",
    "csv_of",
    "invented_rows",
    "persons",
    "resident_id",
    "written",
    "xls",
    "xlsx",
]
