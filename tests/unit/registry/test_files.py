"""What a file may look like, and the one answer to each that may not (rosters.md, The file)."""

import codecs
import zlib

import pytest

from services.registry.roster import delimited, guarded_xml
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from tests.support.rosters import a_roster, a_table, csv_of, persons, xls, xlsx
from tests.unit.registry import hostile
from tests.unit.registry.checking import SMALL, job, read, refused

ROSTER = a_table({})


def test_the_type_is_the_contents_and_the_extension_only_has_to_be_one_of_three() -> None:
    layout, rows = read(xls(ROSTER), job("花名册.XLSX"))
    assert layout.type == "xls"
    assert [n.code for n in layout.notices] == ["extension_differs"]
    assert len(rows) == 1
    assert read(xlsx(ROSTER), job("a.csv"))[0].type == "xlsx"


@pytest.mark.parametrize(
    "name", ["a.xlsm", "a.xlsb", "a.ods", "a.txt", "a.docx", "a", "a.xlsx.exe"]
)
def test_other_extensions_are_refused_naming_those_wanted(name: str) -> None:
    assert refused(xlsx(ROSTER), name) == "415 unsupported_type"


@pytest.mark.parametrize(
    "content", [b"<html><table></table></html>", csv_of(ROSTER), b"%PDF-1.7", b"\x09\x00\x04\x00"]
)
@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_another_content_is_refused(name: str, content: bytes) -> None:
    assert refused(content, name) == "415 content_mismatch"


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    word = hostile.repacked(xlsx(ROSTER), {})
    assert refused(word.replace(b"xl/workbook.xml", b"xl/wordbook.xml")) == "415 content_mismatch"


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda: b"", "422 empty_file"),
        (lambda: b"\xef\xbb\xbf \r\n", "422 empty_file"),
        (lambda: xlsx(ROSTER)[:-200], "422 bad_archive"),
        (lambda: xlsx(ROSTER)[:300], "422 bad_archive"),
        (hostile.with_lying_size, "422 bad_archive"),
        (hostile.with_flipped_byte, "422 bad_archive"),
        (hostile.with_duplicate_member, "422 bad_archive"),
        (lambda: hostile.repacked(xlsx(ROSTER), {}, {"../evil.xml": b"<x/>"}), "422 bad_archive"),
        (lambda: hostile.repacked(xlsx(ROSTER), {}, {"/etc/x.xml": b"<x/>"}), "422 bad_archive"),
        (
            lambda: hostile.repacked(xlsx(ROSTER), {}, {f"m/{i}": b"" for i in range(2_000)}),
            "422 bad_archive",
        ),
        (hostile.with_encrypted_member, "422 encrypted_file"),
        (hostile.an_encrypted_package, "422 encrypted_file"),
        (lambda: hostile.with_doctype(hostile.SHEET), "422 bad_xml"),
        (lambda: hostile.with_doctype("xl/workbook.xml"), "422 bad_xml"),
        (lambda: hostile.with_doctype("docProps/core.xml"), "422 bad_xml"),
        (
            lambda: hostile.repacked(
                xlsx(ROSTER), {}, {"xl/worksheets/_rels/sheet1.xml.rels": b"<!DOCTYPE x><x/>"}
            ),
            "422 bad_xml",
        ),
        (
            lambda: hostile.repacked(
                xlsx(ROSTER), {}, {"xl/worksheets/sheet9.xml": b"<!DOCTYPE x><x/>"}
            ),
            "422 bad_xml",
        ),
        (hostile.nested_deeply, "422 bad_xml"),
        (
            lambda: hostile.repacked(xlsx(ROSTER), {hostile.SHEET: lambda x: x[:-20]}),
            "422 bad_xml",
        ),
        (
            lambda: hostile.repacked(xlsx(ROSTER), {}, {"xl/vbaProject.bin": b"x"}),
            "422 active_content",
        ),
        (
            lambda: hostile.repacked(xlsx(ROSTER), {}, {"xl/embeddings/oleObject1.bin": b"x"}),
            "422 active_content",
        ),
        (
            lambda: hostile.with_active_part(b"ms-office.vbaProject", by_ending=False),
            "422 active_content",
        ),
        (
            lambda: hostile.with_active_part(
                b"openxmlformats-officedocument.oleObject", by_ending=True
            ),
            "422 active_content",
        ),
        (lambda: hostile.in_encoding("nobodys"), "422 bad_xml"),
        (lambda: hostile.in_encoding("gb2312"), "422 bad_xml"),
        (lambda: hostile.that_unpacks_to(201 << 20), "413 unpacked_too_large"),
        (lambda: hostile.that_unpacks_to(11 << 20), "413 unpacked_too_large"),
        (lambda: hostile.that_unpacks_to(9 << 20), ""),
        (lambda: hostile.with_cell("XFD1048576"), "422 too_many_cells"),
        (lambda: hostile.with_cell("CW5"), "422 too_many_cells"),
        (lambda: hostile.with_cell("CV5"), ""),
        (lambda: hostile.with_cell("A1048576"), "422 too_many_rows"),
        (lambda: hostile.with_cell("XFD1048576", b""), ""),
        (lambda: hostile.with_cell("&#88;FD1048576"), "422 too_many_cells"),
        (
            lambda: hostile.with_row(b'<row r="9"><c r="XFD1048576" x="/"><v>1</v></c></row>'),
            "422 too_many_cells",
        ),
        (
            lambda: hostile.with_cell("E5", b'<f t="array" ref="A1:XFD1048576">A2</f><v>1</v>'),
            "422 too_many_cells",
        ),
    ],
)
def test_a_broken_or_hostile_workbook_has_its_own_answer(make: object, answer: str) -> None:
    assert refused(make()) == answer  # type: ignore[operator]


