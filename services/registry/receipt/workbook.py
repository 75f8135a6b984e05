"""Writes a receipt as a workbook: one sheet to read, one with every fault."""

import io
from collections.abc import Sequence
from typing import Any, Final

import xlsxwriter

from services.registry.receipt.sheet import Receipt

#: Nobody mends more by hand.
SHEET_FAULTS_MAX: Final = 20_000
# Whatever a header of the office begins with, it stays text.
_OPTIONS: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_KINDS: Final = ("级别 severity", "代码 code", "处数 issues", "行数 rows", "如何修改 how to mend")
_FAULTS: Final = (
    "行 row", "列 column", "表头 header", "代码 code", "如何修改 how to mend",
    "内容（遮盖） masked",
)  # fmt: skip


def as_workbook(receipt: Receipt) -> bytes:
    """Give the bytes of an .xlsx."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        bold, plain = book.add_format({"bold": True}), book.add_format({"text_wrap": True})
        summary = book.add_worksheet("回执")
        summary.set_column(0, 3, 20)
        summary.set_column(4, 4, 70)
        summary.write_string(0, 0, receipt.title, bold)
        pairs = [*receipt.facts, *receipt.counts]
        for line, (caption, value) in enumerate(pairs, 2):
            summary.write_string(line, 0, caption, bold)
            summary.write(line, 1, value)
        rows: list[tuple[object, ...]] = [
            (k.severity, k.code, k.issue_count, k.row_count, k.advice) for k in receipt.kinds
        ]
        _table(summary, len(pairs) + 3, (_KINDS, rows), (bold, plain))
        faults = book.add_worksheet("待修改")
        faults.set_column(2, 3, 18)
        faults.set_column(4, 4, 70)
        faults.set_column(5, 5, 24)
        rows = [
            (f.row, f.column, f.header, f.code, f.advice, f.value_masked) for f in receipt.faults
        ]
        _table(faults, 0, (_FAULTS, rows), (bold, plain))
        faults.freeze_panes(1, 0)
        if receipt.unlisted:
            more = f"另有 {receipt.unlisted} 处未列出。{receipt.unlisted} more are not listed."
            faults.write_string(len(rows) + 1, 4, more, bold)
    return out.getvalue()


def _table(
    sheet: Any,  # noqa: ANN401 (XlsxWriter has no types)
    top: int,
    table: tuple[Sequence[str], Sequence[Sequence[object]]],
    forms: tuple[Any, Any],
) -> None:
    headers, rows = table
    for column, header in enumerate(headers):
        sheet.write_string(top, column, header, forms[0])
    for line, row in enumerate(rows, top + 1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(line, column, value)
            elif value:
                sheet.write_string(line, column, str(value), forms[1])
