"""Reads .xls (BIFF8): values by calamine, formulas and hidden rows from the records themselves."""

import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from services.registry.roster.compound import BrokenCompoundError, Compound
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.sheet import Marks, Sheet
from services.registry.roster.workbook_calamine import open_workbook, visible_sheets
from services.registry.roster.worksheet_xml import too_many_columns

# Record types of [MS-XLS] 2.3.
_BOF: Final = 0x0809
_EOF: Final = 0x000A
_BOUNDSHEET: Final = 0x0085
_FILEPASS: Final = 0x002F
_FORMULA: Final = 0x0006
_ROW: Final = 0x0208
_LABELSST: Final = 0x00FD
_NUMBER: Final = 0x0203
_RK: Final = 0x027E
_BLANK: Final = 0x0201
_BOOLERR: Final = 0x0205
# Cells with something in them; the others are LABEL and MULRK.
_FILLED: Final = (_LABELSST, _NUMBER, _RK, _BOOLERR, 0x0204, 0x00BD, _FORMULA)
# An error's value is what a formula left; calamine shows an empty cell for it.
_ERROR_AT: Final = 7
# What BOUNDSHEET calls a macro sheet and a Visual Basic module.
_ACTIVE_SHEETS: Final = (1, 6)
_COLINFO: Final = 0x007D
_ROW_HIDDEN: Final = 0x20
_COLUMN_HIDDEN: Final = 0x1
_BIFF8: Final = b"\x00\x06"
_CELL_BYTES: Final = 6
_PLACE_BYTES: Final = 4
_ROWS: Final = 65_536
_COLUMNS: Final = 256
_SST: Final = 0x00FC
_SST_BYTES: Final = 8
_DIMENSIONS: Final = 0x0200
# By its length: first row, last row + 1, first column, last column + 1.
_DIMENSION_FORMS: Final = {10: "<HHHH", 14: "<IIHH"}
_BOUNDSHEET_BYTES: Final = 8
_ROW_BYTES: Final = 16
_COLINFO_BYTES: Final = 10


def sheets(data: bytes, limits: Limits) -> Iterator[Sheet]:
    """Give the visible worksheets in order.

    Raises `FileRefused`: encrypted_file, bad_archive, content_mismatch, active_content,
    too_many_cells.
    """
    marks = _all_marks(_workbook_stream(data), limits)
    return visible_sheets(open_workbook(data), lambda index: marks.get(index, Marks()))


def _workbook_stream(data: bytes) -> bytes:
    try:
        return Compound(data).stream("Workbook")
    except (BrokenCompoundError, KeyError) as broken:
        raise _broken() from broken


def _broken() -> FileRefused:
    return FileRefused("bad_archive", "文件已损坏，无法读取；请重新另存后提交。")


def _records(
    stream: bytes, offset: int = 0, passed: re.Pattern[bytes] | None = None
) -> Iterator[tuple[int, int, bytes]]:
    """Give (offset, type, body) of each record but those passed; stops at a truncated one."""
    while True:
        if passed and (match := passed.match(stream, offset)):
            offset = match.end()
        if offset + 4 > len(stream):
            return
        kind, length = struct.unpack_from("<HH", stream, offset)
        body = stream[offset + 4 : offset + 4 + length]
        if len(body) < length:
            return
        yield offset, kind, body
        offset += 4 + length


def _all_marks(stream: bytes, limits: Limits) -> dict[int, Marks]:
    offsets: list[int] = []
    for position, kind, body in _records(stream):
        if position == 0 and (kind != _BOF or body[:2] != _BIFF8):
            raise FileRefused(
                "content_mismatch", "不是 Excel 97-2003 (BIFF8) 工作簿，请另存后提交。"
            )
        if kind == _FILEPASS:
            raise FileRefused("encrypted_file", "文件设有密码，请取消密码后提交。")
        if kind == _BOUNDSHEET and len(body) >= _BOUNDSHEET_BYTES:
            offsets.append(_sheet_offset(body))
        if kind == _SST:
            _check_strings(body, len(stream))
        if kind == _EOF:
            break
    begins = frozenset(offsets)
    # Two sheets of the same records would be read twice, a thousand a thousand times.
    if not offsets or len(begins) < len(offsets):
        raise _broken()
    return {index: _marks(stream, at, begins, limits) for index, at in enumerate(offsets)}


@lru_cache(maxsize=4)
def _plain_cells(limits: Limits) -> re.Pattern[bytes]:
    """Make the pattern of records of near cells that say nothing but a value, most of a sheet."""
    last = min(limits.columns_max, _COLUMNS) - 1
    place = rb"..[\x00-%b]\x00" % re.escape(bytes([last]))
    kinds = (_LABELSST, 6), (_RK, 6), (_NUMBER, 10), (_BLANK, 2)
    records = (
        re.escape(struct.pack("<HH", kind, _PLACE_BYTES + length)) + place + rb".{%d}" % length
        for kind, length in kinds
    )
    return re.compile(rb"(?:%b)++" % b"|".join(records), re.DOTALL)


def _marks(stream: bytes, offset: int, begins: frozenset[int], limits: Limits) -> Marks:
    marks = Marks()
    depth = 0
    for position, kind, body in _records(stream, offset, _plain_cells(limits)):
        depth += (kind == _BOF) - (kind == _EOF)
        if depth == 0 and kind == _EOF:
            return marks
        if depth <= 0 or (position != offset and position in begins):
            break
        if kind == _DIMENSIONS:
            _check_dimensions(body)
        # An embedded chart has a substream of its own.
        if depth == 1:
            _mark(marks, kind, body, limits)
    # Cut off, not begun, or another's: calamine would read some of it, and leave people out in
    # silence.
    raise _broken()


def _sheet_offset(body: bytes) -> int:
    if body[5] in _ACTIVE_SHEETS:
        raise FileRefused("active_content", "文件含有宏表，请另存为不含宏的工作簿。")
    offset: int = struct.unpack_from("<I", body)[0]
    return offset


def _check_strings(body: bytes, most: int) -> None:
    # calamine makes room for as many as there are said to be.
    if len(body) < _SST_BYTES or not 0 <= struct.unpack_from("<i", body, 4)[0] <= most:
        raise _broken()


def _check_dimensions(body: bytes) -> None:
    # calamine makes room for all of them at once, and counts below nothing where they are reversed.
    form = _DIMENSION_FORMS.get(len(body))
    if not form:
        raise _broken()
    top, bottom, left, right = struct.unpack_from(form, body)
    reversed_ = (bottom and right) and (top > bottom or left > right)
    if reversed_ or bottom > _ROWS or right > _COLUMNS:
        raise _broken()


def _mark(marks: Marks, kind: int, body: bytes, limits: Limits) -> None:
    if kind in _FILLED and len(body) >= _CELL_BYTES:
        row, column = struct.unpack_from("<HH", body)
        if column >= limits.columns_max:
            raise too_many_columns(limits)
        if kind == _FORMULA or (kind == _BOOLERR and body[_ERROR_AT : _ERROR_AT + 1] == b"\1"):
            marks.formulas.add((row, column))
    elif kind == _ROW and len(body) >= _ROW_BYTES:
        marks.hidden_rows |= bool(struct.unpack_from("<H", body, 12)[0] & _ROW_HIDDEN)
    elif kind == _COLINFO and len(body) >= _COLINFO_BYTES:
        first, last = struct.unpack_from("<HH", body)
        if struct.unpack_from("<H", body, 8)[0] & _COLUMN_HIDDEN:
            marks.hidden_columns.append((first, last))
