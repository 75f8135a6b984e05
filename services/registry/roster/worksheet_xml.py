"""Looks through a worksheet's XML for formulas, what is hidden, and cells too far out."""

import codecs
import re
from collections.abc import Iterable
from typing import Final

from services.registry.roster.guarded_xml import XmlGuard, bad_xml
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.plain_cells import plain_cells
from services.registry.roster.sheet import Marks

_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_REFERENCE: Final = re.compile(r"([A-Za-z]+)0*([1-9]\d*)", re.ASCII)
# Excel's own last is XFD1048576.
_LETTERS_MAX: Final = 3
_DIGITS_MAX: Final = 7
_NUMBER: Final = re.compile(r"\d{1,10}", re.ASCII)
_RANGE: Final = re.compile(r"([A-Z]{1,3}[1-9]\d{0,6})(?::([A-Z]{1,3}[1-9]\d{0,6}))?")
# Elements that say nothing but what calamine reads, as nearly all are.
_VALUES: Final = frozenset({"v", "is", "t"})
_TRUE: Final = ("1", "true")
# Formulas whose result fills a range: only its first cell says so.
_SPREADING: Final = ("array", "dataTable")
_SPREAD_CELLS_MAX: Final = 400_000


class UnplacedCellError(Exception):
    """A cell doesn't say where it stands: that follows from those before it."""


class SheetScan:
    """Looks through one worksheet as it is unpacked; what was found is told by `marks`.

    Rows and cells that are near and plain are cut away at C speed: what is found is found in
    what is left. `whole`: nothing is cut away.
    """

    def __init__(self, limits: Limits, *, whole: bool = False) -> None:
        self._reader = _MarkReader(limits, whole=whole)
        self._plain = None if whole else plain_cells(limits)
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begun = False
        self._broken: FileRefused | UnplacedCellError | None = None

    @classmethod
    def of(cls, pieces: Iterable[bytes], limits: Limits) -> "SheetScan":
        """Look through all of a worksheet, cutting nothing away."""
        scan = cls(limits, whole=True)
        for piece in pieces:
            scan.feed(piece)
        scan.close()
        return scan

    def feed(self, xml: bytes) -> None:
        """Take the next piece; once something is wrong, the rest is not looked at."""
        if self._broken:
            return
        xml = self._utf8(xml)
        if self._plain:
            # A blank in its place keeps apart what stood on either side.
            xml = self._plain.sub(b" ", xml)
        try:
            self._reader.feed(xml)
        except (FileRefused, UnplacedCellError) as broken:
            self._broken = broken

    def close(self) -> None:
        """Say that this was all."""
        try:
            if not self._broken:
                self._reader.close()
        except FileRefused as broken:
            self._broken = broken

    @property
    def marks(self) -> Marks:
        """What the values don't show.

        Raises `FileRefused` (bad_xml, too_many_rows, too_many_cells), and `UnplacedCellError` when
        only a look at the whole can tell.
        """
        if self._broken:
            raise self._broken
        return self._reader.marks

    def _utf8(self, xml: bytes) -> bytes:
        if not self._begun:
            self._begun = True
            if xml.startswith(_UTF16):
                self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        return self._decoder.decode(xml).encode("utf-8", "replace") if self._decoder else xml


def too_many_columns(limits: Limits) -> FileRefused:
    """Make the refusal of a sheet that is too wide."""
    return FileRefused("too_many_cells", f"表格超过 {limits.columns_max} 列，请删除多余的列。")


def too_many_rows(limits: Limits) -> FileRefused:
    """Make the refusal of a sheet that is too long."""
    return FileRefused("too_many_rows", f"花名册超过 {limits.rows_max} 行，请拆分后分批提交。")


