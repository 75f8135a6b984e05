"""Reads one cell after the other: what a value means, or the code of what is wrong with it."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from contracts import reference
from services.recruitment.domain.brands import brand_of
from shared.sheets.container import Value

TEXT_MAX: Final = 200
_ANY: Final = frozenset({"", "不限", "无", "无要求", "-", "/"})
_DATE: Final = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日?|(\d{2})(\d{2}))"
)
_NO_YEAR: Final = re.compile(r"(\d{1,2})月(\d{1,2})日?")
_MIDNIGHT: Final = re.compile(r"[ T]0{1,2}:00(:00)?$")
_NUMBER: Final = re.compile(r"\d{1,9}")
_RANGE: Final = re.compile(r"(\d{1,8})元?(?:[-~至到—](\d{1,8}))?元?(?:/月|每月)?")
_AGES: Final = re.compile(r"(\d{2})(?:周?岁)?[-~至到—](\d{2})(?:周?岁)?")
_AGE_MIN: Final = re.compile(r"(\d{2})(?:周?岁)?(?:以上|及以上)")
_AGE_MAX: Final = re.compile(r"(\d{2})(?:周?岁)?(?:以下|及以下|以内)")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_GENDERS: Final = {"男": "male", "男性": "male", "女": "female", "女性": "female"}
_PROGRAMMES: Final = {"有嘉客栈": "YOUJIA"}
# A leap day comes back after eight years at the latest.
_YEARS: Final = 9


@dataclass(frozen=True, slots=True)
class Read:
    """What a cell comes to; a `code` is a fault, which leaves the row out unless `warns`."""

    value: object = None
    code: str | None = None
    warns: bool = False


def clean(value: Value) -> str:
    """Give a cell's text: NFKC, trimmed, line breaks as spaces, nothing that can't be seen."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else unicodedata.normalize("NFKC", str(value))
    text = re.sub(r"\s+", " ", text)
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf")).strip()


def title(text: str, _: date) -> Read:
    """A name of a thing, as it is; the limits are those of the command."""
    return Read(text or None)


def whole_number(text: str, _: date) -> Read:
    """A count."""
    number = text.removesuffix("人").removesuffix("天").strip()
    if not number:
        return Read()
    return Read(int(number)) if _NUMBER.fullmatch(number) else Read(code="number_invalid")


def pay(text: str, _: date) -> Read:
    """Yuan a month: a number, or a range (5000-7000); gives both ends."""
    match = _RANGE.fullmatch(text.replace(" ", "").replace(",", ""))
    if not text:
        return Read()
    return Read((int(match[1]), int(match[2] or match[1]))) if match else Read(code="pay_invalid")


def start(text: str, today: date) -> Read:
    """A day; 3月1日 is the next one."""
    told = _MIDNIGHT.sub("", text).replace(" ", "")
    if not told:
        return Read()
    if full := _DATE.fullmatch(told):
        day = _real(*(int(g) for g in full.groups() if g is not None))
        return Read(day.isoformat()) if day else Read(code="date_invalid")
    short = _NO_YEAR.fullmatch(told)
    years = range(today.year, today.year + _YEARS) if short else ()
    days = [_real(y, int(short[1]), int(short[2])) for y in years] if short else []
    day = next((d for d in days if d and d >= today), None)
    found = None if day is None else day.isoformat()
    return Read(found, "date_year_assumed", warns=True) if found else Read(code="date_invalid")


def occupation(text: str, _: date) -> Read:
    """An occupation of the national classification, by name, synonym or code."""
    if not text:
        return Read()
    code = text if reference.occupation_name(text) else reference.occupation_code(text)
    return Read(code) if code else Read(code="occupation_unknown")


def division(text: str, _: date) -> Read:
    """A district, by name or code; Shanghai's names need no 上海市."""
    if not text:
        return Read()
    if _NUMBER.fullmatch(text):
        known = reference.is_county(text)
        return Read(text) if known else Read(code="division_unknown")
    found = reference.find_division(text, "310000") or reference.find_division(text)
    return Read(found) if found else Read(code="division_unknown")


def gender(text: str, _: date) -> Read:
    """A required gender; 不限 or empty: none."""
    if text in _ANY or text in {"男女不限", "男女均可"}:
        return Read()
    return Read(_GENDERS[text]) if text in _GENDERS else Read(code="gender_unclear")


def ages(text: str, _: date) -> Read:
    """Required ages in full years: 18-45, 45岁以下, 18岁以上; gives both ends, None for open."""
    told = text.replace(" ", "")
    if told in _ANY:
        return Read()
    for form, low, high in ((_AGES, 1, 2), (_AGE_MIN, 1, 0), (_AGE_MAX, 0, 1)):
        if match := form.fullmatch(told):
            return Read((int(match[low]) if low else None, int(match[high]) if high else None))
    return Read(code="age_invalid")


def education(text: str, _: date) -> Read:
    """A required level of education; one that is unknown can't be required."""
    if text in _ANY:
        return Read()
    code = reference.education_code(text)
    return Read(code) if code else Read(code="value_unknown")


def certificates(text: str, _: date) -> Read:
    """Required certificates; unless all of them are known, the row can't say what it requires."""
    if text in _ANY:
        return Read(())
    parts = [p for p in re.split(r"[、,;/\s]+", text) if p]
    found = [reference.certificate_codes(p) for p in parts]
    if not all(found):
        return Read(code="value_unknown")
    return Read(tuple(dict.fromkeys(code for codes in found for code in codes)))


def programme(text: str, _: date) -> Read:
    """A lodging programme, by its code or as You Jia inn."""
    told = re.sub(r"[\"'“”「」]", "", text)
    if told in _ANY or told in _PROGRAMMES:
        return Read(_PROGRAMMES.get(told))
    return Read(told)


def brand(text: str, _: date) -> Read:
    """A labour brand, by its name or any brand's code."""
    if text in _ANY:
        return Read()
    code = brand_of(text) or (text if _CODE.fullmatch(text) else None)
    return Read(code) if code else Read(code="value_unknown")


READERS: Final[dict[str, Callable[[str, date], Read]]] = {
    "title": title,
    "occupation": occupation,
    "openings": whole_number,
    "starts_on": start,
    "pay": pay,
    "pay_min": whole_number,
    "pay_max": whole_number,
    "site_name": title,
    "division": division,
    "town": title,
    "gender": gender,
    "age": ages,
    "education": education,
    "certificates": certificates,
    "programme": programme,
    "nights": whole_number,
    "labour_brand": brand,
}


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
