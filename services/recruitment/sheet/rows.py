"""Turns a sheet into vacancies as the command takes them."""

from datetime import date
from typing import Any, Final

from contracts import reference
from services.recruitment.sheet.cells import READERS, occupation
from services.recruitment.sheet.header import COLUMNS
from services.recruitment.sheet.issue import SENTENCES
from shared.sheets.rows import Found, Row, Table

TEXT_LENGTH_MAX: Final = 200
TABLE: Final = Table(COLUMNS, READERS, SENTENCES, TEXT_LENGTH_MAX)


def read(data: bytes, filename: str, today: date) -> Found:
    """Read a file. Raises `SheetRefused` for what is wrong with the whole of it."""
    found = TABLE.read(data, filename, today)
    for row in found.rows:
        _derive_occupation(row, found)
        row.fields = _fields(row, found)
    return found


def _derive_occupation(row: Row, found: Found) -> None:
    """Without an occupation of its own a vacancy has that of its title."""
    title = row.fields.get("title")
    wrong = any(i.field == "occupation" for i in row.issues)
    if title is None or wrong or row.fields.get("occupation"):
        return
    cell = occupation(title, date.min)
    row.fields["occupation"] = cell.value
    if cell.code:
        place = found.place(row, "title")
        row.issues.append(SENTENCES.issue(cell.code, "error", place, "title"))


def _fields(row: Row, found: Found) -> dict[str, Any]:
    told = row.fields
    low, high = told.get("pay") or (None, None)
    youngest, oldest = told.get("age") or (None, None)
    requirements = {
        "gender": told.get("gender"),
        "age_min": youngest,
        "age_max": oldest,
        "education_code": told.get("education"),
        "certificate_codes": told.get("certificates") or (),
    }
    return {
        "title": told.get("title"),
        "occupation_code": told.get("occupation"),
        "openings": told.get("openings"),
        "starts_on": told.get("starts_on"),
        "monthly_pay_min": low if told.get("pay_min") is None else told["pay_min"],
        "monthly_pay_max": high if told.get("pay_max") is None else told["pay_max"],
        "site": _site(row, found),
        "requirements": requirements,
        "programme": told.get("programme"),
        "nights": told.get("nights"),
        "labour_brand": told.get("labour_brand"),
    }


def _site(row: Row, found: Found) -> dict[str, Any]:
    town, code = row.fields.get("town"), row.fields.get("division")
    known = reference.find_town(town, code) if town and code else None
    if town and code and known is None:
        place = found.place(row, "town")
        row.issues.append(SENTENCES.issue("town_unknown", "warning", place, "town"))
    return {
        "name": row.fields.get("site_name"),
        "division_code": code,
        "town": known.name if known else town,
    }
