"""Sheets of vacancies for tests, as enterprises might send them."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import xlsxwriter

HEADER = (
    "岗位名称", "工种", "招聘人数", "到岗日期", "月薪", "工作地点", "区县", "街镇",
    "性别要求", "年龄要求", "学历要求", "证书要求", "住宿项目", "住宿天数", "劳务品牌",
)  # fmt: skip
GOOD: Mapping[str, object] = {
    "岗位名称": "缝纫工",
    "工种": "缝纫工",
    "招聘人数": 20,
    "到岗日期": "2027-03-01",
    "月薪": "5500-7500",
    "工作地点": "嘉定一号车间",
    "区县": "嘉定区",
    "街镇": "南翔",
    "性别要求": "不限",
    "年龄要求": "18-45",
    "学历要求": "初中",
    "证书要求": "电工证、叉车证",
    "住宿项目": "YOUJIA",
    "住宿天数": 10,
    "劳务品牌": "怒放浦江建筑工",
}


def a_row(header: Sequence[str] = HEADER, **overrides: object) -> list[object]:
    """Give the cells of a good vacancy, with these in place of its own."""
    return [{**GOOD, **overrides}.get(word, "") for word in header]


def a_workbook(*rows: Sequence[object], header: Sequence[str] = HEADER) -> bytes:
    """Give an .xlsx; a cell that begins with = is a formula."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("岗位")
        for number, row in enumerate([header, *rows]):
            for column, value in enumerate(row):
                if isinstance(value, str) and value.startswith("="):
                    sheet.write_formula(number, column, value, None, 20)
                elif isinstance(value, int | float):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, str(value))
    return out.getvalue()


def a_csv(*rows: Sequence[object], header: Sequence[str] = HEADER, separator: str = ",") -> str:
    """Give the text of a .csv."""
    return "\n".join(separator.join(str(v) for v in row) for row in [header, *rows]) + "\n"


def with_members(data: bytes, members: Mapping[str, bytes]) -> bytes:
    """Give a workbook with more members, or others of the same name."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in members:
                new.writestr(name, old.read(name))
        for name, content in members.items():
            new.writestr(name, content)
    return out.getvalue()
