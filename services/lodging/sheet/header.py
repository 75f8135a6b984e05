"""The columns of a sheet of stay requests: their names, and where the header is."""

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
    "worker_id": ("人员编号", "员工编号", "人员ID", "worker_id"),
    "check_in_on": ("入住日期", "入住时间", "入住日", "到达日期"),
    "nights": ("入住天数", "住宿天数", "住宿晚数", "天数", "晚数"),
    "programme": ("住宿项目", "项目", "过渡性住宿"),
    "group": ("同住组", "同住", "组", "同行人", "分组"),
    "family": ("家庭", "同一家庭", "家属"),
    "inn": ("客栈", "指定客栈", "酒店"),
    "wait": ("是否候补", "候补", "愿意候补"),
}
#: Columns without which nobody can be lodged.
REQUIRED: Final = ("worker_id", "check_in_on", "nights")
#: Columns that people put into every sheet, and that aren't read here.
PERSONAL: Final = frozenset(
    {
        "姓名",
        "身份证号",
        "身份证号码",
        "公民身份号码",
        "证件号码",
        "联系电话",
        "电话",
        "手机",
        "手机号",
    }
)
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
    fit = [c for c in candidates if c.known_count >= _KNOWN_MIN and "worker_id" in c.fields]
    return max(fit, key=lambda c: c.known_count, default=None)


def check_header(header: Header) -> None:
    """Refuse a header with a column twice, or without one that is needed."""
    known = [f for f in header.fields if f]
    twice = [WORDS[f][0] for f in dict.fromkeys(known) if known.count(f) > 1]
    if twice:
        raise SheetRefused("header_duplicate", "、".join(twice))
    missing = [WORDS[f][0] for f in REQUIRED if f not in known]
    if missing:
        raise SheetRefused("header_missing", "、".join(missing))


def _header(number: int, row: Sequence[Value]) -> Header:
    words = tuple("" if v is None else str(v).strip() for v in row)
    while words and not words[-1]:
        words = words[:-1]
    return Header(number, words, tuple(_BY_WORD.get(_folded(w)) for w in words))


def _folded(word: str) -> str:
    return _BRACKETS.sub("", unicodedata.normalize("NFKC", word))
