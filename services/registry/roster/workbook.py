"""Writes workbooks for offices: the rows that have to be mended, and the template to fill in."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import xlsxwriter

from contracts import reference
from services.registry.roster.example import EXAMPLE
from services.registry.roster.fields import RESIDENT_ID, TOLD, Kind, required, words
from services.registry.roster.issue import column_letter

_OPTIONS: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_TEXT_MAX: Final = 32_000
_TEMPLATE_ROWS: Final = 2_000
_WIDTHS: Final[Mapping[str, int]] = {RESIDENT_ID: 22, "registered_residence": 26, "notes": 24}
_WIDTH: Final = 14
_WIDTH_MAX: Final = 40
_TOLD_WIDTH: Final = 60
# A comment's box is as large as its words: how many stand in a line, and how high a line is.
_COMMENT_LETTERS: Final = 18
_COMMENT_PIXELS: Final = (260, 22)
_LISTS: Final = "选项"
_AUTHOR: Final = "Shanhai"


@dataclass(frozen=True, slots=True)
class Mark:
    """What is wrong with a cell: its column's letter (None: with the row), and how to mend it."""

    column: str | None
    text: str


def issues_workbook(
    headers: Sequence[str],
    rows: Sequence[tuple[int, Sequence[str]]],
    marks: Mapping[int, Sequence[Mark]],
    unlisted: int = 0,
) -> bytes:
    """Write rows in the office's own columns, each with its row number's marks.

    Every cell is text, so nothing in it can be executed and no ID number loses digits; sent back
    mended, the workbook is a roster, whose last column nobody reads. What stood behind the headers
    stands behind them here, too. `unlisted` rows more were left out, and are only told of.
    """
    out = io.BytesIO()
    if headers and headers[-1] == TOLD:
        # The rows were rejected before, and come with what was wrong then.
        headers = headers[:-1]
        rows = [(number, cells[: len(headers)]) for number, cells in rows]
    width = max([len(headers), *(len(cells) for _, cells in rows)])
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        sheet = book.add_worksheet("待修改")
        forms = _Forms(book)
        for column, header in enumerate([*headers, *[""] * (width - len(headers)), TOLD]):
            sheet.write_string(0, column, header, forms.header)
            wide = _TOLD_WIDTH if column == width else _wide(column, rows)
            sheet.set_column(column, column, wide, forms.text)
        for line, (number, cells) in enumerate(rows, 1):
            _write_row(sheet, line, cells, marks.get(number, ()), forms)
            told = f"第{number}行：" + "".join(m.text for m in marks.get(number, ()))
            sheet.write_string(line, width, told[:_TEXT_MAX], forms.error)
        if unlisted:
            told = f"说明：另有 {unlisted} 行未列出，请在原文件中修改后一并提交。"
            sheet.write_string(len(rows) + 1, width, told, forms.error)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


class _Forms:
    def __init__(self, book: Any) -> None:  # noqa: ANN401 (XlsxWriter has no types)
        wrong = {"num_format": "@", "bg_color": "#FFD9D9"}
        self.header = book.add_format({"bold": True, "num_format": "@", "bg_color": "#E8EEF7"})
        self.text = book.add_format({"num_format": "@"})
        self.wrong = book.add_format(wrong)
        # Whoever edits such a cell must not turn it into a formula.
        self.quoted = book.add_format({"num_format": "@", "quote_prefix": True})
        self.wrong_quoted = book.add_format(wrong | {"quote_prefix": True})
        self.error = book.add_format(
            {"num_format": "@", "font_color": "#B00020", "text_wrap": True}
        )


def _write_row(
    sheet: Any,  # noqa: ANN401 (XlsxWriter has no types)
    line: int,
    cells: Sequence[str],
    marks: Sequence[Mark],
    forms: _Forms,
) -> None:
    by_column: dict[str, list[str]] = {}
    for mark in marks:
        if mark.column:
            by_column.setdefault(mark.column, []).append(mark.text)
    for column, text in enumerate(cells):
        told = by_column.get(column_letter(column))
        quoted = text.startswith(("=", "+", "-", "@"))
        plain, wrong = (forms.quoted, forms.wrong_quoted) if quoted else (forms.text, forms.wrong)
        if text:
            sheet.write_string(line, column, text[:_TEXT_MAX], wrong if told else plain)
        elif told:
            sheet.write_blank(line, column, None, wrong)
        if told:
            sheet.write_comment(line, column, "\n".join(told), _comment_options(told))


