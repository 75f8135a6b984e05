"""A worksheet is looked through at C speed, and nothing in it is overlooked for that."""

import re
from dataclasses import replace
from typing import Any, Final

import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.roster import worksheet_xml
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.plain_cells import plain_cells
from services.registry.roster.workbook_calamine import open_workbook
from services.registry.roster.worksheet_xml import SheetScan, UnplacedCellError
from services.registry.roster.xls import sheets as old_sheets
from tests.support.rosters import a_table, persons, xls, xlsx
from tests.unit.registry import hostile
from tests.unit.registry.checking import SMALL, codes, read, refused

LIMITS: Final = Limits()
FAR: Final = '<c r="DA9"><v>1</v></c>'
# Each begins or ends a comment or an attribute inside what looks like a plain cell: with the cell
# cut away, expat would take for a comment what calamine reads.
HIDING: Final = (
    f'<c r="A9" s="/><!-- "/>{FAR}-->',
    f'<a><a><!-- <c r="A9"><v>--></v></c>{FAR}<b><b>--></a></a>',
    f'<x a=\'<c r="A9" s="\'"/>\' > <!-- "> {FAR}--></x>',
    f'<x a=\'<c r="A9"><v>\'"</v></c>\' > <!-- "> {FAR}--></x>',
    f'<<c r="A9"/>!-- {FAR}-->',
)
CARELESS: Final = re.compile(rb'<c r="[A-Z]\d+"(?: [^<>]*)?(?:/>|><v>[^<]*</v></c>)')


def a_sheet(rows: str) -> bytes:
    return f"<worksheet><cols/><sheetData>{rows}</sheetData></worksheet>".encode()


def a_file(rows: str) -> bytes:
    """Put rows behind those of a small sound roster."""
    end = f"{rows}</sheetData>".encode()
    change = {hostile.SHEET: lambda xml: xml.replace(b"</sheetData>", end)}
    return hostile.repacked(hostile.a_roster_file(), change)


def scanned(xml: bytes, piece: int = 1 << 16) -> str:
    """Tell what a look finds that cuts, and goes back to the whole where that is asked for."""
    scan = SheetScan(LIMITS)
    for at in range(0, len(xml), piece):
        scan.feed(xml[at : at + piece])
    scan.close()
    try:
        return told(scan)
    except UnplacedCellError:
        return told(SheetScan.of([xml], LIMITS))


def told(scan: SheetScan) -> str:
    try:
        marks = scan.marks
    except FileRefused as answer:
        return answer.code
    return f"{sorted(marks.formulas)} {marks.hidden_rows} {marks.hidden_columns}"


@pytest.mark.parametrize("rows", HIDING)
def test_a_far_cell_is_not_hidden_by_what_looks_like_a_plain_one(rows: str) -> None:
    row = f'<row r="9">{rows}</row>'
    sheet = open_workbook(a_file(row)).get_sheet_by_index(0)
    assert sheet.end == (8, 104)
    assert refused(a_file(row)) == "422 bad_xml"


@pytest.mark.parametrize("rows", HIDING)
def test_a_careless_cut_would_hide_it(rows: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worksheet_xml, "plain_cells", lambda _: CARELESS)
    blank = scanned(a_sheet(f'<row r="9">{rows}</row>'))
    joined = told(SheetScan.of([CARELESS.sub(b"", a_sheet(f'<row r="9">{rows}</row>'))], LIMITS))
    assert "[] False []" in (blank, joined)


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ('<row r="9"><c\nr="DA9"><v>1</v></c></row>', "too_many_cells"),
        ('<row r="9"><c r="da9"><v>1</v></c></row>', "too_many_cells"),
        ("<row r=\"9\"><c r='DA9'>\n<!-- --><v>1</v></c></row>", "too_many_cells"),
        ('<row r="9"><x:c xmlns:x="x" r="DA9"><x:f/></x:c></row>', "too_many_cells"),
        ('<row r="9"><c r="AAAAAA9"><v>1</v></c></row>', "too_many_cells"),
        ('<row r="9"><c r="A4294967297"><v>1</v></c></row>', "too_many_rows"),
        ('<row r="9"><c r="$A$9"><v>1</v></c></row>', "bad_xml"),
        ('<row r="9">' + "<c><v>1</v></c>" * 101 + "</row>", "too_many_cells"),
        ('<row r="1048576"><c><v>1</v></c></row>', "too_many_rows"),
        ('<row r="200021"><c r="A200021"><v>1</v></c></row>', "too_many_rows"),
        ('<row r="200020"><c r="A200020"/></row><row r="9"><c r="CV9"><v>1</v></c></row>', ""),
        ('<row r="9"><c r="DA9"/><c r="DB9" s="1"></c><c r="A1048576"/></row>', ""),
        ('<row r="x"/>', "bad_xml"),
        ('<row r="9"><c r="A9"><v>&nothing;</v></c></row>', "bad_xml"),
        ('<row r="9"><c r="A9"><w>1</w></c></row>', "bad_archive"),
    ],
)
def test_far_and_unreadable_cells_have_their_answers(rows: str, answer: str) -> None:
    assert refused(a_file(rows)).removeprefix("422 ") == answer


def test_a_fault_behind_the_sheet_goes_before_the_sheets_own() -> None:
    data = hostile.repacked(a_file(f'<row r="9">{FAR}</row>'), {}, {"z.xml": b"<!DOCTYPE x><x/>"})
    assert refused(data) == "422 bad_xml"
    assert refused(hostile.with_flipped_byte()) == "422 bad_archive"


