"""Writes the sheet of vacancies to fill in: every column, what it takes, and an example."""

import io
from collections.abc import Mapping
from typing import Any, Final

import xlsxwriter

from services.recruitment.domain.brands import LABOUR_BRANDS
from services.recruitment.sheet.header import COLUMNS

_OPTIONS: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_ROWS: Final = 2_000
_WIDTH: Final = 16
#: The columns that a sheet begins with, and of each what it takes and an example.
_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("岗位的名称", "缝纫工"),
    "occupation": ("职业分类的名称或编码；空着则按岗位名称", "缝纫工"),
    "openings": ("整数，1 至 10000", "20"),
    "starts_on": ("年-月-日", "2027-03-01"),
    "pay": ("每月元数，或一个范围", "5500-7500"),
    "site_name": ("工作地点的名称，不写门牌电话", "嘉定一号车间"),
    "division": ("上海的区，名称或代码", "嘉定区"),
    "town": ("街道或镇", "南翔镇"),
    "gender": ("男、女或不限", "不限"),
    "age": ("范围，或“45岁以下”；不低于 16 岁", "18-45"),
    "education": ("最低学历", "初中"),
    "certificates": ("证书名称，多个以顿号分开", "电工证、叉车证"),
    "programme": ("过渡性住宿项目的代码；没有则空着", "YOUJIA"),
    "nights": ("住宿天数", "10"),
    "labour_brand": ("劳务品牌的名称或代码", "怒放浦江建筑工"),
}
#: Short enough for Excel, which refuses lists of more than 255 characters.
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "gender": ("不限", "男", "女"),
    "labour_brand": tuple(LABOUR_BRANDS.values()),
}


def template_workbook() -> bytes:
    """Give the workbook: an empty sheet with its header, and a second one that explains it.

    The example stands on the second sheet, so that nobody posts it as a vacancy.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        book.set_properties({"author": "Shanhai"})
        bold = book.add_format({"bold": True, "num_format": "@", "bg_color": "#E8EEF7"})
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("岗位")
        for column, name in enumerate(_COLUMNS):
            sheet.write_string(0, column, _word(name), bold)
            sheet.set_column(column, column, _WIDTH, text)
            if name in _CHOICES:
                choices = {"validate": "list", "source": list(_CHOICES[name])}
                sheet.data_validation(1, column, _ROWS, column, choices)
        sheet.freeze_panes(1, 0)
        _explain(book.add_worksheet("说明"), bold, text)
    return out.getvalue()


def _word(name: str) -> str:
    return COLUMNS.words[name][0] + "*" * COLUMNS.needs(name)


def _explain(sheet: Any, bold: Any, text: Any) -> None:  # noqa: ANN401 (XlsxWriter has no types)
    for column, word in enumerate(("列", "怎么填", "例")):
        sheet.write_string(0, column, word, bold)
        sheet.set_column(column, column, 3 * _WIDTH if column == 1 else _WIDTH, text)
    for line, (name, (takes, example)) in enumerate(_COLUMNS.items(), 1):
        for column, word in enumerate((_word(name), takes, example)):
            sheet.write_string(line, column, word, text)
