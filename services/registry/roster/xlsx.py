"""Reads .xlsx: values by calamine, and from the XML what calamine does not show."""

import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final
from xml.parsers import expat

from services.registry.roster.container import Scanned, scan_xlsx
from services.registry.roster.guarded_xml import bad_xml
from services.registry.roster.limits import Limits
from services.registry.roster.sheet import Marks, Sheet
from services.registry.roster.workbook_calamine import open_workbook, visible_sheets
from services.registry.roster.worksheet_xml import SheetScan, UnplacedCellError

_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_PIECE_BYTES: Final = 1 << 16

Enter = Callable[[str, dict[str, str]], None]


def sheets(data: bytes, limits: Limits) -> Iterator[Sheet]:
    """Give the visible worksheets in order.

    Raises `FileRefused` as `scan_xlsx` does, and too_many_rows, too_many_cells.
    """
    scanned = scan_xlsx(data, limits)
    parts = _worksheet_parts(scanned.archive)
    # Every part is judged before calamine, which a single far cell would kill, sees the sheets.
    marks = {name: _marks(scanned, part, limits) for name, part in parts.items()}
    return visible_sheets(open_workbook(data), lambda _, name: marks.get(name, Marks()))


def _marks(scanned: Scanned, part: str, limits: Limits) -> Marks:
    try:
        return scanned.sheets[part].marks
    except UnplacedCellError:
        with scanned.archive.open(part) as stream:
            pieces = iter(partial(stream.read, _PIECE_BYTES), b"")
            return SheetScan.of(pieces, limits).marks


def _worksheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Map sheet names to their parts, by the workbook's relations."""
    members = {n.lower(): n for n in archive.namelist()}
    relations = _relations(archive, members)
    found: dict[str, str] = {}

    def enter(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) != "sheet":
            return
        ids = [v for k, v in attributes.items() if ":" in k and _local(k) == "id"]
        target = relations.get(ids[0], "") if ids else ""
        part = members.get(target.lower())
        if part and "/worksheets/" in part.lower():
            found[attributes.get("name", "")] = part

    _walk(archive.read(members[_WORKBOOK]), enter)
    return found


def _relations(archive: zipfile.ZipFile, members: dict[str, str]) -> dict[str, str]:
    relations: dict[str, str] = {}

    def enter(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            relations[attributes.get("Id", "")] = path

    if _RELATIONS in members:
        _walk(archive.read(members[_RELATIONS]), enter)
    return relations


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _walk(xml: bytes, enter: Enter) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = enter
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as broken:
        raise bad_xml() from broken
