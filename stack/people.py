"""Invents persons with syntactically valid ID numbers, and writes them as offices' rosters."""

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal

import xlsxwriter
import xlwt

Format = Literal["xlsx", "xls", "csv", "csv-gb18030"]
Row = dict[str, str]

HEADERS: Final = (
    "序号", "姓名", "性别", "身份证号", "民族", "文化程度", "户籍地", "现居地", "联系电话",
    "紧急联系人", "紧急联系电话", "是否脱贫劳动力", "是否监测对象", "技能/证书", "意向岗位",
    "意向工资", "可出发日期", "同行人(组)", "上车点", "是否需要住宿", "备注",
)  # fmt: skip
HIRE_HEADERS: Final = (*HEADERS[:-1], "入职日期", "工作地点", HEADERS[-1])

# Prefecture -> its name and counties (GB/T 2260) that the offices of the demo gather workers in.
_COUNTIES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "530900": (
        "云南省临沧市",
        {
            "530902": "临翔区",
            "530921": "凤庆县",
            "530922": "云县",
            "530923": "永德县",
            "530924": "镇康县",
        },
    ),
    "532500": (
        "云南省红河哈尼族彝族自治州",
        {
            "532501": "个旧市",
            "532502": "开远市",
            "532524": "建水县",
            "532527": "泸西县",
            "532528": "元阳县",
        },
    ),
    "341200": (
        "安徽省阜阳市",
        {
            "341202": "颍州区",
            "341221": "临泉县",
            "341222": "太和县",
            "341225": "阜南县",
            "341226": "颍上县",
        },
    ),
}
_SURNAMES: Final = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜谢邹喻柏窦章云苏潘葛范彭郎"
)
_GIVEN: Final = (
    "晓明丽华建国春花志强秀英海燕文军玉兰小红光荣德福桂芳永平雪梅金凤立新家兴思远雨晴子涵阿木朵"
)
_ETHNICITIES: Final = ("汉族", "彝族", "哈尼族", "傣族", "佤族", "拉祜族")
_EDUCATION: Final = ("小学", "初中", "高中", "中专", "大专")
_OCCUPATIONS: Final = (
    "缝纫工",
    "电子装配工",
    "焊工",
    "保洁员",
    "餐厅服务员",
    "仓库管理员",
    "电工",
    "",
)
_CERTIFICATES: Final = ("", "", "电工证", "焊工证", "叉车证")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_WRITTEN_AT: Final = datetime(2026, 1, 1)  # noqa: DTZ001 (a workbook knows no zone)
_FIRST_BIRTH: Final = date(1972, 1, 1)
_BIRTH_DAYS: Final = 12_000
_SEQUENCE_PAIRS: Final = 499
_MALE_SHARE: Final = 0.5
_POVERTY_LIFTED_SHARE: Final = 0.3
_MONITORED_SHARE: Final = 0.05


@dataclass(frozen=True)
class RosterSpec:
    """What a roster is to look like; `faults` maps a name in `FAULTS` to how many rows have it."""

    n: int
    seed: int
    division_code: str = "530900"
    kind: Literal["origin_roster", "new_hires"] = "origin_roster"
    faults: Mapping[str, int] = field(default_factory=dict)
    available_from: date | None = None
    hired_on: date | None = None
    group_share: float = 0.1
    bed_share: float = 0.6
    boarding_share: float = 0.9


def resident_id(division_code: str, birth: date, sequence: int) -> str:
    """Make an ID number with the right check character (GB 11643)."""
    body = f"{division_code}{birth:%Y%m%d}{sequence:03d}"
    return body + _CHECKS[sum(w * int(c) for w, c in zip(_WEIGHTS, body, strict=True)) % 11]


