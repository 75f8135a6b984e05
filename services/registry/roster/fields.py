"""A roster's columns: the fields, the offices' words for them, and which are required."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, Literal

Kind = Literal["origin_roster", "new_hires"]

SERIAL: Final = "serial"
NAME: Final = "name"
RESIDENT_ID: Final = "resident_id"
PHONE: Final = "phone"
COMPANIONS: Final = "companions"
HIRED_ON: Final = "hired_on"

# field -> the office's words, the first being the template's (rosters.md, "The file", Synonyms).
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    SERIAL: ("序号",),
    NAME: ("姓名", "名字", "人员姓名", "务工人员姓名"),
    "gender": ("性别",),
    RESIDENT_ID: (
        "身份证号", "身份证号码", "身份证", "公民身份号码", "证件号码", "证件号",
    ),
    "ethnicity": ("民族", "族别"),
    "education": ("文化程度", "学历", "教育程度"),
    "registered_residence": ("户籍地", "户籍地址", "户籍所在地", "户口所在地"),
    "present_residence": ("现居地", "现住址", "居住地址", "常住地址"),
    PHONE: (
        "联系电话", "手机号", "手机号码", "手机", "电话", "电话号码", "联系方式",
        "本人电话", "移动电话",
    ),
    "emergency_contact": ("紧急联系人", "紧急联系人姓名"),
    "emergency_phone": ("紧急联系电话", "紧急联系人电话"),
    "poverty_lifted_worker": ("是否脱贫劳动力", "脱贫劳动力", "是否脱贫户", "是否脱贫人口"),
    "monitored_person": ("是否监测对象", "监测对象"),
    "certificates": ("技能/证书", "技能", "技能证书", "证书", "职业技能"),
    "preferred_occupation": ("意向岗位", "意向工种", "求职意向", "意向职位"),
    "preferred_pay": ("意向工资", "期望工资", "期望薪资", "意向薪资"),
    "available_from": ("可出发日期", "出发日期", "可出发时间", "预计出发日期"),
    COMPANIONS: ("同行人(组)", "同行人", "同行组", "组别", "分组"),
    "boarding_point": ("上车点", "乘车点", "上车地点"),
    "needs_bed": ("是否需要住宿", "需要住宿", "是否住宿", "住宿需求"),
    "notes": ("备注", "说明"),
}  # fmt: skip

HIRE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    HIRED_ON: ("入职日期", "入职时间", "到岗日期"),
    "site": ("工作地点",),
}

#: The column that a workbook of rejected rows has for what is wrong: sent again, nobody reads it.
TOLD: Final = "错误说明"

_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "origin_roster": (NAME, RESIDENT_ID, PHONE),
    "new_hires": (NAME, RESIDENT_ID, PHONE, HIRED_ON),
}

_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|\{[^{}]*\}")
# How deep brackets in brackets are taken away.
_NESTED_MAX: Final = 4
_BLANKS: Final = re.compile(r"[\s*\u200b-\u200f\u2060\ufeff]+")


def required(kind: str) -> tuple[str, ...]:
    """List the fields that every row of this kind of roster must have."""
    return _REQUIRED[kind]


def words(kind: str) -> Mapping[str, tuple[str, ...]]:
    """List the fields of this kind of roster with their words, the template's first."""
    return {**WORDS, **HIRE_WORDS} if kind == "new_hires" else WORDS


def folded(header: str) -> str:
    """Give a header's comparable form: NFKC, no blanks, no `*`, no brackets' content."""
    text = unicodedata.normalize("NFKC", header)
    for _ in range(_NESTED_MAX):
        text = _BRACKETS.sub("", text)
    return _BLANKS.sub("", text).casefold()


def synonym_table(kind: str, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map folded words to fields; `own` are an office's further words (word -> field)."""
    table = {folded(w): f for f, ws in words(kind).items() for w in ws}
    known = words(kind)
    for word, field in (own or {}).items():
        if field in known:
            table.setdefault(folded(word), field)
    return table
