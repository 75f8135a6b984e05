"""Headers of any shape, rows that are no persons, and what is hidden (rosters.md, The file)."""

import itertools
from typing import Any

import pytest

from services.registry.roster.fields import HIRE_WORDS, WORDS
from tests.support.rosters import PERSON, WRITERS, csv_of, persons, xls, xlsx
from tests.unit.registry import hostile
from tests.unit.registry.checking import codes, job, read, refused

VALUES = list(PERSON.values())
NAMES = list(PERSON)


def rows_of(table: list[list[Any]], form: str = "xlsx") -> list[int]:
    return [r.row for r in read(WRITERS[form](table), job(f"a.{form}"))[1]]


@pytest.mark.parametrize(
    ("field", "word"), [(f, w) for f, ws in {**WORDS, **HIRE_WORDS}.items() for w in ws]
)
def test_every_synonym_names_its_field(field: str, word: str) -> None:
    headers = [w for f, w in (("name", "姓名"), ("resident_id", "身份证号"), ("phone", "联系电话"),
                              ("hired_on", "入职日期")) if f != field]  # fmt: skip
    table = [[*headers, word], ["x"] * 5]
    layout, _ = read(xlsx(table), job(kind="new_hires"))
    assert layout.fields[-1] == field
    assert layout.headers[-1] == word


@pytest.mark.parametrize(
    "written",
    [
        "身 份 证 号", "身份证号*", "＊身份证号", "身份证号（必填）", "身份证号(18位)",
        "身份证号\n（必填）",        "身份证号【文本】", " 身份证号 ", "身份证号码",
        "身份证号（18位（含X））",
    ],
)  # fmt: skip
def test_a_headers_decoration_does_not_matter(written: str) -> None:
    written = written.replace("＊", "*")
    assert rows_of([["姓名", written, "联系电话"], VALUES]) == [2]


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("titles", [0, 1, 3, 18])
def test_columns_come_in_any_order_below_any_title(
    form: str, order: tuple[int, ...], titles: int
) -> None:
    table: list[list[Any]] = [["2027年外出务工人员花名册", "", ""]] * titles
    table = [*table, [NAMES[i] for i in order], [VALUES[i] for i in order]]
    assert rows_of(table, form) == [titles + 2]


@pytest.mark.parametrize(
    ("table", "answer"),
    [
        ([["甲", "乙"], ["1", "2"]], "422 header_not_found"),
        ([["姓名", "甲"], ["1", "2"]], "422 header_not_found"),
        ([["性别", "民族", "联系电话"], ["1", "2", "3"]], "422 header_not_found"),
        ([[""]] * 19 + [NAMES, VALUES], ""),
        ([["题"]] * 20 + [NAMES, VALUES], "422 header_not_found"),
        ([["姓名", "身份证号"], VALUES[:2]], "422 header_missing"),
        ([[*NAMES, "手机"], [*VALUES, "1"]], "422 header_duplicate"),
        ([NAMES], "422 no_rows"),
        ([["序号", *NAMES], ["", "", "", ""], ["合计", "", "", "3"]], "422 no_rows"),
    ],
)
def test_a_header_that_is_none_has_its_own_answer(table: list[list[str]], answer: str) -> None:
    assert refused(xlsx(table)) == answer


def test_new_hires_need_their_day() -> None:
    assert refused(xlsx([NAMES, VALUES]), kind="new_hires") == "422 header_missing"


def test_the_row_with_the_most_known_names_is_the_header_and_the_first_of_equals() -> None:
    table = [["姓名", "性别", "x"], ["姓名", "身份证号", "联系电话"], VALUES]
    assert rows_of(table) == [3]
    table = [NAMES, [*NAMES], VALUES]
    assert rows_of(table) == [2, 3]


