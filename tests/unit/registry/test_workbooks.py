"""What is given back to mend: the office's own sheet, and nothing of an earlier round."""

import io
import re
import zipfile

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from services.registry.roster.fields import TOLD
from services.registry.roster.workbook import Mark, issues_workbook
from tests.support.rosters import PERSON, csv_of
from tests.unit.registry.checking import codes, job, read

NAMES = list(PERSON)
VALUES = list(PERSON.values())


def given_back(data: bytes, name: str, *marks: Mark) -> bytes:
    layout, rows = read(data, job(name))
    told = {r.row: marks for r in rows}
    return issues_workbook(layout.headers, [(r.row, r.cells) for r in rows], told)


def sheet_of(data: bytes) -> Worksheet:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert isinstance(sheet, Worksheet)
    return sheet


def test_a_workbook_sent_again_unmended_has_one_column_of_what_is_wrong() -> None:
    first = given_back(csv_of([NAMES, VALUES]), "a.csv", Mark("A", "甲"))
    assert read(first)[0].notices == ()
    second = sheet_of(given_back(first, "a.xlsx", Mark("A", "乙"), Mark("C", "丙")))
    assert [c.value for c in second[1]] == [*NAMES, TOLD]
    assert [c.value for c in second[2]] == [*VALUES, "第2行：乙丙"]
    assert [c.comment.text if c.comment else None for c in second[2]] == ["乙", None, "丙", None]


def test_what_was_too_much_in_a_record_is_given_back_where_it_stood() -> None:
    data = csv_of([NAMES, [*VALUES, "", "多", ""]])
    assert codes(read(data, job("a.csv"))[1][0]) == [("row_too_long", "error")]
    back = sheet_of(given_back(data, "a.csv", Mark("E", "甲")))
    assert [c.value for c in back[1]] == [*NAMES, "", "", TOLD]
    assert [c.value for c in back[2]] == [*VALUES, None, "多", "第2行：甲"]
    assert back["E2"].comment is not None


def test_a_whole_number_can_be_seen_and_a_comments_box_holds_its_words() -> None:
    letters, points = 200, 10
    data = given_back(csv_of([NAMES, VALUES]), "a.csv", Mark("A", "字" * letters))
    assert sheet_of(data).column_dimensions["B"].width > len(PERSON["身份证号"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        drawn = archive.read("xl/drawings/vmlDrawing1.vml")
    box = re.search(rb"width:([\d.]+)pt;height:([\d.]+)pt", drawn)
    assert box
    assert float(box[1]) * float(box[2]) > letters * points * points


def test_what_says_that_rows_are_not_listed_is_no_persons_row() -> None:
    data = issues_workbook(NAMES, [(9, VALUES)], {}, 7)
    assert [r.row for r in read(data)[1]] == [2]
