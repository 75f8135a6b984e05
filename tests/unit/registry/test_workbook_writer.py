"""A process of its own writes what is large, and the same as the service would."""

import io

import openpyxl
import pytest

from services.registry.receipt import Fault, Kind, Receipt, as_workbook
from services.registry.roster.workbook import Mark, issues_workbook
from services.registry.workbooks import Writer, writer
from services.registry.workbooks.writer import APART_FROM
from shared.problem import Problem

NAMES = ["姓名", "性别", "备注"]


def cells_of(data: bytes) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: list(sheet.values) for sheet in book.worksheets}


async def test_a_large_workbook_is_written_by_a_process_of_its_own_and_is_the_same() -> None:
    rows = [(n, [f"{n}", "=甲", "乙"]) for n in range(2, APART_FROM + 2)]
    marks = {n: [Mark("A", "丙"), Mark(None, "丁")] for n, _ in rows}
    apart = await Writer().issues_workbook(NAMES, rows, marks, 7)
    assert cells_of(apart) == cells_of(issues_workbook(NAMES, rows, marks, 7))
    (sheet,) = openpyxl.load_workbook(io.BytesIO(apart)).worksheets
    assert sheet["A2"].comment is not None
    assert str(sheet.cell(sheet.max_row, sheet.max_column).value).startswith("说明：另有 7 行")


async def test_a_workbook_that_cannot_be_written_is_no_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "_CHILD", "services.registry.workbooks.nobody")
    rows = [(n, ["甲"]) for n in range(APART_FROM)]
    with pytest.raises(Problem) as refused:
        await Writer().issues_workbook(["姓名"], rows, {})
    assert (refused.value.status, refused.value.code) == (503, "not_written")


async def test_a_large_receipt_is_written_by_that_process_too_and_is_the_same() -> None:
    faults = [Fault(n, "B", "=1+1", "required", "补填。", "4****6") for n in range(APART_FROM)]
    counted = [Kind("required", "错误 error", APART_FROM + 3, APART_FROM, "补填。")]
    receipt = Receipt("回执", [("批次", "1")], [("总行数", 9)], counted, faults, unlisted=3)
    apart, here = await Writer().receipt(receipt), as_workbook(receipt)
    assert cells_of(apart) == cells_of(here)
    assert len(cells_of(apart)["待修改"]) == 1 + APART_FROM + 1
    assert str(cells_of(apart)["待修改"][-1][4]).startswith("另有 3 处")