@pytest.mark.parametrize("write", [xlsx, xls])
def test_a_merged_group_above_single_columns_is_a_header_of_two_rows(write: Any) -> None:
    table = [
        ["姓名", "身份证号", "联系电话", "紧急联系人", "", "备注"],
        ["", "", "", "姓名", "电话", ""],
        [*VALUES, "李四", "13912345678", "x"],
    ]

    def merge(_: Any, sheet: Any) -> None:
        if write is xlsx:
            sheet.merge_range(0, 3, 0, 4, "紧急联系人")
            for column in (0, 1, 2, 5):
                sheet.merge_range(0, column, 1, column, table[0][column])
        else:
            sheet.write_merge(0, 0, 3, 4, "紧急联系人")
            for column in (0, 1, 2, 5):
                sheet.write_merge(0, 1, column, column, table[0][column])

    layout, rows = read(write(table, merge))
    assert layout.fields == (
        "name", "resident_id", "phone", "emergency_contact", "emergency_phone", "notes",
    )  # fmt: skip
    assert [r.row for r in rows] == [3]
    assert rows[0].values["emergency_phone"] == "13912345678"


@pytest.mark.parametrize("form", WRITERS)
def test_a_pair_that_tells_more_apart_goes_before_its_lower_row(form: str) -> None:
    """Of 姓名 and 电话 twice over the lower row alone would know no more names than the pair."""
    table = [
        ["本人", "", "", "紧急联系人", ""],
        ["姓名", "身份证号", "电话", "姓名", "电话"],
        [*VALUES, "李四", "13912345678"],
    ]
    layout, rows = read(_grouped(form, table, [(0, 2), (3, 4)]), job(f"a.{form}"))
    assert layout.fields == (
        "name", "resident_id", "phone", "emergency_contact", "emergency_phone",
    )  # fmt: skip
    assert [r.row for r in rows] == [3]


@pytest.mark.parametrize("form", WRITERS)
def test_a_row_that_only_parts_a_group_is_no_persons(form: str) -> None:
    table = [[*NAMES, "户籍地", ""], ["", "", "", "省", "市县"], [*VALUES, "云南", "临沧"]]
    layout, rows = read(_grouped(form, table, [(3, 4)]), job(f"a.{form}"))
    assert layout.fields == ("name", "resident_id", "phone", "registered_residence", None)
    assert [r.row for r in rows] == [3]


@pytest.mark.parametrize("form", WRITERS)
def test_a_column_without_a_word_above_belongs_to_the_lower_row(form: str) -> None:
    table = [[*NAMES, "其他", "", ""], ["", "", "", "省", "县", "镇"], [*VALUES, "云南", "", ""]]
    layout, rows = read(_grouped(form, table, [(3, 4)]), job(f"a.{form}"))
    assert [n.header for n in layout.notices][-3:] == ["省", "县", "镇"]
    assert [r.row for r in rows] == [3]


@pytest.mark.parametrize("form", WRITERS)
def test_a_row_below_a_name_over_two_columns_is_a_persons(form: str) -> None:
    table = [["姓名", "", *NAMES[1:]], ["王", "某", "", ""]]
    _, rows = read(_grouped(form, table, [(0, 1)]), job(f"a.{form}"))
    assert [r.row for r in rows] == [2]


def _grouped(form: str, table: list[list[Any]], groups: list[tuple[int, int]]) -> bytes:
    """Write a table whose first row's words stand over groups of columns."""

    def merge(_: Any, sheet: Any) -> None:
        for first, last in groups:
            if form == "xls":
                sheet.write_merge(0, 0, first, last, table[0][first])
            else:
                sheet.merge_range(0, first, 0, last, table[0][first])

    if form == "csv":
        return csv_of(table)
    return xls(table, merge) if form == "xls" else xlsx(table, merge)


def test_a_csv_may_have_a_header_of_two_records() -> None:
    table = [
        ["姓名", "身份证号", "联系电话", "紧急联系人", ""],
        ["", "", "", "姓名", "电话"],
        [*VALUES, "李四", "13912345678"],
    ]
    layout, rows = read(WRITERS["csv"](table), job("a.csv"))
    assert layout.fields[3:] == ("emergency_contact", "emergency_phone")
    assert [r.row for r in rows] == [3]


def test_a_group_over_unknown_columns_takes_nothing_away() -> None:
    table = [["基本信息", "", ""], NAMES, VALUES]
    data = xlsx(table, lambda _, s: s.merge_range(0, 0, 0, 2, "基本信息"))
    assert [r.row for r in read(data)[1]] == [3]


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    "footer",
    ["合计", "合　计", "总计：12人", "小计", "填表人：某某", "制表", "审核人", "单位（盖章）",
     "联系人：某", "说明", "备注", "注：以上", "以下空白"],
)  # fmt: skip
def test_totals_and_signatures_are_no_persons(form: str, footer: str) -> None:
    headers = ["序号", *NAMES, "备注"]
    table = [
        headers,
        ["1", *VALUES, ""],
        ["", "", "", "", ""],
        ["2", "", "", "", ""],
        [footer, "", "", "2026-11-25", ""],
        ["", "", "", "", footer],
    ]
    assert rows_of(table, form) == [2]


