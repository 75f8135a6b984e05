"""Looks through a worksheet's XML for formulas, what is hidden, and cells too far out."""

import re
from typing import Final
from xml.parsers import expat

from services.registry.roster.container import bad_xml
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.sheet import Marks

# A cell without children but one value is cut away at C speed; expat then sees only what is left.
_FLAT_CELL: Final = re.compile(
    rb"<c(?: [^<>]*)?(?:/>|>(?:<v(?: [^<>]*)?>[^<]*</v>|<v/>"
    rb"|<is><t(?: [^<>]*)?>[^<]*</t></is>)?</c>)"
)
_UNPLACED_CELL: Final = re.compile(rb"<(?:\w+:)?c(?=[\s/>])(?![^<>]*?\sr=)")
_FAR_CELL: Final = re.compile(
    rb"<(?:\w+:)?c [^<>]*\br=[\"']([A-Z]{2,}\d+|[A-Z]\d{6,})[\"'][^<>/]*>\s*<(?!/)"
)
# Cheap, because it begins with a constant: where it finds nothing, no cell is far.
_MAYBE_FAR: Final = re.compile(rb"r=[\"'](?:[A-Z]{2,}\d|[A-Z]\d{6})")
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_RANGE: Final = re.compile(r"([A-Z]{1,3}[1-9]\d{0,6})(?::([A-Z]{1,3}[1-9]\d{0,6}))?")
_SEARCHED_ROWS: Final = 20
_TRUE: Final = ("1", "true")
# Formulas whose result fills a range: only its first cell says so.
_SPREADING: Final = ("array", "dataTable")


def marks_of(xml: bytes, limits: Limits) -> Marks:
    """Give what the values don't show.

    Raises `FileRefused`: bad_xml, too_many_rows, too_many_cells.
    """
    if xml[:2] in (b"\xff\xfe", b"\xfe\xff"):
        xml = xml.decode("utf-16", "replace").encode("utf-8", "replace")
    _check_extent(xml, limits)
    if not _UNPLACED_CELL.search(xml):
        xml = _FLAT_CELL.sub(b"", xml)
    reader = _MarkReader(limits)
    reader.read(xml)
    return reader.marks


def _check_extent(xml: bytes, limits: Limits) -> None:
    if not _MAYBE_FAR.search(xml):
        return
    for match in _FAR_CELL.finditer(xml):
        place = position(match[1].decode())
        if place is None or place[1] >= limits.columns_max:
            raise too_many_columns(limits)
        if place[0] >= limits.rows_max + _SEARCHED_ROWS:
            raise too_many_rows(limits)


def too_many_columns(limits: Limits) -> FileRefused:
    """Make the refusal of a sheet that is too wide."""
    return FileRefused("too_many_cells", f"表格超过 {limits.columns_max} 列，请删除多余的列。")


def too_many_rows(limits: Limits) -> FileRefused:
    """Make the refusal of a sheet that is too long."""
    return FileRefused("too_many_rows", f"花名册超过 {limits.rows_max} 行，请拆分后分批提交。")


class _MarkReader:
    """Collects formulas and hidden rows and columns of one worksheet's XML."""

    def __init__(self, limits: Limits) -> None:
        self.marks = Marks()
        self._limits = limits
        self._depth = 0
        self._row = -1
        self._column = -1

    def read(self, xml: bytes) -> None:
        # The text was brought to UTF-8, whatever its declaration still says.
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._enter
        parser.EndElementHandler = self._leave
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(xml, True)
        except expat.ExpatError as broken:
            raise bad_xml() from broken

    def _refuse(self, *_: object) -> None:
        raise bad_xml()

    def _enter(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._limits.xml_depth_max:
            raise bad_xml()
        match tag.rpartition(":")[2]:
            case "row":
                self._enter_row(attributes)
            case "c":
                self._enter_cell(attributes)
            case "f":
                self._enter_formula(attributes)
            case "col" if attributes.get("hidden") in _TRUE:
                first, last = (int(attributes.get(k, "0") or 0) for k in ("min", "max"))
                self.marks.hidden_columns.append((first - 1, last - 1))

    def _leave(self, _tag: str) -> None:
        self._depth -= 1

    def _enter_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r", "")
        self._row = int(number) - 1 if number.isdecimal() else self._row + 1
        self._column = -1
        self.marks.hidden_rows |= attributes.get("hidden") in _TRUE

    def _enter_cell(self, attributes: dict[str, str]) -> None:
        # A cell that doesn't say where it stands follows the one before.
        place = position(attributes.get("r", ""))
        self._row, self._column = place or (self._row, self._column + 1)
        if self._column >= self._limits.columns_max and "r" not in attributes:
            raise too_many_columns(self._limits)

    def _enter_formula(self, attributes: dict[str, str]) -> None:
        self.marks.formulas.add((self._row, self._column))
        if attributes.get("t") in _SPREADING:
            self._spread(attributes.get("ref", ""))

    def _spread(self, reference: str) -> None:
        match = _RANGE.fullmatch(reference)
        first = position(match[1]) if match else None
        last = position(match[2] or match[1]) if match else None
        if not first or not last:
            return
        bottom = min(last[0], self._limits.rows_max + _SEARCHED_ROWS)
        right = min(last[1], self._limits.columns_max)
        for row in range(first[0], bottom + 1):
            self.marks.formulas.update((row, c) for c in range(first[1], right + 1))


def position(reference: str) -> tuple[int, int] | None:
    """Give (row, column) from 0 of a reference such as `B7`; None if it is none."""
    match = _REFERENCE.fullmatch(reference)
    if not match:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]) - 1, column - 1