@pytest.mark.parametrize("member", [hostile.SHEET, "xl/workbook.xml", "xl/sharedStrings.xml"])
@pytest.mark.parametrize(("before", "after"), [('<a b="', '"/>'), ("<!--", "-->"), ("<?a ", "?>")])
def test_what_has_no_end_for_a_megabyte_is_no_workbooks(
    member: str, before: str, after: str
) -> None:
    short = hostile.with_an_end(member, before, after, 100_000)
    assert refused(short) == ""
    long = hostile.with_an_end(member, before, after, 3 << 20)
    assert refused(long) == "422 bad_xml"


@pytest.mark.parametrize("member", [hostile.SHEET, "xl/styles.xml", "xl/sharedStrings.xml"])
def test_what_has_more_tags_than_can_be_looked_at_is_refused(
    monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    monkeypatch.setattr(guarded_xml, "_TAGS_MAX", 10_000)
    tags = hostile.with_an_end(member, "<a/>" * 10_000, "", 0)
    assert refused(tags) == "422 too_many_cells"
    # Plain cells are cut away, and cost nothing.
    assert refused(xlsx(a_table(*persons(1_000)))) == ""


def test_a_text_may_be_as_long_as_it_likes() -> None:
    words = hostile.with_an_end("xl/sharedStrings.xml", "<si><t>&amp;", "</t></si>", 3 << 20)
    assert refused(words) == ""


def test_a_workbook_that_the_reader_finds_broken_is_refused_like_any_other() -> None:
    """Negative control of `open_sheet`: without it the reader's own error comes through."""
    merge = b'</sheetData><mergeCells count="1"><mergeCell ref="nowhere"/></mergeCells>'
    sheet = {hostile.SHEET: lambda xml: xml.replace(b"</sheetData>", merge)}
    assert refused(hostile.repacked(xlsx(ROSTER), sheet)) == "422 bad_archive"


@pytest.mark.parametrize(
    ("part", "target"),
    [
        ("xl/worksheets/sheet1.xml", "/xl/worksheets/sheet1.xml"),
        ("xl/sheet1.xml", "sheet1.xml"),
        ("sheets/one.xml", "/sheets/one.xml"),
    ],
)
def test_a_formula_is_seen_wherever_the_sheet_lies(part: str, target: str) -> None:
    _, rows = read(hostile.with_sheet_elsewhere(part, target, lambda book: book))
    assert [f.code for f in rows[0].faults] == ["formula_not_allowed"]


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        (b'sheet name="', b'sheet name="A\n B &amp; &#67;'),
        (b"</sheets>", b"</sheets><!-- <sheet/> -->"),
    ],
)
def test_a_formula_is_seen_whatever_the_sheet_is_called(written: bytes, changed: bytes) -> None:
    def change(book: bytes) -> bytes:
        assert written in book
        return book.replace(written, changed)

    data = hostile.with_sheet_elsewhere(hostile.SHEET, "worksheets/sheet1.xml", change)
    assert [f.code for f in read(data)[1][0].faults] == ["formula_not_allowed"]