def test_a_row_with_anything_else_is_a_person_with_faults() -> None:
    table = [["序号", *NAMES], ["1", "", "", "13812345678"], ["合计", "王五", "", ""]]
    _, rows = read(xlsx(table))
    assert [r.row for r in rows] == [2, 3]
    assert codes(rows[0]) == [("required", "error"), ("required", "error")]


def test_merged_data_cells_belong_to_their_first_row() -> None:
    table = [
        [*NAMES, "备注"],
        [*VALUES, "同一户"],
        [*list(persons(1)[0].values()), "13812345678", ""],
    ]
    data = xlsx(table, lambda _, s: s.merge_range(1, 3, 2, 3, "同一户"))
    _, rows = read(data)
    assert [r.values["notes"] for r in rows] == ["同一户", ""]


def test_what_a_merged_range_hides_is_not_there() -> None:
    """WPS keeps the covered cells' contents, which the office does not see."""
    first, second, third = ([*p.values(), "13812345678", "甲"] for p in persons(3))

    def merge(_: Any, sheet: Any) -> None:
        sheet.merge_range(1, 3, 2, 4, "甲")
        sheet.write_row(2, 3, ["乙", "丙"])

    _, rows = read(xlsx([[*NAMES, "备注", "现居地"], first, second, [*third, "丁"]], merge))
    assert [(r.values["notes"], r.values["present_residence"]) for r in rows] == [
        ("甲", ""), ("", ""), ("甲", "丁"),
    ]  # fmt: skip


def test_unknown_columns_hidden_rows_and_other_sheets_are_noticed() -> None:
    def change(book: Any, sheet: Any) -> None:
        sheet.set_row(1, None, None, {"hidden": True})
        other = book.add_worksheet("第二批")
        other.write_row(0, 0, NAMES)
        other.write_row(1, 0, VALUES)
        book.add_worksheet("图例").write_row(0, 0, ["甲", "乙"])
        secret = book.add_worksheet("隐藏")
        secret.write_row(0, 0, NAMES)
        secret.hide()

    layout, rows = read(xlsx([[*NAMES, "星座"], [*VALUES, "狮"]], change))
    assert sorted(n.code for n in layout.notices) == [
        "header_unknown", "hidden_rows_read", "sheet_not_read",
    ]  # fmt: skip
    assert all(n.row is None and n.column is None for n in layout.notices)
    assert len(rows) == 1


@pytest.mark.parametrize("write", [xlsx, xls])
def test_hidden_columns_are_read_and_noticed(write: Any) -> None:
    def hide(_: Any, sheet: Any) -> None:
        if write is xlsx:
            sheet.set_column(2, 2, None, None, {"hidden": True})
        else:
            sheet.col(2).hidden = True

    layout, rows = read(write([NAMES, VALUES], hide))
    assert [n.code for n in layout.notices if n.code != "extension_differs"] == ["hidden_rows_read"]
    assert rows[0].values["phone"] == PERSON["联系电话"]


def test_columns_hidden_beyond_the_table_are_no_news() -> None:
    data = xlsx(
        [NAMES, VALUES], lambda _, s: s.set_column(10, 16_383, None, None, {"hidden": True})
    )
    assert read(data)[0].notices == ()


def test_a_hidden_first_sheet_is_passed_over() -> None:
    def change(book: Any, sheet: Any) -> None:
        other = book.add_worksheet("真的")
        other.write_row(0, 0, NAMES)
        other.write_row(1, 0, VALUES)
        other.activate()
        other.set_first_sheet()
        sheet.hide()

    layout, _ = read(xlsx([["姓名", "身份证号", "手机"], ["a", "b", "c"]], change))
    assert layout.sheet == "真的"
    assert layout.notices == ()


