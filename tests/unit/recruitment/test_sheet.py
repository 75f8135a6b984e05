"""A sheet of vacancies: every way to write a cell, and every way to break a file."""

import io
import struct
import zipfile
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from services.recruitment.sheet.rows import read
from services.recruitment.sheet.template import template_workbook
from shared.sheets.issue import SheetRefused, column_letter
from shared.sheets.reader import SheetReader
from shared.sheets.rows import Found, Row
from tests.unit.recruitment.sheets import HEADER, a_csv, a_row, a_workbook, with_members

TODAY = date(2027, 2, 20)
CHILD = "services.recruitment.sheet.child"


def found(data: bytes, filename: str = "岗位.xlsx") -> Found:
    return read(data, filename, TODAY)


def the_row(**overrides: object) -> Row:
    (row,) = found(a_workbook(a_row(HEADER, **overrides))).rows
    return row


def codes(row: Row) -> list[tuple[str | None, str]]:
    return [(i.column, i.code) for i in row.issues]


def refusal(data: bytes, filename: str = "岗位.xlsx") -> str:
    with pytest.raises(SheetRefused) as refused:
        found(data, filename)
    return refused.value.code


def test_a_good_row_is_a_whole_vacancy() -> None:
    row = the_row()
    assert row.issues == []
    assert row.row == 2
    assert row.fields == {
        "title": "缝纫工",
        "occupation_code": "6-05-01-03",
        "openings": 20,
        "starts_on": "2027-03-01",
        "monthly_pay_min": 5500,
        "monthly_pay_max": 7500,
        "site": {"name": "嘉定一号车间", "division_code": "310114", "town": "南翔镇"},
        "requirements": {
            "gender": None,
            "age_min": 18,
            "age_max": 45,
            "education_code": "70",
            "certificate_codes": ("TZZY-11", "TZSB-N1"),
        },
        "programme": "YOUJIA",
        "nights": 10,
        "labour_brand": "nufang_pujiang_builder",
    }


@pytest.mark.parametrize(
    ("word", "value", "field", "meant"),
    [
        ("到岗日期", "2027年3月1日", "starts_on", "2027-03-01"),
        ("到岗日期", "20270301", "starts_on", "2027-03-01"),
        ("到岗日期", "2027.3.1", "starts_on", "2027-03-01"),
        ("招聘人数", "２０人", "openings", 20),
        ("月薪", 6000, "monthly_pay_max", 6000),
        ("月薪", "5000 至 7000元/月", "monthly_pay_min", 5000),
        ("工种", "", "occupation_code", "6-05-01-03"),
        ("工种", "6-25-04-07", "occupation_code", "6-25-04-07"),
        ("劳务品牌", "some_brand", "labour_brand", "some_brand"),
        ("劳务品牌", "", "labour_brand", None),
        ("住宿项目", "有“嘉”客栈", "programme", "YOUJIA"),
    ],
)
def test_what_people_write_is_understood(
    word: str, value: object, field: str, meant: object
) -> None:
    row = the_row(**{word: value})
    assert (row.issues, row.fields[field]) == ([], meant)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("18-45", 18, 45), ("16岁以上", 16, None), ("45周岁及以下", None, 45), ("不限", None, None)],
)
def test_ages_are_open_at_either_end(value: str, low: int | None, high: int | None) -> None:
    wanted = the_row(年龄要求=value).fields["requirements"]
    assert (wanted["age_min"], wanted["age_max"]) == (low, high)


@pytest.mark.parametrize(
    ("word", "value", "code"),
    [
        ("岗位名称", "", "required"),
        ("岗位名称", "长" * 201, "text_too_long"),
        ("工种", "天外飞仙", "occupation_unknown"),
        ("招聘人数", "若干", "number_invalid"),
        ("招聘人数", "=10+10", "formula_not_allowed"),
        ("到岗日期", "尽快", "date_invalid"),
        ("到岗日期", "2027-02-30", "date_invalid"),
        ("月薪", "面议", "pay_invalid"),
        ("区县", "某某区", "division_unknown"),
        ("性别要求", "形象好", "gender_unclear"),
        ("年龄要求", "年轻", "age_invalid"),
        ("学历要求", "高学历", "value_unknown"),
        ("证书要求", "电工证、飞船证", "value_unknown"),
        ("劳务品牌", "没有这个", "value_unknown"),
    ],
)
def test_a_fault_is_told_at_its_cell(word: str, value: object, code: str) -> None:
    row = the_row(**{word: value})
    column = column_letter(HEADER.index(word))
    assert (column, code) in codes(row)
    told = next(i for i in row.issues if i.code == code)
    assert told.severity == "error"
    assert told.message.startswith(f"第2行{column}列“{word}”：")
    assert not str(value) or str(value) not in told.message


def test_all_faults_of_all_rows_are_told_at_once() -> None:
    data = a_workbook(a_row(招聘人数="若干", 月薪="面议"), a_row(), a_row(区县="某某区"))
    rows = found(data).rows
    assert [codes(r) for r in rows] == [
        [("C", "number_invalid"), ("E", "pay_invalid")], [], [("G", "division_unknown")],
    ]  # fmt: skip


