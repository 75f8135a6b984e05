"""Each line of the cells' table, in each kind of file (rosters.md, Cells)."""

from datetime import date
from typing import Any

import pytest

from tests.support.rosters import WRITERS, a_table, csv_of, resident_id, xls, xlsx
from tests.unit.registry.checking import TODAY, codes, job, read

E, W = "error", "warning"


def value_of(header: str, field: str, text: Any, form: str = "xlsx") -> tuple[Any, list[Any]]:
    """Give a field's value and the row's codes when the cell under `header` says `text`."""
    data = WRITERS[form](a_table({header: text}))
    _, rows = read(data, job(f"a.{form}"))
    return rows[0].values.get(field), codes(rows[0])


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("440524188001010014", "440524188001010014", [("over_age", W)]),
        ("530902199903070015", "530902199903070015", []),
        ("53090220000303011x", "53090220000303011X", []),
        ("５３０９０２１９９９０３０７００２３", "530902199903070023", []),
        (" 530902 19990307 0023 ", "530902199903070023", []),
        ("530902-19990307-0023", "530902199903070023", []),
        ("530902\u00a0199903070023", "530902199903070023", []),
        ("'530902199903070023", "530902199903070023", []),
        ("", None, [("required", E)]),
        ("530902'199903070023", None, [("id_characters", E)]),
        ("53090219990307002A", None, [("id_characters", E)]),
        ("5309021999030700X3", None, [("id_characters", E)]),
        ("530902990307002", None, [("id_old_format", E)]),
        ("5309021999030700", None, [("id_length", E)]),
        ("53090220010229003X", None, [("id_birthdate", E)]),
        ("530902209901010018", None, [("id_birthdate", E)]),
        ("530902199903070024", None, [("id_checksum", E)]),
        ("5.30902E+17", None, [("id_precision_lost", E)]),
        ("'5.30902E+17", None, [("id_precision_lost", E)]),
        (resident_id("999999", date(1999, 3, 7), 2), None, [("division_unknown", W)]),
        (resident_id("830000", date(1999, 3, 7), 2), None, []),
        (resident_id("412723", date(1999, 3, 7), 2), None, []),
        (resident_id("533522", date(1999, 3, 7), 2), None, []),
        (resident_id("530902", date(2010, 11, 26), 2), None, [("under_age", E)]),
        (resident_id("530902", date(2010, 11, 25), 2), None, []),
        (resident_id("530902", date(1961, 11, 25), 2), None, []),
        (resident_id("530902", date(1960, 11, 25), 2), None, [("over_age", W)]),
    ],
)
def test_an_id_number_is_read_or_told_its_first_fault(
    form: str, text: str, value: str | None, found: list[Any]
) -> None:
    got, seen = value_of("身份证号", "resident_id", text, form)
    assert seen == found
    if value is not None:
        assert got == value


@pytest.mark.parametrize("write", [xlsx, xls])
def test_a_number_cell_has_lost_the_ids_last_digits(write: Any) -> None:
    _, rows = read(write(a_table({"身份证号": 530102199503121234})))
    assert codes(rows[0]) == [("id_precision_lost", E)]
    assert rows[0].cells[1] != "530102199503121216"


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("13812345678", "13812345678", []),
        ("+86 138-1234-5678", "13812345678", []),
        ("008613812345678", "13812345678", []),
        ("8613812345678", "13812345678", []),
        ("0883-2123456", "08832123456", [("phone_landline", W)]),
        ("13812345678/13912345678", "13812345678", [("phone_several", W)]),
        ("13812345678 13912345678", "13812345678", [("phone_several", W)]),
        ("13812345678、13912345678", "13812345678", [("phone_several", W)]),
        ("12812345678", None, [("phone_invalid", E)]),
        ("2123456", None, [("phone_invalid", E)]),
        ("无", None, [("phone_invalid", E)]),
        ("", None, [("required", E)]),
    ],
)
def test_a_phone_is_normalised_or_refused(
    form: str, text: str, value: str | None, found: list[Any]
) -> None:
    assert value_of("联系电话", "phone", text, form) == (value, found)