def invented_rows(spec: RosterSpec) -> list[Row]:
    """Invent the rows of a roster, cell texts by header; the same spec gives the same rows.

    Two seeds of one division below 499 never share an ID number (up to 12,000 rows each).
    """
    chance = random.Random(f"{spec.division_code}/{spec.seed}")
    days = list(range(_BIRTH_DAYS))
    chance.shuffle(days)
    rows = [_person(i, spec, chance, days) for i in range(spec.n)]
    _group(rows, spec, chance)
    _spoil(rows, spec.faults, chance)
    return rows


def a_roster(  # noqa: PLR0913 (the everyday ones of RosterSpec, by name)
    n: int,
    seed: int,
    division_code: str = "530900",
    *,
    format: Format = "xlsx",  # noqa: A002 (what the callers call it)
    faults: Mapping[str, int] | None = None,
    spec: RosterSpec | None = None,
) -> bytes:
    """Write a roster of `n` invented persons as an office's file."""
    base = spec or RosterSpec(n, seed)
    wanted = replace(
        base,
        n=n,
        seed=seed,
        division_code=division_code,
        faults=base.faults if faults is None else faults,
    )
    headers = HIRE_HEADERS if wanted.kind == "new_hires" else HEADERS
    return written(headers, invented_rows(wanted), format)


def written(headers: Sequence[str], rows: Sequence[Row], form: Format) -> bytes:
    """Write rows under these headers; every cell is text, so that no ID number loses digits."""
    table = [list(headers), *([row.get(h, "") for h in headers] for row in rows)]
    return _WRITERS[form](table)