def test_the_template_is_an_empty_sheet_and_its_examples_make_a_vacancy() -> None:
    template = template_workbook()
    assert refusal(template) == "no_rows"
    book = CalamineWorkbook.from_filelike(io.BytesIO(template))
    header, *_ = book.get_sheet_by_name("岗位").to_python()
    _, *lines = book.get_sheet_by_name("说明").to_python()
    assert header == [word for word, _, _ in lines]
    (row,) = found(a_workbook([example for _, _, example in lines], header=header)).rows
    assert row.issues == []
    assert (row.fields["title"], row.fields["openings"]) == ("缝纫工", 20)
    assert row.fields["site"]["town"] == "南翔镇"


def test_what_is_assumed_or_unknown_to_the_tables_is_a_warning() -> None:
    row = the_row(到岗日期="3月1日", 街镇="新新镇")
    assert [(i.code, i.severity) for i in row.issues] == [
        ("date_year_assumed", "warning"), ("town_unknown", "warning"),
    ]  # fmt: skip
    assert row.fields["starts_on"] == "2027-03-01"
    assert row.fields["site"]["town"] == "新新镇"


def test_a_header_may_stand_below_titles_with_other_words_and_order() -> None:
    header = (
        "序号",
        "街道",
        "所在区",
        "用工单位",
        "薪资待遇（元）",
        "上岗时间*",
        "需求人数",
        "岗位",
        "说明一栏",
    )
    rows = (
        ["一厂用工需求表"],
        header,
        [1, "南翔镇", "嘉定", "一厂", "6000", "2027/3/1", 3, "普工", "急"],
        [2],
        ["合计", "", "", "", "", "", "", ""],
    )
    told = found(a_workbook(*rows, header=()))
    assert [r.row for r in told.rows] == [4]
    assert told.rows[0].fields["occupation_code"] == "6-99-00-00"
    assert [(n.code, n.header) for n in told.notices] == [("header_unknown", "说明一栏")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_of_any_kind_is_read(encoding: str, separator: str) -> None:
    text = a_csv(a_row(), a_row(招聘人数="x"), separator=separator)
    rows = found(text.encode(encoding), "岗位.CSV").rows
    assert [codes(r) for r in rows] == [[], [("C", "number_invalid")]]


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (a_workbook(a_row()), "岗位.xls", "unsupported_type"),
        (a_workbook(a_row()), "岗位.xlsm", "unsupported_type"),
        (b"<html><table></table></html>", "a.xlsx", "content_mismatch"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xlsx", "content_mismatch"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "encrypted_file",
        ),
        (a_workbook(a_row())[:-200], "a.xlsx", "bad_archive"),
        (b"PK\x03\x04" + b"\0" * 100, "a.xlsx", "bad_archive"),
        (b"", "a.csv", "empty_file"),
        (b"\xef\xbb\xbf \n", "a.csv", "empty_file"),
        (b"\xff\xfea\0", "a.csv", "bad_encoding"),
        ("岗位名称\xff".encode("latin-1", "ignore") + b"\x81", "a.csv", "bad_encoding"),
        (a_csv(a_row(岗位名称='"缝纫工')).encode(), "a.csv", "bad_csv"),
        (a_csv(a_row(岗位名称="缝\0纫")).encode(), "a.csv", "bad_csv"),
        (b"x" * (2 * 1024 * 1024 + 1), "a.csv", "file_too_large"),
        (b"a,b\nc,d\n", "a.csv", "header_not_found"),
        (a_csv().encode(), "a.csv", "no_rows"),
        (a_csv(a_row(HEADER[1:]), header=HEADER[1:]).encode(), "a.csv", "header_missing"),
        (a_csv(a_row(), header=("岗位", *HEADER[1:-1], "职位")).encode(), "a.csv",
         "header_duplicate"),
        (a_csv(*[a_row()] * 2_001).encode(), "a.csv", "too_many_rows"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_sheet_is_refused_as_a_whole(
    data: bytes, filename: str, code: str
) -> None:
    assert refusal(data, filename) == code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"xl/vbaProject.bin": b"x"}, "active_content"),
        ({"xl/embeddings/a.bin": b"x"}, "active_content"),
        ({"../out.xml": b"<a/>"}, "bad_archive"),
        ({f"xl/media/{n}.txt": b"" for n in range(600)}, "bad_archive"),
        ({"xl/big.txt": b"\0" * (5 << 20)}, "unpacked_too_large"),
        ({"xl/styles.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "bad_xml"),
        ({"xl/styles.xml": b"<a>" * 200 + b"</a>" * 200}, "bad_xml"),
        ({"xl/styles.xml": b"<a><b></a>"}, "bad_xml"),
        ({"xl/styles.xml": b'<?xml version="1.0" encoding="nobodys"?><a/>'}, "bad_xml"),
        ({"xl/worksheets/sheet1.xml": b'<worksheet><sheetData><row r="1"><c r="XFD1"><v>1</v></c>'
          b"</row></sheetData></worksheet>"}, "too_many_cells"),
        ({"xl/worksheets/sheet1.xml": b'<worksheet><sheetData><row r="9999"><c r="A9999"><v>1</v>'
          b"</c></row></sheetData></worksheet>"}, "too_many_rows"),
    ],
)  # fmt: skip
def test_a_hostile_workbook_is_refused(members: dict[str, bytes], code: str) -> None:
    assert refusal(with_members(a_workbook(a_row()), members)) == code


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    data = bytearray(with_members(a_workbook(a_row()), {"xl/big.txt": b"\0" * (5 << 20)}))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/big.txt"))
    struct.pack_into("<I", data, at + 24, 10)
    assert refusal(bytes(data)) in {"bad_archive", "unpacked_too_large"}