def test_people_by_formulas_below_the_last_value_are_counted_too() -> None:
    formulas = "".join(f'<row r="{r}"><c r="A{r}"><f>B1</f></c></row>' for r in range(42, 53))
    change = {
        hostile.SHEET: lambda xml: xml.replace(b"</sheetData>", f"{formulas}</sheetData>".encode())
    }
    data = hostile.repacked(xlsx(a_table(*persons(40))), change)
    assert refused(data, limits=replace(SMALL, rows_max=51)) == ""
    assert refused(data, limits=SMALL) == "422 too_many_rows"


def test_a_formula_is_found_where_cells_do_not_say_where_they_stand() -> None:
    def unplaced(xml: bytes) -> bytes:
        xml = re.sub(rb'(<row|<c) r="\w+"', rb"\1", xml)
        return re.sub(
            rb"<v>([^<]*)</v></c></row></sheetData>",
            rb"<f>A1</f><v>\1</v></c></row></sheetData>",
            xml,
        )

    data = hostile.repacked(hostile.a_roster_file(), {hostile.SHEET: unplaced})
    _, rows = read(data)
    assert codes(rows[0]) == [("formula_not_allowed", "error")]


def test_a_sheet_in_utf_16_is_looked_through() -> None:
    row = '<row r="9" hidden="1"><c r="B9"><f>1</f></c></row>'
    for form in ("utf-16-le", "utf-16-be"):
        xml = ("\ufeff" + a_sheet(row).decode()).encode(form)
        assert scanned(xml, 100) == "[(8, 1)] True []"


CELLS: Final = st.sampled_from(
    [
        '<c r="{0}"/>', '<c r="{0}" s="1" t="s"><v>7</v></c>', '<c r="{0}"><v>1.5</v></c>',
        '<c r="{0}" t="inlineStr"><is><t xml:space="preserve"> 甲</t></is></c>',
        '<c r="{0}" t="str"><f>A1</f><v>1</v></c>', '<c r="{0}"><f t="array" ref="B2:C3">1</f></c>',
        '<c  r="{0}"></c>', '<c s="1" r="{0}"><v>&amp;</v></c>', '<c r="{0}"><v>"</v></c>',
        '<!-- <c r="{0}"><f/></c> -->', '<![CDATA[<c r="{0}"><f/></c>]]>',
    ]
)  # fmt: skip
PLACES: Final = st.sampled_from(["A1", "Z9", "BZ99999", "CA7", "CV199999", "A200020"])
ODD: Final = st.sampled_from(
    ["<c><f>1</f></c>", "<c/>", FAR, '<c r="DA9"/>', '<c r="A200021"><v>1</v></c>']
)
ROWS: Final = st.sampled_from(
    ['<row r="{0}" spans="1:9">', '<row r="{0}" ht="15" customHeight="1">', "<row>",
     '<row r="{0}" hidden="1">', '<row hidden="0" r="{0}">']
)  # fmt: skip


@st.composite
def sheets(draw: st.DrawFn) -> bytes:
    written = []
    for number in range(1, draw(st.integers(1, 6))):
        cells = st.lists(st.builds(str.format, CELLS, PLACES), max_size=6)
        odd = draw(st.lists(ODD, max_size=1)) if draw(st.integers(0, 3)) == 0 else []
        inside = draw(st.permutations([*draw(cells), *odd]))
        written.append(draw(ROWS).format(number * 3) + "".join(inside) + "</row>")
    return a_sheet("".join(written))


@settings(max_examples=150, deadline=None)
@given(xml=sheets(), piece=st.sampled_from([7, 64, 1 << 16]))
def test_a_look_that_cuts_finds_what_a_look_at_the_whole_finds(xml: bytes, piece: int) -> None:
    assert scanned(xml, piece) == told(SheetScan.of([xml], LIMITS))


def test_what_dotnet_writes_is_cut_as_well() -> None:
    rows = '<row r="2" spans="1:2"><c r="A2" t="s"><v>1</v></c><c r="B2"/></row>'
    prefixed = rows.replace("</", "</x:").replace("<r", "<x:r").replace("<c", "<x:c")
    for written in (rows, prefixed.replace("<v", "<x:v")):
        assert plain_cells(LIMITS).sub(b"", written.encode()) == b""
    assert plain_cells(LIMITS).sub(b"", prefixed.encode()) != b""


def test_a_look_that_cuts_too_much_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    xml = a_sheet('<row r="9"><c r="A9"><f>1</f></c></row>')
    assert scanned(xml) == "[(8, 0)] False []"
    monkeypatch.setattr(worksheet_xml, "plain_cells", lambda _: re.compile(rb"<c.*?</c>"))
    assert scanned(xml) != told(SheetScan.of([xml], LIMITS))


@pytest.mark.parametrize("column", [0, 99, 100, 255])
def test_old_records_passed_over_hide_no_formula_and_no_far_cell(column: int) -> None:
    def add(_: Any, sheet: Any) -> None:
        for row in range(9, 99):
            sheet.write(row, column, row if row % 2 else "x")
        sheet.write(99, 5, xlwt.Formula("A1"))

    data = xls(a_table({}), add)
    if column >= LIMITS.columns_max:
        assert refused(data, "a.xls") == "422 too_many_cells"
    else:
        sheet = next(old_sheets(data, LIMITS))
        assert sheet.marks.formulas == {(99, 5)}
        assert sheet.size == (100, max(column, 5) + 1)
