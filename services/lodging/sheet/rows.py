"""Turns a sheet into guests as the command takes them."""

import re
from datetime import date
from typing import Final
from uuid import UUID

from services.lodging.sheet.header import COLUMNS
from services.lodging.sheet.issue import SENTENCES
from shared.sheets.cells import Cell, as_written, day, whole_number
from shared.sheets.rows import Table

TEXT_LENGTH_MAX: Final = 100
_YES_NO: Final = {"是": True, "愿意": True, "yes": True, "否": False, "不": False, "no": False}
_PROGRAMMES: Final = {"有嘉客栈": "YOUJIA"}
_QUOTES: Final = re.compile(r"[\"'“”「」]")


def _worker(text: str, _: date) -> Cell:
    try:
        return Cell(str(UUID(text)))
    except ValueError:
        return Cell(code="worker_id_invalid")


def _check_in(text: str, today: date) -> Cell:
    cell = day(text, today)
    gone = isinstance(cell.value, str) and cell.value < today.isoformat()
    return Cell(cell.value, "day_gone") if gone else cell


def _programme(text: str, _: date) -> Cell:
    told = _QUOTES.sub("", text)
    return Cell(_PROGRAMMES.get(told, told))


def _yes_no(text: str, _: date) -> Cell:
    told = _YES_NO.get(text.lower())
    return Cell(told, "value_unknown" if told is None else None)


TABLE: Final = Table(
    COLUMNS,
    {
        "worker_id": _worker,
        "check_in_on": _check_in,
        "nights": whole_number,
        "programme": _programme,
        "group": as_written,
        "family": as_written,
        "inn": as_written,
        "wait": _yes_no,
    },
    SENTENCES,
    TEXT_LENGTH_MAX,
)
