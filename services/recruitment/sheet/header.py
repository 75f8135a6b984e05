"""The columns of a sheet of vacancies: their names, and where the header is."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.sheets.container import Value
from shared.sheets.issue import SheetRefused

SEARCHED_ROWS: Final = 20
_KNOWN_MIN: Final = 2
_BRACKETS: Final = re.compile(r"[(\[【（].*?[)\]】）]|[\s*＊]")

#: Field -> the column's name and what else enterprises call it.
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "serial": ("序号", "编号"),
    "title": ("岗位名称", "岗位", "职位", "职位名称", "招聘岗位"),
    "occupation": ("工种", "职业", "职业工种"),
    "openings": ("招聘人数", "人数", "需求人数", "招工人数", "用工人数"),
    "starts_on": ("到岗日期", "到岗时间", "上岗日期", "上岗时间", "开工日期", "入职日期"),
    "pay": ("月薪", "工资", "薪资", "薪资待遇", "工资待遇", "月工资"),
    "pay_min": ("最低月薪", "月薪下限", "最低工资"),
    "pay_max": ("最高月薪", "月薪上限", "最高工资"),
    "site_name": ("工作地点", "用工地点", "厂区", "工作单位", "用工单位"),
    "division": ("区县", "区", "所在区", "行政区"),
    "town": ("街镇", "所在街镇", "镇", "街道", "乡镇"),
    "gender": ("性别要求", "性别"),
    "age": ("年龄要求", "年龄"),
    "education": ("学历要求", "学历", "文化程度"),
    "certificates": ("证书要求", "证书", "技能证书", "资格证书"),
    "programme": ("住宿项目", "过渡性住宿"),
    "nights": ("住宿天数", "住宿晚数"),
    "labour_brand": ("劳务品牌", "品牌"),
}
#: Columns without which a vacancy cannot be posted; the pay stands in one column or in two.
REQUIRED: Final = ("title", "openings", "starts_on", "site_name", "division", "town")
_BY_WORD: Final = {word: field for field, words in WORDS.items() for word in words}


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header is (row from 0), what each column says, and its field (None: unknown)."""

    row: int
    words: tuple[str, ...]
    fields: tuple[str | None, ...]

    @property
    def known_count(self) -> int:
        """How many columns are known."""
        return sum(f is not None for f in self.fields)

    def column_of(self, field: str) -> int | None:
        """Give a field's column (from 0), if the sheet has it."""
        return self.fields.index(field) if field in self.fields else None


def find_header(rows: Sequence[Sequence[Value]]) -> Header | None:
    """Give the row with the most known names among the first 20, the first of equals."""
    candidates = [_header(n, row) for n, row in enumerate(rows[:SEARCHED_ROWS])]
    fit = [
        c
        for c in candidates
        if c.known_count >= _KNOWN_MIN and {"title", "openings"} & set(c.fields)
    ]
    return max(fit, key=lambda c: c.known_count, default=None)


def check_header(header: Header) -> None:
    """Refuse a header with a column twice, or without one that is needed."""
    known = [f for f in header.fields if f]
    twice = [WORDS[f][0] for f in dict.fromkeys(known) if known.count(f) > 1]
    if twice:
        raise SheetRefused("header_duplicate", "、".join(twice))
    missing = [WORDS[f][0] for f in REQUIRED if f not in known]
    if "pay" not in known and not {"pay_min", "pay_max"} <= set(known):
        missing.append(WORDS["pay"][0])
    if missing:
        raise SheetRefused("header_missing", "、".join(missing))


def _header(number: int, row: Sequence[Value]) -> Header:
    words = tuple("" if v is None else str(v).strip() for v in row)
    while words and not words[-1]:
        words = words[:-1]
    return Header(number, words, tuple(_BY_WORD.get(_folded(w)) for w in words))


def _folded(word: str) -> str:
    return _BRACKETS.sub("", unicodedata.normalize("NFKC", word))
