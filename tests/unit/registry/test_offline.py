"""A file can be checked without a server, with the answer that the server gives."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from services.registry.roster.example import EXAMPLE
from services.registry.roster.fields import words
from services.registry.roster.offline import check_file
from services.registry.roster.workbook import Mark, issues_workbook, template_workbook
from tests.support.rosters import a_roster, a_table, persons, xlsx
from tests.unit.registry.checking import TODAY, codes, job, read


def checked(path: Path, data: bytes, **overrides: Any) -> dict[str, Any]:
    path.write_bytes(data)
    asked = {"kind": "origin_roster", "division_code": "530900", "today": TODAY} | overrides
    return check_file(path, **asked)


@pytest.mark.parametrize("form", ["xlsx", "xls", "csv", "csv-gb18030"])
def test_a_roster_is_checked_offline(tmp_path: Path, form: Any) -> None:
    faults = {"id_checksum": 2, "gender_mismatch": 3, "duplicate_in_file": 1}
    data = a_roster(100, 4, format=form, faults=faults)
    found = checked(tmp_path / f"a.{form[:4].rstrip('-')}", data)
    assert found["state"] == "partly_accepted"
    names = ("row", "accepted", "rejected", "duplicate", "warning")
    assert [found[f"{name}_count"] for name in names] == [100, 97, 2, 1, 3]
    assert len(found["issues"]) == 6
    assert all(i["row"] and i["column"] and i["message"] for i in found["issues"])


def test_a_page_of_text_in_a_header_is_not_told_with_every_issue(tmp_path: Path) -> None:
    page = "页" * 9_000
    table = [[f"姓名（{page}）", "身份证号", "联系电话", page], ["", "1", "2", "3"]]
    issues = checked(tmp_path / "a.xlsx", xlsx(table))["issues"]
    assert {i["code"] for i in issues} >= {"required", "header_unknown"}
    assert all(len(i["header"]) <= 200 and len(i["message"]) < 300 for i in issues)


def test_a_refused_file_says_why(tmp_path: Path) -> None:
    refused = checked(tmp_path / "a.docx", b"x")["refused"]
    assert (refused["status"], refused["code"]) == (415, "unsupported_type")
    assert ".xlsx" in refused["detail"]


def test_the_workbook_that_goes_back_holds_nothing_that_runs() -> None:
    headers = ["姓名", "身份证号", "备注"]
    evil = ["=1+1", "+cmd|' /C calc'!A0", '=HYPERLINK("http://x")']
    data = issues_workbook(headers, [(5, evil)], {5: [Mark("B", "身份证号：错")]})
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert [c.value for c in sheet[2]][:3] == evil
    assert all(c.data_type == "s" for c in sheet[2])
    assert sheet["B2"].comment.text == "身份证号：错"
    assert sheet["D2"].value == "第5行：身份证号：错"


def test_a_damaged_id_number_comes_back_damaged() -> None:
    _, rows = read(xlsx(a_table({"身份证号": 530102199503121234})))
    again = issues_workbook(["姓名", "身份证号", "联系电话"], [(2, rows[0].cells)], {})
    _, rows = read(again)
    assert codes(rows[0]) == [("id_precision_lost", "error")]


@pytest.mark.parametrize("kind", ["origin_roster", "new_hires"])
def test_a_filled_template_is_accepted(kind: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template_workbook(kind, "530900")))
    sheet = book.worksheets[0]
    header = [c.value for c in sheet[1]]
    for line, person in enumerate(persons(3, 联系电话="13812345678", 入职日期="2026-11-20"), 2):
        for column, word in enumerate(header, 1):
            sheet.cell(line, column).value = person.get(str(word).rstrip("*"), "")
    out = io.BytesIO()
    book.save(out)
    _, rows = read(out.getvalue(), job(kind=kind))
    assert [codes(r) for r in rows] == [[]] * 3


@pytest.mark.parametrize("kind", ["origin_roster", "new_hires"])
def test_a_template_as_it_is_handed_out_has_no_fault(tmp_path: Path, kind: Any) -> None:
    found = checked(tmp_path / "a.xlsx", template_workbook(kind, "530900"), kind=kind)
    assert (found["state"], found["row_count"], found["rejected_count"]) == ("accepted", 0, 0)
    assert [i["code"] for i in found["issues"]] == ["example_not_read"]


def test_an_example_is_a_good_row_but_for_its_number_which_is_nobodys() -> None:
    words_of = {f: w[0] for f, w in words("origin_roster").items()}
    row = {words_of[f]: text for f, text in EXAMPLE.items() if f in words_of}
    _, (mended, kept) = read(xlsx(a_table(persons(1)[0] | {"备注": ""}, row)))
    assert codes(mended) == []
    assert codes(kept) == [("id_example", "error")]


def test_an_example_with_another_name_is_a_fault_and_no_person() -> None:
    named = {**persons(1)[0], "身份证号": EXAMPLE["resident_id"]}
    _, rows = read(xlsx(a_table(named)))
    assert [codes(r) for r in rows] == [[("id_example", "error")]]
