"""Opens an .xlsx or .csv that may be broken or hostile; gives its sheets as plain values."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import PurePath
from typing import IO, Final
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from shared.sheets.issue import SheetRefused

Enter = Callable[[str, dict[str, str]], None]
Value = str | int | float | bool | date | datetime | time | timedelta | None

FILE_BYTES_MAX: Final = 2 * 1024 * 1024
UNPACKED_BYTES_MAX: Final = 20 * 1024 * 1024
# Below this size a high ratio is a plain habit of spreadsheets, not a bomb.
RATIO_FROM_BYTES: Final = 4 * 1024 * 1024
RATIO_MAX: Final = 100
MEMBERS_MAX: Final = 500
ROWS_MAX: Final = 2_000
COLUMNS_MAX: Final = 60
#: A header stands among so many first rows.
SEARCHED_ROWS: Final = 20
XML_DEPTH_MAX: Final = 100
_CHUNK_BYTES: Final = 1 << 16
_ENCRYPTED: Final = 0x1
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ACTIVE: Final = re.compile(r"vba(project|data)|^xl/(macrosheets|embeddings|activex|dialogsheets)/")
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_SEPARATORS: Final = ",;\t"
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


@dataclass(slots=True)
class Sheet:
    """One visible sheet: rows from the first on, and the cells that hold formulas (from 0)."""

    name: str
    rows: list[list[Value]]
    formulas: set[tuple[int, int]] = field(default_factory=set)


def sheets(data: bytes, filename: str) -> Iterator[Sheet]:
    """Give the visible sheets in order. Raises `SheetRefused`."""
    extension = PurePath(filename.replace("\\", "/")).suffix.lower()
    if extension not in {".xlsx", ".csv"}:
        raise SheetRefused("unsupported_type")
    if len(data) > FILE_BYTES_MAX:
        raise SheetRefused("file_too_large")
    if not data.removeprefix(b"\xef\xbb\xbf").strip():
        raise SheetRefused("empty_file")
    if data.startswith(b"PK"):
        return _workbook(data)
    if data.startswith(_OLE):
        # An .xlsx with a password is an old compound file outside.
        locked = "EncryptedPackage".encode("utf-16-le") in data
        raise SheetRefused("encrypted_file" if locked else "content_mismatch")
    if extension == ".xlsx":
        raise SheetRefused("content_mismatch")
    return iter([_delimited(data)])


def _workbook(data: bytes) -> Iterator[Sheet]:
    try:
        formulas = _Archive(data).formulas
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = book.sheet_names
        # calamine finds a sheet by its name: two alike could not be told apart.
        if None in formulas or len(formulas) != len(names) or len({*names}) < len(names):
            raise SheetRefused("bad_xml")
        for number, meta in enumerate(book.sheets_metadata):
            if meta.visible is SheetVisibleEnum.Visible and meta.typ is SheetTypeEnum.WorkSheet:
                found = book.get_sheet_by_index(number)
                _, left = found.start or (0, 0)
                rows: list[list[Value]] = [[*[None] * left, *row] for row in found.iter_rows()]
                yield Sheet(meta.name, rows, formulas[number] or set())
    except (CalamineError, *_BROKEN) as broken:
        raise SheetRefused("bad_archive") from broken


class _Archive:
    """Reads every member of an .xlsx once, bounded, before anything else unpacks it."""

    def __init__(self, data: bytes) -> None:
        self._packed = len(data)
        self._total = 0
        self._sheets: list[str] = []  # each one's relation
        self._targets: dict[str, str] = {}  # relation -> part
        self._found: dict[str, set[tuple[int, int]]] = {}  # part -> formulas
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_names([m.filename.replace("\\", "/").lower() for m in members])
            if any(m.flag_bits & _ENCRYPTED for m in members):
                raise SheetRefused("encrypted_file")
            self._check_total(sum(m.file_size for m in members))
            for member in members:
                with archive.open(member) as stream:
                    self._read(member.filename.lower(), stream)

    @property
    def formulas(self) -> list[set[tuple[int, int]] | None]:
        """The cells with formulas of each sheet; None for one whose part is not found."""
        return [self._found.get(self._targets.get(relation, "")) for relation in self._sheets]

    def _read(self, name: str, stream: IO[bytes]) -> None:
        parser = self._parser(name) if name.endswith((".xml", ".rels", ".vml")) else None
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                self._total += len(chunk)
                self._check_total(self._total)
                if parser:
                    parser.Parse(chunk, False)
            if parser:
                parser.Parse(b"", True)
        except (expat.ExpatError, LookupError) as broken:  # or an encoding that is none
            raise SheetRefused("bad_xml") from broken

    def _check_total(self, total: int) -> None:
        bomb = total > RATIO_FROM_BYTES and total > self._packed * RATIO_MAX
        if total > UNPACKED_BYTES_MAX or bomb:
            raise SheetRefused("unpacked_too_large")

    def _parser(self, name: str) -> expat.XMLParserType:
        enter: Enter = lambda *_: None  # noqa: E731 (no handler)
        if "sheets/" in name and not name.endswith(".rels"):
            self._found[name] = (cells := _Cells()).formulas
            return _guarded(cells.enter, cells.leave)
        if name == "xl/workbook.xml":
            enter = self._enter_sheet
        elif name == "xl/_rels/workbook.xml.rels":
            enter = self._enter_relation
        return _guarded(enter, lambda _: None)

    def _enter_sheet(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            ids = [v for k, v in attributes.items() if k.rpartition(":")[2] == "id"]
            self._sheets.append(ids[0] if len(ids) == 1 else "")

    def _enter_relation(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":  # neither what lies outside nor what has two targets is followed
            name, target = attributes.get("Id", ""), attributes.get("Target", "").replace("\\", "/")
            inside = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            sound = attributes.get("TargetMode") != "External" and name not in self._targets
            self._targets[name] = inside.lower() if sound else ""


class _Cells:
    """Notes where a worksheet holds formulas, and refuses one that is too large."""

    def __init__(self) -> None:
        self.formulas: set[tuple[int, int]] = set()
        self._row, self._column, self._inside = -1, -1, False

    def leave(self, tag: str) -> None:
        self._inside &= tag != "c"  # lists and sparklines have formulas too

    def enter(self, tag: str, attributes: dict[str, str]) -> None:
        match tag:
            case "row":
                number = attributes.get("r", "")
                self._row = int(number) - 1 if number.isdecimal() else self._row + 1
                self._column = -1
            case "c":
                place = _position(attributes.get("r", ""))
                self._row, self._column = place or (self._row, self._column + 1)
                self._inside = True
            case "v" | "is" if self._inside:
                self._check()
            case "f" if self._inside:
                self._check()
                self.formulas.update(_spread(attributes, (self._row, self._column)))
            case _:
                pass

    def _check(self) -> None:
        if self._column >= COLUMNS_MAX:
            raise SheetRefused("too_many_cells")
        if self._row > ROWS_MAX + SEARCHED_ROWS:
            raise SheetRefused("too_many_rows")


def _guarded(enter: Enter, leave: Callable[[str], None]) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    depth = 0

    def refuse(*_: object) -> None:
        raise SheetRefused("bad_xml")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > XML_DEPTH_MAX:
            refuse()
        enter(tag.rpartition(":")[2], attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        leave(tag.rpartition(":")[2])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    return parser


def _check_names(names: list[str]) -> None:
    odd = any(".." in n.split("/") or n.startswith("/") or ":" in n or "\0" in n for n in names)
    if odd or len(names) > MEMBERS_MAX or len(set(names)) < len(names):
        raise SheetRefused("bad_archive")
    if any(_ACTIVE.search(n) for n in names):
        raise SheetRefused("active_content")
    if not {"[content_types].xml", "xl/workbook.xml"} <= set(names):
        raise SheetRefused("content_mismatch")


def _spread(attributes: dict[str, str], here: tuple[int, int]) -> set[tuple[int, int]]:
    """Give the cells that a formula fills: only the first of an array says so itself."""
    ends = [_position(r) for r in attributes.get("ref", "").split(":")]
    if attributes.get("t") not in {"array", "dataTable"} or None in ends:
        return {here}
    (top, left), (bottom, right) = (e or here for e in (ends[0], ends[-1]))
    rows = range(top, min(bottom, ROWS_MAX + SEARCHED_ROWS) + 1)
    return {(row, c) for row in rows for c in range(left, min(right, COLUMNS_MAX) + 1)} | {here}


def _position(reference: str) -> tuple[int, int] | None:
    match = _REFERENCE.fullmatch(reference)
    if not match:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]) - 1, column - 1


def _delimited(data: bytes) -> Sheet:
    text = _decoded(data)
    if "\0" in text:
        raise SheetRefused("bad_csv")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows: list[list[Value]] = [list(row) for row in reader]
    except csv.Error as broken:
        raise SheetRefused("bad_csv") from broken
    return Sheet("CSV", rows)


def _decoded(data: bytes) -> str:
    bom = data.startswith(b"\xef\xbb\xbf")
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in () if wide else ("utf-8-sig",) if bom else ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetRefused("bad_encoding")