def _wide(column: int, rows: Sequence[tuple[int, Sequence[str]]]) -> int:
    """Give a column's width by its first rows, in digits; a Chinese character takes two."""
    texts = [cells[column] for _, cells in rows[:_TEMPLATE_ROWS] if column < len(cells)]
    longest = max((len(t[:_WIDTH_MAX].encode("gb18030")) for t in texts), default=0)
    return min(max(longest + 2, _WIDTH), _WIDTH_MAX)


def _comment_options(told: Sequence[str]) -> dict[str, Any]:
    lines = sum(len(t) // _COMMENT_LETTERS + 1 for t in told)
    width, line = _COMMENT_PIXELS
    return {"author": _AUTHOR, "width": width, "height": (lines + 1) * line}


def template_workbook(kind: Kind = "origin_roster", division_code: str | None = None) -> bytes:
    """Write the roster to fill in: dropdowns, an ID column of text, an example row, notes.

    The dropdowns of places are those of the office's own division.
    """
    out = io.BytesIO()
    columns = [(f, w[0]) for f, w in words(kind).items()]
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        sheet = book.add_worksheet("花名册")
        forms = _Forms(book)
        for column, (field, word) in enumerate(columns):
            star = "*" if field in required(kind) else ""
            sheet.write_string(0, column, word + star, forms.header)
            sheet.set_column(column, column, _WIDTHS.get(field, _WIDTH), forms.text)
            sheet.write_string(1, column, EXAMPLE.get(field, ""), forms.text)
        sheet.freeze_panes(1, 0)
        _dropdowns(book, sheet, [f for f, _ in columns], division_code)
        _notes(book, forms)
    return out.getvalue()


_NOTES: Final = (
    "带 * 的列必填；请勿改动身份证号、联系电话两列的文本格式。",
    "一人一行；同一组同行的人，在“同行人(组)”填写相同的文字，例如“第1组”，或互相填写对方姓名。",
    "可出发日期请按 2027-03-01 填写；不填表示随时可以出发。",
    "上车点不填表示自行前往；需要过渡性住宿请在“是否需要住宿”选择“是”。",
    "单元格请直接填写内容，不要使用公式；提交前请删除示例行。",
)


def _dropdowns(book: Any, sheet: Any, fields: Sequence[str], division_code: str | None) -> None:  # noqa: ANN401
    # A list written into the cell's rule breaks the workbook beyond 255 characters (facts.md, F27).
    lists = book.add_worksheet(_LISTS)
    lists.hide()
    for column, (field, choices) in enumerate(_choices(division_code).items()):
        if field not in fields or not choices:
            continue
        lists.write_column(0, column, choices)
        letter = column_letter(column)
        source = f"={_LISTS}!${letter}$1:${letter}${len(choices)}"
        rule = {"validate": "list", "source": source, "error_type": "warning"}
        at = fields.index(field)
        sheet.data_validation(1, at, _TEMPLATE_ROWS, at, rule)


def _choices(division_code: str | None) -> dict[str, list[str]]:
    yes_no = ["是", "否"]
    places = reference.places_of(division_code) if division_code else ()
    return {
        "gender": ["男", "女"],
        "education": ["小学", "初中", "高中", "中专", "大专", "本科"],
        "poverty_lifted_worker": yes_no,
        "monitored_person": yes_no,
        "needs_bed": yes_no,
        "boarding_point": [p.name for p in places],
    }


def _notes(book: Any, forms: _Forms) -> None:  # noqa: ANN401 (XlsxWriter has no types)
    sheet = book.add_worksheet("填写说明")
    sheet.set_column(0, 0, 100)
    for line, note in enumerate(_NOTES):
        sheet.write_string(line, 0, f"{line + 1}. {note}", forms.text)