def test_rows_and_formulas_are_where_the_spreadsheet_shows_them() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("岗位")
        for number, row in enumerate([HEADER, a_row(), a_row(), a_row()], start=3):
            sheet.write_row(number, 2, row)
        sheet.write_array_formula(4, 4, 5, 4, "{=A1:A2}", None, 20)
        book.add_worksheet("另一张").write_row(0, 0, HEADER)
        book.add_worksheet("隐藏").hide()
    told = found(out.getvalue())
    assert [(r.row, codes(r)) for r in told.rows] == [
        (5, [("E", "formula_not_allowed")]), (6, [("E", "formula_not_allowed")]), (7, []),
    ]  # fmt: skip
    assert [n.code for n in told.notices] == ["sheet_not_read"]


def test_a_formula_of_a_list_behind_the_cells_is_no_cells() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("岗位")
        for number, row in enumerate([HEADER, a_row()]):
            sheet.write_row(number, 0, row)
        sheet.add_sparkline(5, 20, {"range": "岗位!C2:C9"})
    assert [codes(r) for r in found(out.getvalue()).rows] == [[]]


@pytest.mark.parametrize(
    "change",
    [
        ("xl/_rels/workbook.xml.rels", b"worksheets/sheet1.xml", b"../xl/worksheets/sheet1.xml"),
        ("xl/workbook.xml", b"</sheets>", b'<sheet name="A" sheetId="9" r:id="rId9"/></sheets>'),
        ("xl/workbook.xml", b"<sheet name=", b'<sheet x:id="rId9" xmlns:x="urn:x" name='),
        ("xl/workbook.xml", b"<sheet name=", b'<sheet id="rId1" name='),
        ("xl/workbook.xml", b"</sheets>",
         '<sheet name="岗位" sheetId="9" r:id="rId1"/></sheets>'.encode()),
    ],
)  # fmt: skip
def test_a_sheet_that_was_not_looked_through_is_not_read(change: tuple[str, bytes, bytes]) -> None:
    part, written, instead = change
    whole = a_workbook(a_row())
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        content = archive.read(part)
    assert written in content
    changed = with_members(whole, {part: content.replace(written, instead)})
    assert refusal(changed) in {"bad_xml", "bad_archive"}


@pytest.fixture
def reader() -> SheetReader:
    return SheetReader(CHILD)


async def test_the_process_tells_the_same_as_the_code(reader: SheetReader) -> None:
    data = a_workbook(a_row(), a_row(招聘人数="若干"))
    here: dict[str, Any] = found(data).as_dict()
    there = (await reader.read(data, "岗位.xlsx", TODAY)).as_dict()
    for rows in (here["rows"], there["rows"]):
        for row in rows:
            row["fields"]["requirements"]["certificate_codes"] = ["told as a list"]
    assert there == here


async def test_the_process_passes_refusals_on(reader: SheetReader) -> None:
    with pytest.raises(SheetRefused) as refused:
        await reader.read(b"x", "a.txt", TODAY)
    assert (refused.value.code, refused.value.status) == ("unsupported_type", 415)


@pytest.mark.parametrize(
    ("bounded", "refusals"),
    [
        # Where memory ends decides whether the library or the process gives up.
        (SheetReader(CHILD, memory_bytes_max=40 << 20), {"too_many_cells", "bad_archive"}),
        (SheetReader(CHILD, cpu_s_max=0), {"too_many_cells"}),
    ],
    ids=["memory", "cpu"],
)
async def test_a_process_that_takes_too_much_is_ended_and_the_file_refused(
    bounded: SheetReader, refusals: set[str]
) -> None:
    with pytest.raises(SheetRefused) as refused:
        await bounded.read(a_workbook(*[a_row()] * 1_500), "岗位.xlsx", TODAY)
    assert refused.value.code in refusals


async def test_as_many_rows_as_a_sheet_may_have_are_read(reader: SheetReader) -> None:
    told = await reader.read(a_workbook(*[a_row()] * 2_000), "岗位.xlsx", TODAY)
    assert len(told.rows) == 2_000
    assert not any(r.issues for r in told.rows)
