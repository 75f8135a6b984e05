"""A sheet of guests: what people write is understood, every fault is told, nothing hostile runs."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from services.lodging.sheet.rows import TABLE
from shared.sheets.issue import SheetRefused
from shared.sheets.reader import SheetReader
from shared.sheets.rows import Found
from tests.unit.recruitment.sheets import a_csv, a_workbook, with_members

TODAY = date(2027, 2, 20)
CHILD = "services.lodging.sheet.child"
WORKER = str(uuid4())
HEADER = ("人员编号", "入住日期", "入住天数", "住宿项目", "同住组", "家庭", "客栈", "是否候补")
GOOD: dict[str, object] = {"人员编号": WORKER, "入住日期": "2027-03-01", "入住天数": 5}


def a_row(**overrides: object) -> list[object]:
    return [{**GOOD, **overrides}.get(word, "") for word in HEADER]


def found(*rows: list[object], header: tuple[str, ...] = HEADER) -> Found:
    return TABLE.read(a_workbook(*rows, header=header), "住宿.xlsx", TODAY)


def refusal(data: bytes, filename: str = "住宿.xlsx") -> str:
    with pytest.raises(SheetRefused) as refused:
        TABLE.read(data, filename, TODAY)
    assert refused.value.told
    return refused.value.code


@pytest.mark.parametrize(
    ("word", "value", "name", "meaning"),
    [
        ("人员编号", WORKER.upper(), "worker_id", WORKER),
        ("入住日期", "2027/3/1", "check_in_on", "2027-03-01"),
        ("入住日期", "２０２７年３月１日", "check_in_on", "2027-03-01"),
        ("入住日期", "20270301", "check_in_on", "2027-03-01"),
        ("入住日期", "3月1日", "check_in_on", "2027-03-01"),
        ("入住日期", "2027.03.01", "check_in_on", "2027-03-01"),
        ("入住天数", "７天", "nights", 7),
        ("入住天数", "7晚", "nights", 7),
        ("住宿项目", "有“嘉”客栈", "programme", "YOUJIA"),
        ("住宿项目", "WORKS", "programme", "WORKS"),
        ("是否候补", "是", "wait", True),
        ("是否候补", "否", "wait", False),
        ("是否候补", "", "wait", None),
        ("同住组", " 一组 ", "group", "一组"),
    ],
)
def test_what_people_write_is_understood(word: str, value: object, name: str, meaning: Any) -> None:
    (row,) = found(a_row(**{word: value})).rows
    assert not row.errors
    assert row.fields[name] == meaning


@pytest.mark.parametrize(
    ("word", "value", "column", "code"),
    [
        ("人员编号", "", "A", "required"),
        ("人员编号", "王小明", "A", "worker_id_invalid"),
        ("人员编号", "11010519491231002X", "A", "worker_id_invalid"),
        ("入住日期", "下周", "B", "date_invalid"),
        ("入住日期", "2027-02-30", "B", "date_invalid"),
        ("入住日期", "2027-02-19", "B", "day_gone"),
        ("入住天数", "半个月", "C", "number_invalid"),
        ("入住天数", "=2+3", "C", "formula_not_allowed"),
        ("同住组", "很" * 101, "E", "text_too_long"),
        ("是否候补", "也许", "H", "value_unknown"),
    ],
)
def test_a_fault_is_told_at_its_cell_in_chinese_and_never_echoed(
    word: str, value: str, column: str, code: str
) -> None:
    (row,) = found(a_row(**{word: value})).rows
    (fault,) = row.issues
    assert (fault.row, fault.column, fault.header, fault.code) == (2, column, word, code)
    assert fault.message.startswith(f"第2行{column}列“{word}”：")
    assert not value or value not in fault.message


def test_a_header_may_stand_below_titles_with_other_words_and_order() -> None:
    rows = [
        ["住宿申请表", "", ""],
        ["住宿晚数", "员工编号*", "到达日期"],
        [5, WORKER, "2027-03-01"],
        ["合计", "", ""],
    ]
    told = TABLE.read(a_csv(*rows[1:], header=["住宿申请表", "", ""]).encode(), "a.csv", TODAY)
    assert [(r.row, r.fields) for r in told.rows] == [
        (3, {"nights": 5, "worker_id": WORKER, "check_in_on": "2027-03-01"})
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (a_csv().encode(), "content_mismatch"),
        (a_workbook(), "header_not_found"),
        (a_workbook(header=HEADER), "no_rows"),
        (a_workbook(["a", "b"], header=("人员编号", "客栈")), "header_missing"),
        (a_workbook(["a"] * 4, header=(*HEADER[:3], "天数")), "header_duplicate"),
        (with_members(a_workbook(a_row()), {"xl/vbaProject.bin": b"x"}), "active_content"),
        (
            with_members(a_workbook(a_row()), {"xl/big.txt": b"\0" * (5 << 20)}),
            "unpacked_too_large",
        ),
        (
            with_members(
                a_workbook(a_row()),
                {"xl/styles.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'},
            ),
            "bad_xml",
        ),
    ],
)
def test_a_file_that_is_no_sheet_or_hostile_is_refused_as_a_whole(data: bytes, code: str) -> None:
    assert refusal(data) == code


async def test_the_process_tells_the_same_as_the_code() -> None:
    data = a_workbook(a_row(), a_row(入住天数="多"), header=HEADER)
    here = TABLE.read(data, "住宿.xlsx", TODAY)
    there = await SheetReader(CHILD).read(data, "住宿.xlsx", TODAY)
    assert there == here


async def test_a_process_that_takes_too_much_is_ended_and_the_file_refused() -> None:
    data = a_workbook(*[a_row()] * 1_500, header=HEADER)
    with pytest.raises(SheetRefused) as refused:
        await SheetReader(CHILD, cpu_s_max=0).read(data, "a.xlsx", TODAY)
    assert refused.value.code == "too_many_cells"
