"""Writes a manifest as a workbook."""

from dataclasses import astuple
from io import BytesIO
from typing import Final

import xlsxwriter

from services.transport.printing.sheet import Sheet

HEADERS: Final = (
    "序号", "姓名", "身份证号", "上车点", "下车点", "发车时间", "同行组", "状态", "票码",
)  # fmt: skip
_WIDTHS: Final = (6, 12, 22, 22, 22, 18, 8, 10, 48)
_TICKET: Final = HEADERS.index("票码")
_ROW_HEIGHT: Final = 20


def as_workbook(sheet: Sheet) -> bytes:
    """Give the bytes of an .xlsx; nothing in it is a formula, and ID numbers are text."""
    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        page = book.add_worksheet("乘车名单")
        bold = book.add_format({"bold": True})
        cell = {"num_format": "@", "border": 4, "valign": "vcenter"}
        text = book.add_format(cell)
        # A ticket is long: small print in two lines keeps the sheet on one page's width.
        small = book.add_format(cell | {"font_size": 6, "text_wrap": True})
        head = book.add_format({"bold": True, "border": 1})
        count = book.add_format({"border": 4, "valign": "vcenter", "align": "left"})
        page.write_string(0, 0, sheet.title, book.add_format({"bold": True, "font_size": 14}))
        facts = [*sheet.facts, ("停靠 Stops", " → ".join(sheet.stops))]
        for row, (caption, value) in enumerate(facts, start=1):
            page.merge_range(row, 0, row, 1, caption, bold)
            page.write_string(row, 2, value)
        top = len(facts) + 2
        for column, (header, width) in enumerate(zip(HEADERS, _WIDTHS, strict=True)):
            page.write_string(top, column, header, head)
            page.set_column(column, column, width)
        for row, line in enumerate(sheet.lines, start=top + 1):
            number, *values = astuple(line)
            page.set_row(row, _ROW_HEIGHT)
            page.write_number(row, 0, number, count)
            for column, value in enumerate(values, start=1):
                page.write_string(row, column, value, small if column == _TICKET else text)
        page.freeze_panes(top + 1, 2)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.repeat_rows(top)
        page.set_footer("&C第 &P 页 共 &N 页")
    return buffer.getvalue()
