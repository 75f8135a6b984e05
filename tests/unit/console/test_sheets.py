"""Files for spreadsheets: Chinese stays Chinese, and no cell becomes a formula."""

import io
import json

import openpyxl

from services.console.pages.sheets import written

COLUMNS = {"name": "单位", "note": "备注"}
ROWS = [("临沧市人社局", '=HYPERLINK("x")'), ("红河州", None)]


def test_a_csv_tells_its_encoding_and_holds_no_formula() -> None:
    text = written("csv", COLUMNS, ROWS)
    assert text.startswith(b"\xef\xbb\xbf")
    assert "'=HYPERLINK" in text.decode("utf-8-sig")
    assert text.decode("utf-8-sig").splitlines()[2] == "红河州,"


def test_a_workbook_holds_text_not_formulas() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(written("xlsx", COLUMNS, ROWS))).worksheets[0]
    assert [c.value for c in sheet[1]] == ["单位", "备注"]
    assert sheet["B2"].data_type == "s"


def test_json_lines_have_stable_keys() -> None:
    first, second = written("jsonl", COLUMNS, ROWS).decode().splitlines()
    assert json.loads(first)["name"] == "临沧市人社局"
    assert json.loads(second) == {"name": "红河州", "note": None}
