"""What is wrong with a sheet: the file as a whole (refused), or a cell of it (an issue)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning", "info"]
#: Row (from 1), column (from 0) and the header's own word, as far as there is one.
Place = tuple[int | None, int | None, str | None]

STATUS: Final = {
    "content_mismatch": 415,
    "unsupported_type": 415,
    "file_too_large": 413,
    "unpacked_too_large": 413,
}
_REFUSALS: Final = {
    "unsupported_type": "请使用 .xlsx 或 .csv 文件。Send .xlsx or .csv.",
    "content_mismatch": "文件内容与扩展名不符，请另存为 .xlsx 或 .csv。"
    "The content is not what the extension says.",
    "file_too_large": "文件过大，请拆分后提交。The file is too large; split it.",
    "unpacked_too_large": "文件解压后过大。The file unpacks to too much.",
    "bad_archive": "文件已损坏或不完整，请重新另存后提交。The file is broken; save it again.",
    "encrypted_file": "文件设有密码，请取消密码后提交。The file has a password; remove it.",
    "bad_xml": "工作簿内部结构异常，请重新另存后提交。The workbook's inside is broken or hostile.",
    "active_content": "文件含有宏或嵌入对象。Macros or embedded objects are not taken.",
    "bad_encoding": "请另存为 UTF-8 或 GB18030 编码。Save the CSV as UTF-8 or GB18030.",
    "bad_csv": "CSV 含有空字符或引号不成对。The CSV has a NUL or an unbalanced quote.",
    "empty_file": "文件是空的。The file is empty.",
    "too_many_rows": "行数过多，请拆分后提交。Too many rows; split the sheet.",
    "too_many_cells": "表格过宽或过于复杂。Too many columns, or too much in the sheet.",
    "header_not_found": "前20行内没有找到表头。No header among the first 20 rows.",
    "header_missing": "缺少必填列。A required column is missing.",
    "header_duplicate": "同一内容有两列。A column occurs twice.",
    "no_rows": "表头下没有内容。Nothing stands below the header.",
}


_CELLS: Final = {
    "required": "必填。This is required.",
    "formula_not_allowed": "请填写内容，不要使用公式。Write the value, not a formula.",
    "text_too_long": "文字过长。The text is too long.",
    "number_invalid": "请填写整数。Write a whole number.",
    "date_invalid": "日期无法识别，请按 2027-03-01 填写。Write a date like 2027-03-01.",
    "date_year_assumed": "未写年份，按最近的将来理解。The year was assumed.",
    "row_too_long": "本行的单元格多于表头。The row has more cells than the header.",
    "header_unknown": "此列未被读取。This column was not read.",
    "sheet_not_read": "此工作表未被读取。This sheet was not read.",
}


class SheetRefused(Exception):  # noqa: N818 (an answer to the enterprise, not a fault of ours)
    """The whole file is refused: `status` is the HTTP status, `code` a stable word."""

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(code, what)
        self.code = code
        self.what = what
        self.status = STATUS.get(code, 422)

    @property
    def told(self) -> str:
        """The sentence for people, Chinese first; `what` are words of the sheet's header."""
        sentence = _REFUSALS[self.code]
        return f"{self.what}：{sentence}" if self.what else sentence


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault of one cell, or a notice about the whole file (row and column None).

    `row` and the column letter are as the spreadsheet shows them; the value is never repeated,
    for somebody may have written a phone into it.
    """

    row: int | None
    column: str | None
    header: str | None
    field: str | None
    code: str
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class Sentences:
    """What a service says about the cells of its sheet, besides what is said about any."""

    own: Mapping[str, str]

    def issue(
        self,
        code: str,
        severity: Severity,
        place: Place,
        field: str | None = None,
        sentence: str | None = None,
    ) -> Issue:
        """Make an issue; `sentence` is said instead of the one of this code."""
        row, column, header = place
        letter = None if column is None else column_letter(column)
        where = "" if row is None else f"第{row}行"
        where += "" if letter is None else f"{letter}列"
        name = f"“{header}”" if header else ""
        told = f"{where}{name}：{sentence or self.own.get(code) or _CELLS[code]}"
        return Issue(row, letter, header, field, code, severity, told.removeprefix("："))


def column_letter(column: int) -> str:
    """Give the letters of a column from 0: 0 is A, 26 is AA."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
