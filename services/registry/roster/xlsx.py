"""Reads .xlsx: values by calamine, and from the XML what calamine does not show."""

import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Final

from services.registry.roster.container import Scanned, scan_xlsx
from services.registry.roster.guarded_xml import bad_xml, walk
from services.registry.roster.limits import Limits
from services.registry.roster.sheet import Marks, Sheet
from services.registry.roster.workbook_calamine import open_workbook, visible_sheets
from services.registry.roster.worksheet_xml import SheetScan, UnplacedCellError

_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_PIECE_BYTES: Final = 1 << 16


def sheets(data: bytes, limits: Limits) -> Iterator[Sheet]:
    """Give the visible worksheets in order.

    Raises `FileRefused` as `scan_xlsx` does, and too_many_rows, too_many_cells.
    """
    scanned = scan_xlsx(data, limits)
    parts = _sheet_parts(scanned.archive)
    named = [p for p in parts if p]
    # Each sheet is read anew: two hundred of one part took half a minute.
    if len({*named}) < len(named):
        raise bad_xml()
    looked_at = sorted({*scanned.sheets, *filter(None, parts)})
    # Every part is judged before calamine, which a single far cell would kill, sees the sheets.
    marks = {part: _marks(scanned, part, limits) for part in looked_at}
    workbook = open_workbook(data)
    if len(workbook.sheet_names) != len(parts):
        raise bad_xml()
    return visible_sheets(workbook, lambda index: _looked_at(marks, parts[index]))


def _looked_at(marks: dict[str, Marks], part: str | None) -> Marks:
    if part is None:
        raise bad_xml()
    return marks[part]


def _marks(scanned: Scanned, part: str, limits: Limits) -> Marks:
    try:
        if part in scanned.sheets:
            return scanned.sheets[part].marks
    except UnplacedCellError:
        pass
    with scanned.archive.open(part) as stream:
        pieces = iter(partial(stream.read, _PIECE_BYTES), b"")
        return SheetScan.of(pieces, limits).marks


def _sheet_parts(archive: zipfile.ZipFile) -> list[str | None]:
    """Give each sheet's part by the workbook's relations; None for one that cannot be told."""
    members = {n.lower(): n for n in archive.namelist()}
    relations = _relations(archive, members)
    found: list[str | None] = []

    def enter(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) != "sheet":
            return
        # calamine takes one without a prefix as well.
        ids = [v for k, v in attributes.items() if _local(k) == "id"]
        target = relations.get(ids[0], "") if len(ids) == 1 else ""
        found.append(members.get(target.lower()))

    walk(archive.read(members[_WORKBOOK]), enter)
    return found


def _relations(archive: zipfile.ZipFile, members: dict[str, str]) -> dict[str, str]:
    relations: dict[str, str] = {}

    def enter(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) != "Relationship":
            return
        name, target = (attributes.get(k, "") for k in ("Id", "Target"))
        if name in relations:
            raise bad_xml()
        target = target.replace("\\", "/")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        # What lies outside is nobody's part; calamine would look for it inside.
        relations[name] = "" if attributes.get("TargetMode") == "External" else path

    if _RELATIONS in members:
        walk(archive.read(members[_RELATIONS]), enter)
    return relations


def _local(name: str) -> str:
    return name.rpartition(":")[2]