@pytest.mark.parametrize("write", [xlsx, xls])
def test_a_formula_leaves_its_row_out_whatever_it_shows(write: Any) -> None:
    import xlwt

    def change(_: Any, sheet: Any) -> None:
        if write is xlsx:
            sheet.write_formula(1, 1, "=A1", None, PERSON["身份证号"])
            sheet.write_formula(2, 0, "=ROW()-1", None, 2)
            sheet.write_formula(2, 5, "=1+1", None, 2)
        else:
            sheet.write(1, 1, xlwt.Formula("A1"))
            sheet.write(2, 0, xlwt.Formula("ROW()-1"))
            sheet.write(2, 5, xlwt.Formula("1+1"))

    headers = ["序号", "身份证号", "姓名", "联系电话", "备注", "星座"]
    row = ["1", PERSON["身份证号"], "王", "13812345678", "", ""]
    _, rows = read(write([headers, row, row], change))
    assert codes(rows[0]) == [("formula_not_allowed", "error")]
    assert rows[0].cells[1] == ""
    assert codes(rows[1]) == []


def test_an_array_formula_covers_its_whole_range() -> None:
    def change(_: Any, sheet: Any) -> None:
        sheet.write_array_formula(1, 3, 2, 3, "{=A2:A3}", None, "x")
        sheet.write_string(2, 3, "x")

    table = [[*NAMES, "备注"], [*VALUES, ""], [*VALUES, ""]]
    _, rows = read(xlsx(table, change))
    assert [codes(r) for r in rows] == [[("formula_not_allowed", "error")]] * 2


@pytest.mark.parametrize("shown", ["", 0, "王小芳"])
@pytest.mark.parametrize("write", [xlsx, xls])
def test_a_row_by_formulas_is_a_persons_whatever_they_show(write: Any, shown: Any) -> None:
    import xlwt

    def change(_: Any, sheet: Any) -> None:
        for row in (1, 3):
            for column in (1, 2):
                if write is xlsx:
                    sheet.write_formula(row, column, "=甲!A1", None, shown)
                else:
                    sheet.write(row, column, xlwt.Formula("A1"))
        if write is xlsx:
            sheet.write_formula(2, 1, "=COUNTA(B2:B2)", None, 1)
            sheet.write_formula(2, 4, "=1", None, shown)
        else:
            sheet.write(2, 1, xlwt.Formula("COUNTA(B2:B2)"))

    table = [["序号", *NAMES, "备注"], ["1", "", "", "", ""], ["合计", "", "", "", ""]]
    _, rows = read(write(table, change))
    assert [r.row for r in rows] == [2, 4]
    found = [("formula_not_allowed", "error")] * 2 + [("required", "error")]
    assert [codes(r) for r in rows] == [found, found]


def test_an_errors_value_is_what_a_formula_left() -> None:
    def change(_: Any, sheet: Any) -> None:
        for column in range(3):
            sheet.row(1).set_cell_error(column, 0x2A)
        sheet.row(2).set_cell_boolean(3, 1)

    table = [[*NAMES, "备注"], ["", "", "", ""], [*VALUES, ""]]
    wrong = b"".join(b'<c r="%c2" t="e"><v>#N/A</v></c>' % c for c in b"ABC")
    rows = [*read(hostile.with_row_instead(2, wrong))[1], *read(xls(table, change))[1]]
    assert [codes(r) for r in rows] == [[("formula_not_allowed", "error")] * 3] * 2 + [[]]


def test_an_offices_own_word_names_a_column() -> None:
    table = [["姓名", "身份证号", "老乡电话"], VALUES]
    assert refused(xlsx(table)) == "422 header_missing"
    assert refused(xlsx(table), synonyms={"老乡电话": "phone"}) == ""


@pytest.mark.parametrize("form", WRITERS)
def test_rows_and_columns_are_those_that_the_office_sees(form: str) -> None:
    table = [["", "", ""]] * 3 + [["", "", *NAMES], ["", "", "王", "1", "2"], ["", "", "", "", ""]]
    table += [["", "", "李", *VALUES[1:]], ["", "", "赵", "", ""]]
    _, rows = read(WRITERS[form](table), job(f"a.{form}"))
    assert [r.row for r in rows] == [5, 7, 8]
    assert [f.column for f in rows[0].faults] == [3, 4]
