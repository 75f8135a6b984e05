"""Reads .csv: UTF-8 with or without BOM, or GB18030; separated by comma, semicolon or tab."""

import csv
import io
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Final

from services.registry.roster.fields import folded
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.sheet import Marks, Rows, Sheet
from services.registry.roster.worksheet_xml import too_many_rows

_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS: Final = ",;\t"
_HEADER_ROWS: Final = 20
# Spreadsheets that were formatted to the bottom end in a million records of nothing: these, and
# separators.
_NOTHING: Final = " \t\r\n\x1a"
# More lines than this for each row that may be are not cells with line breaks.
_LINES_PER_ROW_MAX: Final = 10
_SENTINEL: Final = "\x1e"


def sheet(data: bytes, limits: Limits, known_words: set[str]) -> Sheet:
    """Give the file as one sheet; its separator is the one that shows the most known header words.

    Raises `FileRefused`: bad_encoding, bad_csv, line_too_long, too_many_rows.
    """
    if max(map(len, data.splitlines()), default=0) > limits.csv_line_bytes_max:
        kilobytes = limits.csv_line_bytes_max >> 10
        raise FileRefused("line_too_long", f"有一行超过 {kilobytes} KB，请检查引号与换行。")
    text = _decoded(data)
    if "\0" in text:
        raise FileRefused("bad_csv", "文件含有空字符 (NUL)，不是有效的 CSV。")
    separator = max(_SEPARATORS, key=lambda s: _known(text, s, known_words))
    lines = list(io.StringIO(text.rstrip(_NOTHING + separator), newline=""))
    if len(lines) > limits.rows_max * _LINES_PER_ROW_MAX:
        raise too_many_rows(limits)
    size = _size(lines, separator)
    return Sheet("CSV", Rows(partial(_reader, lines, separator)), Marks(), size, is_text=True)


def _decoded(data: bytes) -> str:
    encodings = ("utf-8-sig",) if data.startswith(_BOM) else ("utf-8", "gb18030")
    for encoding in encodings if data[:2] not in _UTF16 else ():
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused(
        "bad_encoding", "文件编码无法识别，请另存为 UTF-8 或 GB18030 (GBK) 编码的 CSV。"
    )


def _reader(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    # Fields may be as long as a line; the line's own limit was checked before.
    csv.field_size_limit(1 << 30)
    return csv.reader(lines, delimiter=separator)


def _known(text: str, separator: str, known_words: set[str]) -> int:
    records = _reader(io.StringIO(text, newline=""), separator)
    first = zip(range(_HEADER_ROWS), records, strict=False)
    return max((sum(folded(cell) in known_words for cell in row) for _, row in first), default=0)


def _size(lines: list[str], separator: str) -> tuple[int, int]:
    """Count the rows, and the columns of the longest."""
    height = width = 0
    last: list[str] = []
    for last in _reader(chain(lines, ("\n", _SENTINEL)), separator):
        height += 1
        width = max(width, len(last))
    # An open quote swallows all that follows: then this record does not come out as itself.
    if last != [_SENTINEL]:
        raise FileRefused("bad_csv", "CSV 的引号不成对，请检查后重新另存。")
    return height, width
