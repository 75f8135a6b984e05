"""Reads a file up to its header: the answers that the POST itself gives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from services.registry.roster import delimited, xls, xlsx
from services.registry.roster.container import file_type
from services.registry.roster.fields import TOLD, required, synonym_table, words
from services.registry.roster.header import Header, find_header
from services.registry.roster.issue import FileRefused, Issue, column_letter
from services.registry.roster.limits import SEARCHED_ROWS, Limits
from services.registry.roster.messages import message
from services.registry.roster.sheet import Sheet, Value
from services.registry.roster.worksheet_xml import too_many_columns, too_many_rows

_MEANT: Final = {"xlsx": "Excel (.xlsx)", "xls": "Excel 97-2003 (.xls)", "csv": "CSV"}

# Every issue repeats its header's word: a page of text there would be told a million times.
_WORD_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Layout:
    """What a readable file looks like: its header, how it was read, and notices about the whole."""

    type: str
    sheet: str
    headers: tuple[str, ...]
    fields: tuple[str | None, ...]
    notices: tuple[Issue, ...] = field(default_factory=tuple)

    def header_of(self, column: int) -> str | None:
        """The office's own word over a column (from 0); what is long is cut off."""
        return self.headers[column][:_WORD_MAX] if column < len(self.headers) else None


@dataclass(slots=True)
class Opened:
    """A file opened behind its header; its rows can be read again and again."""

    layout: Layout
    header: Header
    sheet: Sheet
    limits: Limits
    last_skipped: int

    @property
    def is_small(self) -> bool:
        """Whether the sheet lies within the limits, whatever its rows are."""
        rows, columns = self.sheet.size
        # Formulas that nobody has computed yet stand below, and show nothing.
        last = max((row for row, _ in self.sheet.marks.formulas), default=-1)
        return max(rows, last + 1) <= self.limits.rows_max and columns <= self.limits.columns_max

    def rows(self) -> Iterator[tuple[int, list[Value]]]:
        """Give the rows behind the last skipped one, from 0. Raises `FileRefused` for too many."""
        limits = self.limits
        last = self.last_skipped
        for number, row in self.sheet.rows:
            if number >= limits.sheet_rows_max and _is_filled(row):
                raise too_many_rows(limits)
            if len(row) > limits.columns_max and _is_filled(row[limits.columns_max :]):
                raise too_many_columns(limits)
            if number > self.last_skipped:
                yield number, row
            last = number
        # Formulas that nobody has computed yet show nothing, and calamine ends before them.
        for number in sorted({r for r, _ in self.sheet.marks.formulas if r > last}):
            yield number, []


def open_roster(
    data: bytes, filename: str, kind: str, limits: Limits, own_synonyms: Mapping[str, str]
) -> Opened:
    """Open a file behind its header. Raises `FileRefused` for what is wrong with the whole file."""
    kind_of_file = file_type(data, filename, limits)
    synonyms = synonym_table(kind, own_synonyms)
    candidates = [_headed(s, synonyms) for s in _sheets(kind_of_file, data, limits, set(synonyms))]
    found = [c for c in candidates if c]
    if not found:
        raise FileRefused(
            "header_not_found",
            "前20行内没有找到表头；表头至少要有“姓名”或“身份证号”和另一个已知列名。",
        )
    sheet, header = found[0]
    _check_header(header, kind)
    notices = [*_notices(header, sheet), *_other_sheets([s.name for s, _ in found[1:]])]
    extension = filename.rsplit(".", 1)[-1].lower()
    if extension != kind_of_file:
        notices.append(_notice("extension_differs", name=_MEANT[kind_of_file]))
    layout = Layout(kind_of_file, sheet.name, header.words, header.fields, tuple(notices))
    return Opened(layout, header, sheet, limits, header.last_row)


def _sheets(
    kind_of_file: str, data: bytes, limits: Limits, known_words: set[str]
) -> Iterator[Sheet]:
    if kind_of_file == "xlsx":
        return xlsx.sheets(data, limits)
    if kind_of_file == "xls":
        return xls.sheets(data, limits)
    return iter([delimited.sheet(data, limits, known_words)])


def _headed(sheet: Sheet, synonyms: Mapping[str, str]) -> tuple[Sheet, Header] | None:
    top = list(islice(sheet.rows, SEARCHED_ROWS + 1))
    header = find_header(top, sheet.marks, synonyms, is_text=sheet.is_text)
    return (sheet, header) if header else None


def _check_header(header: Header, kind: str) -> None:
    names = {f: w[0] for f, w in words(kind).items()}
    repeated = header.repeated()
    if repeated:
        listed = "、".join(names[f] for f in repeated)
        raise FileRefused("header_duplicate", f"同一内容有两列：{listed}，请只保留一列。")
    missing = [names[f] for f in required(kind) if f not in header.fields]
    if missing:
        raise FileRefused("header_missing", f"缺少必填列：{'、'.join(missing)}。")


def _is_filled(row: list[Value]) -> bool:
    return any(v not in (None, "") for v in row)


def _notices(header: Header, sheet: Sheet) -> Iterator[Issue]:
    for column, (word, known) in enumerate(zip(header.words, header.fields, strict=True)):
        if word and known is None and word != TOLD:
            cut = word[:_WORD_MAX]
            told = message("header_unknown", name=f"{column_letter(column)} {cut}")
            yield Issue(None, None, cut, None, "header_unknown", "info", told)
    width = len(header.words)
    # Columns behind the last header are often hidden, and never read.
    hides_columns = any(first < width for first, _ in sheet.marks.hidden_columns)
    if sheet.marks.hidden_rows or hides_columns:
        yield _notice("hidden_rows_read")


def _other_sheets(names: list[str]) -> Iterator[Issue]:
    for name in names:
        yield _notice("sheet_not_read", name=name[:_WORD_MAX])


def _notice(code: str, **values: object) -> Issue:
    return Issue(None, None, None, None, code, "info", message(code, **values))