@pytest.mark.parametrize("write", [xlsx, xls])
def test_a_phone_may_be_a_number_cell(write: Any) -> None:
    _, rows = read(write(a_table({"联系电话": 13812345678})))
    assert rows[0].values["phone"] == "13812345678"
    assert not rows[0].faults


@pytest.mark.parametrize(
    ("header", "field", "text", "value", "found"),
    [
        ("紧急联系电话", "emergency_phone", "12345", None, [("phone_invalid", W)]),
        ("紧急联系电话", "emergency_phone", "", None, []),
        ("紧急联系电话", "emergency_phone", "0883-2123456", "08832123456", [("phone_landline", W)]),
        ("性别", "gender", "女性", "female", []),
        ("性别", "gender", "f", "female", []),
        ("性别", "gender", "", "female", []),
        ("性别", "gender", "男", "female", [("gender_mismatch", W)]),
        ("性别", "gender", "未知", "female", [("value_unclear", W)]),
        ("是否脱贫劳动力", "poverty_lifted_worker", "√", True, []),
        ("是否脱贫劳动力", "poverty_lifted_worker", "✓", True, []),
        ("是否脱贫劳动力", "poverty_lifted_worker", "Yes", True, []),
        ("是否监测对象", "monitored_person", "有", True, []),
        ("是否监测对象", "monitored_person", "×", False, []),
        ("是否监测对象", "monitored_person", "", False, []),
        ("是否监测对象", "monitored_person", "0", False, []),
        ("是否需要住宿", "needs_bed", "y", True, []),
        ("是否需要住宿", "needs_bed", "看情况", None, [("value_unclear", W)]),
        ("意向工资", "preferred_pay", "5000", (5000, 5000), []),
        ("意向工资", "preferred_pay", "5000-7000", (5000, 7000), []),
        ("意向工资", "preferred_pay", "5000～7000", (5000, 7000), []),
        ("意向工资", "preferred_pay", "5000至7000", (5000, 7000), []),
        ("意向工资", "preferred_pay", "5千到8千", (5000, 8000), []),
        ("意向工资", "preferred_pay", "5千", (5000, 5000), []),
        ("意向工资", "preferred_pay", "5000元以上", (5000, None), []),
        ("意向工资", "preferred_pay", "面议", None, []),
        ("意向工资", "preferred_pay", "", None, []),
        ("意向工资", "preferred_pay", "高薪", None, [("value_unclear", W)]),
        ("文化程度", "education", "初中", "70", []),
        ("文化程度", "education", "私塾里", None, [("value_unknown", W)]),
        ("技能/证书", "certificates", "电工证", ("TZZY-11",), []),
        ("技能/证书", "certificates", "吹口哨", (), [("value_unknown", W)]),
        ("意向岗位", "preferred_occupation", "天外来客", (), [("value_unknown", W)]),
        ("意向岗位", "preferred_occupation", "", (), []),
        ("上车点", "boarding_point", "临翔区客运站", "530902-00", []),
        ("上车点", "boarding_point", "", None, []),
        ("上车点", "boarding_point", "村口大树下", "530902-00", [("value_unknown", W)]),
        ("民族", "ethnicity", "佤族", "佤族", []),
        ("姓名", "name", "王" * 51, None, [("text_too_long", E)]),
        ("备注", "notes", "长" * 501, None, [("text_too_long", E)]),
        ("备注", "notes", "长" * 500, "长" * 500, []),
        ("现居地", "present_residence", "长" * 101, None, [("text_too_long", E)]),
        ("姓名", "name", "王\n小\u200b芳\x07", "王 小芳", []),
        ("姓名", "name", "  ", None, [("required", E)]),
    ],
)
def test_a_cell_says_this(header: str, field: str, text: str, value: Any, found: list[Any]) -> None:
    if field == "education" and value:
        _, seen = value_of(header, field, text)
        assert seen == found
        return
    assert value_of(header, field, text) == (value, found)


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        (date(2027, 3, 1), "2027-03-01", []),
        ("2027-03-01", "2027-03-01", []),
        ("2027/3/1", "2027-03-01", []),
        ("2027.3.1", "2027-03-01", []),
        ("20270301", "2027-03-01", []),
        (20270301, "2027-03-01", []),
        ("2027年3月1日", "2027-03-01", []),
        ("2027-03-01 00:00:00", "2027-03-01", []),
        ("3月1日", "2027-03-01", [("date_year_assumed", W)]),
        ("11月25日", "2026-11-25", [("date_year_assumed", W)]),
        ("11月24日", "2027-11-24", [("date_year_assumed", W)]),
        ("随时", TODAY.isoformat(), []),
        ("立即", TODAY.isoformat(), []),
        ("", None, []),
        ("2025-03-01", TODAY.isoformat(), [("date_in_past", W)]),
        ("2027-02-30", None, [("date_invalid", E)]),
        ("明年春天", None, [("date_invalid", E)]),
        (date(2500, 1, 1), None, [("date_invalid", E)]),
    ],
)
def test_a_day_of_leaving(text: Any, value: str | None, found: list[Any]) -> None:
    assert value_of("可出发日期", "available_from", text) == (value, found)


