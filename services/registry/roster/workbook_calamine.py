"""Opens a workbook with calamine, answering what it cannot read with a refusal."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from services.registry.roster.issue import FileRefused
from services.registry.roster.sheet import Marks, Rows, Sheet


def open_workbook(data: bytes) -> CalamineWorkbook:
    """Open an .xlsx or .xls. Raises `FileRefused`: encrypted_file, bad_archive."""
    with _refusing():
        return CalamineWorkbook.from_filelike(io.BytesIO(data))


def visible_sheets(workbook: CalamineWorkbook, marks_of: Callable[[int], Marks]) -> Iterator[Sheet]:
    """Give the worksheets that are not hidden, in order; `marks_of` by index among all sheets.

    Raises `FileRefused` (bad_archive) for one that cannot be read.
    """
    names = workbook.sheet_names
    # calamine finds a sheet by its name: of two alike it would read one, and we look at the other.
    if len({*names}) < len(names):
        raise _bad_archive()
    for index, meta in enumerate(workbook.sheets_metadata):
        visible = meta.visible is SheetVisibleEnum.Visible
        if visible and meta.typ is SheetTypeEnum.WorkSheet:
            with _refusing():
                sheet = workbook.get_sheet_by_index(index)
            yield _sheet(sheet, marks_of(index))


def _sheet(sheet: CalamineSheet, marks: Marks) -> Sheet:
    marks.merges = [(a[0], a[1], b[0], b[1]) for a, b in sheet.merged_cell_ranges or []]
    _, left = sheet.start or (0, 0)
    row, column = sheet.end or (-1, -1)
    rows = Rows(sheet.iter_rows, left, marks.merges)
    return Sheet(sheet.name, rows, marks, (row + 1, column + 1))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except PasswordError as locked:
        raise FileRefused("encrypted_file", "文件设有密码，请取消密码后提交。") from locked
    except (CalamineError, OSError, ValueError) as broken:
        raise _bad_archive() from broken
    except BaseException as gone:
        # A panic of calamine's Rust is no `Exception`, and of a class that cannot be imported.
        if type(gone).__name__ == "PanicException":
            raise _bad_archive() from gone
        raise


def _bad_archive() -> FileRefused:
    return FileRefused("bad_archive", "文件已损坏或不完整，请重新另存后提交。")