class _MarkReader(XmlGuard):
    """Collects formulas and hidden rows and columns of one worksheet's XML."""

    def __init__(self, limits: Limits, *, whole: bool) -> None:
        # The text was brought to UTF-8, whatever its declaration still says.
        super().__init__(limits.xml_depth_max, "utf-8")
        self.marks = Marks()
        self._limits = limits
        self._whole = whole
        # Where a cell stands that doesn't say so itself, counted as calamine does.
        self._row = self._column = 0
        self._place: tuple[int, int] | None = None
        self._spread_count = 0
        self._too_far: FileRefused | None = None

    def enter(self, tag: str, attributes: dict[str, str]) -> None:
        # As the guard does, without a call more for each of millions.
        self._depth += 1
        if self._depth > self._depth_max:
            raise bad_xml()
        # A far cell with nothing in it is an office's habit; with something in it calamine would
        # make all the room before it.
        if self._too_far:
            raise self._too_far
        if tag in _VALUES:
            return
        match tag.rpartition(":")[2]:
            case "row":
                self._enter_row(attributes)
            case "c":
                self._enter_cell(attributes)
            # Behind the cells, formats and sparklines have formulas too.
            case "f" if self._place:
                self._enter_formula(self._place, attributes)
            case "col" if attributes.get("hidden") in _TRUE:
                first, last = (_number(attributes.get(k) or "0") for k in ("min", "max"))
                self.marks.hidden_columns.append((first - 1, last - 1))

    def leave(self, tag: str) -> None:
        self._depth -= 1
        if tag in _VALUES:
            return
        self._too_far = None
        local = tag.rpartition(":")[2]
        if local == "row":
            self._row, self._column = self._row + 1, 0
        elif local == "c":
            self._place = None

    def _enter_row(self, attributes: dict[str, str]) -> None:
        if "r" in attributes:
            self._row = _number(attributes["r"]) - 1
        self.marks.hidden_rows |= attributes.get("hidden") in _TRUE

    def _enter_cell(self, attributes: dict[str, str]) -> None:
        if "r" in attributes:
            place = position(attributes["r"])
        elif self._whole:
            place = self._row, self._column
        else:
            raise UnplacedCellError
        if place is None:
            raise bad_xml()
        self._too_far = _beyond(place, self._limits)
        # An error's value is what a formula left; calamine shows an empty cell for it.
        if attributes.get("t") == "e":
            self.marks.formulas.add(place)
        self._place = place
        self._column = place[1] + 1

    def _enter_formula(self, place: tuple[int, int], attributes: dict[str, str]) -> None:
        self.marks.formulas.add(place)
        if attributes.get("t") in _SPREADING:
            self._spread(attributes.get("ref", ""))

    def _spread(self, reference: str) -> None:
        match = _RANGE.fullmatch(reference)
        first = position(match[1]) if match else None
        last = position(match[2] or match[1]) if match else None
        if not first or not last:
            return
        bottom = min(last[0], self._limits.sheet_rows_max)
        right = min(last[1], self._limits.columns_max)
        # A range of one cell, as each row may have, is no more than the formula itself.
        self._spread_count += max((bottom - first[0] + 1) * (right - first[1] + 1) - 1, 0)
        if self._spread_count > _SPREAD_CELLS_MAX:
            raise FileRefused("too_many_cells", "数组公式占用的范围过大，请直接填写内容。")
        for row in range(first[0], bottom + 1):
            self.marks.formulas.update((row, c) for c in range(first[1], right + 1))


def _beyond(place: tuple[int, int], limits: Limits) -> FileRefused | None:
    if place[1] >= limits.columns_max:
        return too_many_columns(limits)
    if place[0] >= limits.sheet_rows_max:
        return too_many_rows(limits)
    return None


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise bad_xml()
    return int(text)


def position(reference: str) -> tuple[int, int] | None:
    """Give (row, column) from 0 of a reference such as `B7`; None if it is none."""
    match = _REFERENCE.fullmatch(reference)
    if not match:
        return None
    # What is longer than any real one is as far out as one of that length.
    letters, digits = match[1].upper()[: _LETTERS_MAX + 1], match[2][: _DIGITS_MAX + 1]
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(digits) - 1, column - 1