def test_the_1904_calendar_is_understood() -> None:
    import io

    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "date_1904": True}) as book:
        sheet = book.add_worksheet()
        form = book.add_format({"num_format": "yyyy/m/d"})
        for r, row in enumerate(a_table({"可出发日期": ""})):
            for c, cell in enumerate(row):
                sheet.write_string(r, c, cell)
        sheet.write_datetime(1, 3, date(2027, 3, 1), form)
    _, rows = read(out.getvalue())
    assert rows[0].values["available_from"] == "2027-03-01"


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("2026-11-20", "2026-11-20", []),
        ("2025-11-25", "2025-11-25", []),
        ("2025-11-24", None, [("date_invalid", E)]),
        ("2027-05-24", "2027-05-24", []),
        ("2027-05-25", None, [("date_invalid", E)]),
        ("3月1日", "2027-03-01", [("date_year_assumed", W)]),
        ("10月1日", "2026-10-01", [("date_year_assumed", W)]),
        ("随时", None, [("date_invalid", E)]),
        ("", None, [("required", E)]),
    ],
)
def test_a_day_of_hiring(text: str, value: str | None, found: list[Any]) -> None:
    data = xlsx(a_table({"入职日期": text}))
    _, rows = read(data, job(kind="new_hires", division_code="310114"))
    assert (rows[0].values.get("hired_on"), codes(rows[0])) == (value, found)


def test_the_origin_is_the_offices_own_or_inside_it_and_never_the_ids() -> None:
    table = a_table(
        {"户籍地": "云南省临沧市凤庆县某村"}, {"户籍地": "云南省红河州泸西县"}, {"户籍地": ""}
    )
    _, rows = read(xlsx(table))
    assert [r.values.get("home_county") for r in rows] == ["530921", None, None]


def test_a_place_is_looked_for_where_the_person_comes_from() -> None:
    table = a_table({"户籍地": "临沧市凤庆县", "上车点": "客运站"}, {"上车点": "客运站"})
    _, rows = read(xlsx(table))
    assert [r.values["boarding_point"] for r in rows] == ["530921-00", "530902-00"]


def test_more_cells_than_headers_in_a_csv_are_an_error_of_the_row() -> None:
    table = a_table({})
    table[1] += ["", "多出来"]
    _, rows = read(csv_of(table), job("a.csv"))
    assert codes(rows[0]) == [("row_too_long", E)]
    assert rows[0].faults[0].column == 4
    short = csv_of(table)[: csv_of(table).index(b"138")].rstrip(b",") + b"\r\n"
    _, rows = read(short, job("a.csv"))
    assert codes(rows[0]) == [("required", E)]


def test_values_are_masked() -> None:
    table = a_table(
        {
            "姓名": "王小芳" * 20,
            "身份证号": "530902199903070024",
            "联系电话": "2123456",
            "性别": "男",
            "意向工资": "高薪",
            "可出发日期": "明年春天",
            "文化程度": "私塾里",
            "紧急联系人": "李" * 9_000,
        }
    )
    _, rows = read(xlsx(table))
    masked = {f.field: f.masked for f in rows[0].faults}
    assert masked == {
        "name": "王" + "*" * 59,
        "resident_id": "5" + "*" * 16 + "4",
        "phone": "***3456",
        "preferred_pay": "高薪",
        "available_from": "明年春天",
        "education": "3 字",
        "emergency_contact": "9000 字",
    }