def _person(i: int, spec: RosterSpec, chance: random.Random, days: Sequence[int]) -> Row:
    prefecture, counties = _COUNTIES.get(spec.division_code) or ("", {spec.division_code: ""})
    # Without a look at `chance`, so that other draws never change who is who.
    county = sorted(counties)[spec.seed % len(counties)]
    male = chance.random() < _MALE_SHARE
    pair = (spec.seed + i // _BIRTH_DAYS) % _SEQUENCE_PAIRS
    birth = _FIRST_BIRTH + timedelta(days=days[i % _BIRTH_DAYS])
    home = f"{prefecture}{counties[county]}"
    name = chance.choice(_SURNAMES) + "".join(chance.sample(_GIVEN, 2))
    leaves = spec.available_from.isoformat() if spec.available_from else ""
    row = {
        "序号": str(i + 1),
        "姓名": name,
        "性别": "男" if male else "女",
        "身份证号": resident_id(county, birth, 2 * pair + (1 if male else 2)),
        "民族": chance.choice(_ETHNICITIES),
        "文化程度": chance.choice(_EDUCATION),
        "户籍地": home,
        "现居地": home,
        "联系电话": _phone(chance),
        "紧急联系人": name[0] + "".join(chance.sample(_GIVEN, 2)),
        "紧急联系电话": _phone(chance),
        "是否脱贫劳动力": "是" if chance.random() < _POVERTY_LIFTED_SHARE else "否",
        "是否监测对象": "是" if chance.random() < _MONITORED_SHARE else "否",
        "技能/证书": chance.choice(_CERTIFICATES),
        "意向岗位": chance.choice(_OCCUPATIONS),
        "意向工资": chance.choice(("5000-7000", "6000", "面议", "5000元以上")),
        "可出发日期": leaves,
        "同行人(组)": "",
        "上车点": f"{counties[county]}客运站" if chance.random() < spec.boarding_share else "",
        "是否需要住宿": "是" if chance.random() < spec.bed_share else "否",
        "备注": "",
    }
    if spec.kind == "new_hires":
        row["入职日期"] = (spec.hired_on or date.today()).isoformat()  # noqa: DTZ011 (a default for a try)
        row["工作地点"] = "嘉定工业区"
    return row


def _phone(chance: random.Random) -> str:
    return f"1{chance.randint(3, 9)}{chance.randint(0, 999_999_999):09d}"


def _group(rows: list[Row], spec: RosterSpec, chance: random.Random) -> None:
    """Let a share of the persons travel in groups of two to four."""
    i, number = 0, 0
    while i < len(rows) - 4:
        if chance.random() < spec.group_share:
            number += 1
            size = chance.randint(2, 4)
            for row in rows[i : i + size]:
                row["同行人(组)"] = f"第{number}组"
            i += size
        else:
            i += 1


def _spoil(rows: list[Row], faults: Mapping[str, int], chance: random.Random) -> None:
    """Put each fault into as many rows as asked, one a row, from the second row on."""
    wanted = [name for name, count in sorted(faults.items()) for _ in range(count)]
    # A spoiled row is in no group, so that it doesn't make others incomplete.
    free = [i for i, row in enumerate(rows) if i and not row["同行人(组)"]]
    for place, name in zip(sorted(chance.sample(free, len(wanted))), wanted, strict=True):
        FAULTS[name](rows[place], rows[0])


def _with_id(change: Callable[[str], str]) -> Callable[[Row, Row], None]:
    def spoil(row: Row, _first: Row) -> None:
        row["身份证号"] = change(row["身份证号"])

    return spoil


def _set(header: str, text: str) -> Callable[[Row, Row], None]:
    def spoil(row: Row, _first: Row) -> None:
        row[header] = text

    return spoil


def _same_person(row: Row, first: Row) -> None:
    row["身份证号"], row["性别"] = first["身份证号"], first["性别"]


def _other_gender(row: Row, _first: Row) -> None:
    row["性别"] = "女" if row["性别"] == "男" else "男"


def _wrong_check(number: str) -> str:
    return number[:-1] + ("1" if number[-1] != "1" else "2")


def _child(number: str) -> str:
    return resident_id(number[:6], date(2015, 5, 5), int(number[14:17]))


# A fault's name is the code of its issue; `name_missing` and `phone_missing` make `required`.
FAULTS: Final[Mapping[str, Callable[[Row, Row], None]]] = {
    "name_missing": _set("姓名", ""),
    "phone_missing": _set("联系电话", ""),
    "phone_invalid": _set("联系电话", "12345"),
    "id_checksum": _with_id(_wrong_check),
    "id_length": _with_id(lambda n: n[:-2]),
    "id_old_format": _with_id(lambda n: n[:6] + n[8:17]),
    "id_characters": _with_id(lambda n: "壹" + n[1:]),
    "id_birthdate": _with_id(lambda n: n[:10] + "1345" + n[14:]),
    "under_age": _with_id(_child),
    "date_invalid": _set("可出发日期", "明年春天"),
    "duplicate_in_file": _same_person,
    "gender_mismatch": _other_gender,
    "value_unclear": _set("是否需要住宿", "看情况"),
}
#: The faults that leave a row out as rejected.
ERRORS: Final = frozenset(FAULTS) - {"duplicate_in_file", "gender_mismatch", "value_unclear"}


def _xlsx(table: Sequence[Sequence[str]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        # The same rows are the same bytes, whenever they are written.
        book.set_properties({"created": _WRITTEN_AT})
        sheet = book.add_worksheet("花名册")
        text = book.add_format({"num_format": "@"})
        for r, row in enumerate(table):
            for c, cell in enumerate(row):
                if cell:
                    sheet.write_string(r, c, cell, text)
    return out.getvalue()


def _xls(table: Sequence[Sequence[str]]) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("花名册")
    for r, row in enumerate(table):
        for c, cell in enumerate(row):
            if cell:
                sheet.write(r, c, cell)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv(encoding: str) -> Callable[[Sequence[Sequence[str]]], bytes]:
    def write(table: Sequence[Sequence[str]]) -> bytes:
        out = io.StringIO()
        csv.writer(out).writerows(table)
        return out.getvalue().encode(encoding)

    return write


_WRITERS: Final[Mapping[Format, Callable[[Sequence[Sequence[str]]], bytes]]] = {
    "xlsx": _xlsx,
    "xls": _xls,
    "csv": _csv("utf-8-sig"),
    "csv-gb18030": _csv("gb18030"),
}