@pytest.mark.parametrize(
    "sheets",
    [
        '<sheet name="花名册" sheetId="7" r:id="rId1"/></sheets>'.encode(),
        b'<sheet name="B" sheetId="7" r:id="rId99"/></sheets>',
        b'<sheet name="B" sheetId="7" r:id="rId1"/></sheets>',
        b'<sheet name="B" sheetId="7" xmlns:q="urn:q" q:id="rId2" r:id="rId1"/></sheets>',
    ],
)
def test_a_sheet_that_cannot_be_looked_at_is_not_read(sheets: bytes) -> None:
    book = {"xl/workbook.xml": lambda xml: xml.replace(b"</sheets>", sheets)}
    assert refused(hostile.repacked(xlsx(ROSTER), book)) in ("422 bad_xml", "422 bad_archive")


@pytest.mark.parametrize(
    ("written", "further", "sheet"),
    [(b"/>", b' TargetMode="External"/>', b""), (b'"rId1"', b'"rId7"', b' id="rId7"')],
)
def test_a_sheet_that_could_be_found_in_two_ways_is_not_read(
    written: bytes, further: bytes, sheet: bytes
) -> None:
    def relate(xml: bytes) -> bytes:
        first, whole = xml.index(b'<Relationship Id="rId1"'), b"</Relationships>"
        relation = xml[first : xml.index(b"/>", first) + 2]
        return xml.replace(whole, relation.replace(written, further) + whole)

    change = {
        "xl/_rels/workbook.xml.rels": relate,
        "xl/workbook.xml": lambda xml: xml.replace(b'r:id="rId1"', b'r:id="rId1"' + sheet),
    }
    assert refused(hostile.repacked(xlsx(ROSTER), change)) == "422 bad_xml"


def test_a_formula_of_a_format_behind_the_cells_is_no_cells() -> None:
    rich = b'<c r="C2" t="inlineStr"><is><r><t>138</t></r><r><t>12345678</t></r></is></c>'
    tail = b'</sheetData><extLst><ext xmlns:x="urn:x"><x:f>A1</x:f></ext></extLst>'
    sheet = hostile.with_cell_instead("C2", rich, tail)
    assert [r.faults for r in read(sheet)[1]] == [[]]


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda: xls(ROSTER)[:700], "422 bad_archive"),
        (lambda: xls(ROSTER)[:-600], "422 bad_archive"),
        (hostile.an_xls_with_macro_sheet, "422 active_content"),
        (hostile.an_xls_with_two_sheets_of_a_name, "422 bad_archive"),
        (hostile.an_xls_whose_sheet_begins_nowhere, "422 bad_archive"),
        (hostile.an_xls_whose_sheet_begins_late, "422 bad_archive"),
        (hostile.an_xls_that_breaks_off, "422 bad_archive"),
        (hostile.an_xls_whose_sheets_are_one, "422 bad_archive"),
        # Each of these would have calamine ask for more memory than there is, and abort.
        (lambda: hostile.an_xls_that_says(0x0200, 4, 1 << 30), "422 bad_archive"),
        (lambda: hostile.an_xls_that_says(0x0200, 0, 9), "422 bad_archive"),
        (lambda: hostile.an_xls_that_says(0x00FC, 4, (1 << 31) - 1), "422 bad_archive"),
        (lambda: hostile.an_xls_whose_header_says(44, 1 << 30), "422 bad_archive"),
        (lambda: hostile.an_xls_whose_header_says(64, 1 << 30), "422 bad_archive"),
        (hostile.an_encrypted_xls, "422 encrypted_file"),
        (lambda: xls(ROSTER, lambda _, sheet: sheet.write(9, 200, "x")), "422 too_many_cells"),
    ],
)
def test_a_broken_or_hostile_old_workbook_has_its_own_answer(make: object, answer: str) -> None:
    assert refused(make(), "a.xls") == answer  # type: ignore[operator]


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (csv_of(ROSTER) + b"\xff\xff\xff\r\n", "422 bad_encoding"),
        (codecs.BOM_UTF8 + csv_of(ROSTER, "gb18030"), "422 bad_encoding"),
        (
            "".join(",".join(map(str, r)) + "\n" for r in ROSTER).encode("utf-16"),
            "422 bad_encoding",
        ),
        (csv_of(ROSTER) + b"\0\r\n", "422 bad_csv"),
        (csv_of(ROSTER) + b'"open,1,2\r\n', "422 bad_csv"),
        (csv_of(ROSTER) + b"x" * (64 * 1024 + 1), "422 line_too_long"),
        (csv_of(ROSTER).replace(b"\n", b"\r\n") + b"x" * 60_000, ""),
    ],
)
def test_a_broken_csv_has_its_own_answer(data: bytes, answer: str) -> None:
    assert refused(data, "a.csv") == answer


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_is_read_in_its_encoding_and_by_its_separator(encoding: str, separator: str) -> None:
    table = a_table({"姓名": "龑小芳", "备注": "a,b;c"})
    _, rows = read(csv_of(table, encoding, separator), job("a.csv"))
    assert rows[0].values["name"] == "龑小芳"
    assert rows[0].values["notes"] == "a,b;c"
    assert rows[0].row == 2


