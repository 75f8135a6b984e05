"""Reads one cell after the other: what a value means, or the code of what is wrong with it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from contracts import reference
from services.recruitment.domain.brands import brand_of
from shared.sheets.cells import Cell, Reader, as_written, day, whole_number

_ANY: Final = frozenset({"不限", "无", "无要求", "-", "/"})
_RANGE: Final = re.compile(r"(\d{1,8})元?(?:[-~至到—](\d{1,8}))?元?(?:/月|每月)?")
_AGES: Final = re.compile(r"(\d{2})(?:周?岁)?[-~至到—](\d{2})(?:周?岁)?")
_AGE_MIN: Final = re.compile(r"(\d{2})(?:周?岁)?(?:以上|及以上)")
_AGE_MAX: Final = re.compile(r"(\d{2})(?:周?岁)?(?:以下|及以下|以内)")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_GENDERS: Final = {"男": "male", "男性": "male", "女": "female", "女性": "female"}
_PROGRAMMES: Final = {"有嘉客栈": "YOUJIA"}


def pay(text: str, _: date) -> Cell:
    """Yuan a month: a number, or a range (5000-7000); gives both ends."""
    match = _RANGE.fullmatch(text.replace(" ", "").replace(",", ""))
    return Cell((int(match[1]), int(match[2] or match[1]))) if match else Cell(code="pay_invalid")


def occupation(text: str, _: date) -> Cell:
    """An occupation of the national classification, by name, synonym or code."""
    code = text if reference.occupation_name(text) else reference.occupation_code(text)
    return Cell(code) if code else Cell(code="occupation_unknown")


def division(text: str, _: date) -> Cell:
    """A district, by name or code; Shanghai's names need no 上海市."""
    if text.isdecimal():
        known = reference.is_county(text)
        return Cell(text) if known else Cell(code="division_unknown")
    found = reference.find_division(text, "310000") or reference.find_division(text)
    return Cell(found) if found else Cell(code="division_unknown")


def gender(text: str, _: date) -> Cell:
    """A required gender; 不限 or empty: none."""
    if text in _ANY or text in {"男女不限", "男女均可"}:
        return Cell()
    return Cell(_GENDERS[text]) if text in _GENDERS else Cell(code="gender_unclear")


def ages(text: str, _: date) -> Cell:
    """Required ages in full years: 18-45, 45岁以下, 18岁以上; gives both ends, None for open."""
    told = text.replace(" ", "")
    if told in _ANY:
        return Cell()
    for form, low, high in ((_AGES, 1, 2), (_AGE_MIN, 1, 0), (_AGE_MAX, 0, 1)):
        if match := form.fullmatch(told):
            return Cell((int(match[low]) if low else None, int(match[high]) if high else None))
    return Cell(code="age_invalid")


def education(text: str, _: date) -> Cell:
    """A required level of education; one that is unknown can't be required."""
    if text in _ANY:
        return Cell()
    code = reference.education_code(text)
    return Cell(code) if code else Cell(code="value_unknown")


def certificates(text: str, _: date) -> Cell:
    """Required certificates; unless all of them are known, the row can't say what it requires."""
    if text in _ANY:
        return Cell(())
    parts = [p for p in re.split(r"[、,;/\s]+", text) if p]
    found = [reference.certificate_codes(p) for p in parts]
    if not all(found):
        return Cell(code="value_unknown")
    return Cell(tuple(dict.fromkeys(code for codes in found for code in codes)))


def programme(text: str, _: date) -> Cell:
    """A lodging programme, by its code or as You Jia inn."""
    told = re.sub(r"[\"'“”「」]", "", text)
    if told in _ANY or told in _PROGRAMMES:
        return Cell(_PROGRAMMES.get(told))
    return Cell(told)


def brand(text: str, _: date) -> Cell:
    """A labour brand, by its name or any brand's code."""
    if text in _ANY:
        return Cell()
    code = brand_of(text) or (text if _CODE.fullmatch(text) else None)
    return Cell(code) if code else Cell(code="value_unknown")


READERS: Final[Mapping[str, Reader]] = {
    "title": as_written,
    "occupation": occupation,
    "openings": whole_number,
    "starts_on": day,
    "pay": pay,
    "pay_min": whole_number,
    "pay_max": whole_number,
    "site_name": as_written,
    "division": division,
    "town": as_written,
    "gender": gender,
    "age": ages,
    "education": education,
    "certificates": certificates,
    "programme": programme,
    "nights": whole_number,
    "labour_brand": brand,
}
