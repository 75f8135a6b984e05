"""Reads .xlsx: values by calamine, and from the XML what calamine does not show."""

import zipfile
from collections.abc import Callable, Iterator
from xml.parsers import expat

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from services.registry.roster.container import bad_xml, scan_xlsx
from services.registry.roster.limits import Limits
from services.registry.roster.sheet import Marks, Rows, Sheet
from services.registry.roster.workbook_calamine import open_workbook
from services.registry.roster.worksheet_xml import marks_of

_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"

Enter = Callable[[str, dict[str, str]], None]


def sheets(data: bytes, limits: Limits) -> Iterator[Sheet]:
    """Give the visible worksheets in order.

    Raises `FileRefused` as `scan_xlsx` does, and too_many_rows, too_many_cells.
    """
    archive = scan_xlsx(data, limits)
    parts = _worksheet_parts(archive)
    # Every part is looked at before calamine, which a single far cell would kill, sees the file.
    marks = {name: marks_of(archive.read(part), limits) for name, part in parts.items()}
    workbook = open_workbook(data)
    for index, meta in enumerate(workbook.sheets_metadata):
        visible = meta.visible is SheetVisibleEnum.Visible
        if visible and meta.typ is SheetTypeEnum.WorkSheet:
            yield _sheet(workbook, index, marks.get(meta.name, Marks()))


def _sheet(workbook: CalamineWorkbook, index: int, marks: Marks) -> Sheet:
    sheet = workbook.get_sheet_by_index(index)
    marks.merges = [(a[0], a[1], b[0], b[1]) for a, b in sheet.merged_cell_ranges or []]
    _, left = sheet.start or (0, 0)
    return Sheet(sheet.name, Rows(sheet.iter_rows, left), marks)


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