def test_what_a_csv_ends_in_is_not_read_and_lines_of_nothing_are_too_many_rows() -> None:
    whole = csv_of(ROSTER) + b",,,\r\n" * 900 + b"\x1a"
    assert len([*delimited.sheet(whole, SMALL, set()).rows]) == len(ROSTER)
    apart = csv_of(ROSTER) + b"\r\n" * 400 + b"x"
    assert len([*delimited.sheet(apart, SMALL, set()).rows]) == len(ROSTER) + 401
    with pytest.raises(FileRefused, match="too_many_rows"):
        delimited.sheet(apart.replace(b"x", b"\r\n" * 100 + b"x"), SMALL, set())


def test_a_csv_of_carriage_returns_alone_is_read() -> None:
    data = csv_of(a_table(*persons(3_000))).replace(b"\r\n", b"\r")
    assert len(read(data, job("a.csv"))[1]) == 3_000


def test_limits_are_settings() -> None:
    big = xlsx(a_table(*persons(51)))
    assert refused(big, limits=SMALL) == "422 too_many_rows"
    assert refused(xlsx(a_table(*persons(50))), limits=SMALL) == ""
    assert refused(xls(a_table(*persons(51))), "a.xls", limits=SMALL) == "422 too_many_rows"
    assert refused(csv_of(a_table(*persons(51))), "a.csv", limits=SMALL) == "422 too_many_rows"
    wide = [[*ROSTER[0], *(f"列{i}" for i in range(28))], ROSTER[1]]
    assert refused(xlsx(wide), limits=SMALL) == "422 too_many_cells"
    assert refused(csv_of(wide), "a.csv", limits=SMALL) == "422 too_many_cells"
    assert refused(big, limits=Limits(file_bytes_max=1000)) == "413 file_too_large"


def test_external_links_are_ignored() -> None:
    link = b'<externalLink xmlns="x"><externalBook/></externalLink>'
    data = hostile.repacked(xlsx(ROSTER), {}, {"xl/externalLinks/externalLink1.xml": link})
    assert refused(data) == ""


@pytest.mark.parametrize("form", ["xlsx", "xls", "csv", "csv-gb18030"])
def test_no_cut_of_a_file_does_more_than_refuse_it(form: str) -> None:
    data = a_roster(20, 1, format=form)  # type: ignore[arg-type]
    for cut in range(0, len(data), max(len(data) // 60, 1)):
        assert refused(data[:cut], f"a.{form[:4].rstrip('-')}") != "500"


@pytest.mark.parametrize("form", ["xlsx", "xls", "csv"])
def test_no_flipped_byte_does_more_than_refuse_the_file(form: str) -> None:
    data = a_roster(10, 1, format=form)  # type: ignore[arg-type]
    for seed in range(150):
        at = zlib.crc32(f"{form}{seed}".encode()) % len(data)
        broken = data[:at] + bytes([data[at] ^ (1 << seed % 8)]) + data[at + 1 :]
        assert refused(broken, f"a.{form}") != "500"
