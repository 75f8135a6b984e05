"""Writes a manifest as a workbook."""

from dataclasses import astuple
from io import BytesIO
from typing import Final

import xlsxwriter

from services.transport.printing.sheet import Sheet

HEADERS: Final = (
    "序号", "姓名", "身份证号", "上车点", "下车点", "发车时间", "同行组", "状态", "票码",
)  # fmt: skip
_WIDTHS: Final = (6, 12, 22, 22, 22, 18, 8, 10, 40)


def as_workbook(sheet: Sheet) -> bytes:
    """Give the bytes of an .xlsx; nothing in it is a formula, and ID numbers are text."""
    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        page = book.add_worksheet("乘车名单")
        bold = book.add_format({"bold": True, "text_wrap": True})
        text = book.add_format({"num_format": "@"})
        page.write_string(0, 0, sheet.title, bold)
        for row, (caption, value) in enumerate(sheet.facts, start=1):
            page.write_string(row, 0, caption, bold)
            page.write_string(row, 2, value)
        top = len(sheet.facts) + 2
        for column, (header, width) in enumerate(zip(HEADERS, _WIDTHS, strict=True)):
            page.write_string(top, column, header, bold)
            page.set_column(column, column, width)
        for row, line in enumerate(sheet.lines, start=top + 1):
            number, *values = astuple(line)
            page.write_number(row, 0, number)
            for column, value in enumerate(values, start=1):
                page.write_string(row, column, value, text)
        page.freeze_panes(top + 1, 2)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.repeat_rows(top)
        page.set_footer("&C第 &P 页 共 &N 页")
    return buffer.getvalue()
