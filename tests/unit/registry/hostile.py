"""Files that mean harm, or are broken, built in memory."""

import io
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.rosters import a_table, xls, xlsx

SHEET = "xl/worksheets/sheet1.xml"


def repacked(
    data: bytes, change: Mapping[str, Callable[[bytes], bytes]], extra: Mapping[str, bytes] = {}
) -> bytes:
    """Write an archive again with changed and further members."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change[name](content) if name in change else content)
        for name, content in extra.items():
            new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def a_roster_file() -> bytes:
    return xlsx(a_table({}))


def with_cell(reference: str, inside: bytes = b"<v>1</v>") -> bytes:
    """Put one more cell into the sheet, wherever."""
    cell = b'<row r="999"><c r="%s">%s</c></row></sheetData>' % (reference.encode(), inside)
    return repacked(a_roster_file(), {SHEET: lambda xml: xml.replace(b"</sheetData>", cell)})


def with_row(row: bytes) -> bytes:
    """Put one more row into the sheet, written as it comes."""
    return repacked(
        a_roster_file(), {SHEET: lambda xml: xml.replace(b"</sheetData>", row + b"</sheetData>")}
    )


def with_active_part(type_: bytes, *, by_ending: bool) -> bytes:
    """Hide a macro or an object behind a harmless name: only the list of types tells what it is."""
    said = b'<Default Extension="dat"' if by_ending else b'<Override PartName="/xl/a.dat"'
    said += b' ContentType="application/vnd.' + type_ + b'"/></Types>'
    return repacked(
        a_roster_file(),
        {"[Content_Types].xml": lambda xml: xml.replace(b"</Types>", said)},
        {"xl/a.dat": b"x"},
    )


def with_sheet_elsewhere(part: str, target: str, change: Callable[[bytes], bytes]) -> bytes:
    """Put the sheet where writers don't, with a formula instead of the first row's name."""
    data = repacked(a_roster_file(), {SHEET: with_formula}, {})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/_rels/workbook.xml.rels":
                content = content.replace(b"worksheets/sheet1.xml", target.encode())
            if name == "xl/workbook.xml":
                content = change(content)
            new.writestr(part if name == SHEET else name, content)
    return out.getvalue()


def with_formula(sheet: bytes) -> bytes:
    """Replace the first person's name by a formula that shows a name."""
    return _replaced(sheet, "A2", b'<c r="A2" t="str"><f>B9</f><v>A</v></c>')


def with_cell_instead(reference: str, cell: bytes, tail: bytes = b"</sheetData>") -> bytes:
    """Write one of the roster's cells anew, and what follows all of them."""
    return repacked(
        a_roster_file(),
        {SHEET: lambda xml: _replaced(xml, reference, cell).replace(b"</sheetData>", tail)},
    )


def with_row_instead(number: int, cells: bytes) -> bytes:
    """Write one of the roster's rows anew."""
    row = rb'(<row r="%d"[^>]*>).*?(?=</row>)' % number
    return repacked(a_roster_file(), {SHEET: lambda xml: re.sub(row, rb"\1" + cells, xml)})


def _replaced(sheet: bytes, reference: str, cell: bytes) -> bytes:
    return re.sub(rb'<c r="%s"[^>]*>.*?</c>' % reference.encode(), cell, sheet)


def with_doctype(member: str) -> bytes:
    bomb = b'?>\n<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    return repacked(a_roster_file(), {member: lambda xml: xml.replace(b"?>", bomb, 1)})


def in_encoding(name: str) -> bytes:
    said = b'encoding="%s"' % name.encode()
    return repacked(
        a_roster_file(), {"xl/workbook.xml": lambda xml: xml.replace(b'encoding="UTF-8"', said)}
    )


def nested_deeply() -> bytes:
    deep = b"<a>" * 5_000 + b"</a>" * 5_000 + b"</sheetData>"
    return repacked(a_roster_file(), {SHEET: lambda xml: xml.replace(b"</sheetData>", deep)})


def with_an_end(member: str, before: str, after: str, length: int) -> bytes:
    """Put letters at a part's end, between these two."""
    letters = before + "甲" * (length // 3) + after

    def change(xml: bytes) -> bytes:
        cut = xml.rindex(b"</")
        return xml[:cut] + letters.encode() + xml[cut:]

    return repacked(a_roster_file(), {member: change})


def that_unpacks_to(size: int) -> bytes:
    return repacked(a_roster_file(), {}, {"xl/media/image1.png": bytes(size)})


def with_lying_size() -> bytes:
    """Say in the directory that the sheet is much smaller than it is."""
    data = bytearray(a_roster_file())
    at = data.rindex(SHEET.encode()) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    struct.pack_into("<I", data, at + 24, 100)
    return bytes(data)


def with_flipped_byte() -> bytes:
    """Break the stored sheet so that its checksum no longer fits."""
    data = repacked(a_roster_file(), {})
    at = data.index(b"sheetData")
    return data[:at] + b"sheetDatA" + data[at + 9 :]


def with_duplicate_member() -> bytes:
    out = io.BytesIO(a_roster_file())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("XL/worksheets/sheet1.xml", b"<x/>")
    return out.getvalue()


def with_encrypted_member() -> bytes:
    data = bytearray(a_roster_file())
    for sign, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = data.index(sign)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(sign, at + 4)
    return bytes(data)


def an_xls_with_macro_sheet() -> bytes:
    data = bytearray(xls(a_table({})))
    data[_bound_sheet(data) + 4 + 5] = 1
    return bytes(data)


def an_xls_whose_sheet_begins_nowhere() -> bytes:
    """Say that the sheet's records begin far behind the end: calamine panics there."""
    data = bytearray(xls(a_table({})))
    struct.pack_into("<I", data, _bound_sheet(data) + 4, 1 << 27)
    return bytes(data)


def an_xls_whose_sheet_begins_late() -> bytes:
    """Say that the sheet begins behind its first record, where calamine reads it all the same."""
    data = bytearray(xls(a_table({})))
    at = _bound_sheet(data) + 4
    (offset,) = struct.unpack_from("<I", data, at)
    stream = data.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    (length,) = struct.unpack_from("<H", data, stream + offset + 2)
    struct.pack_into("<I", data, at, offset + 4 + length)
    return bytes(data)


def an_xls_that_breaks_off() -> bytes:
    """Have a cell's record reach over the sheet's end, and take the rows behind it along."""
    data = bytearray(xls(a_table({}, {}, {}, {})))
    cell = data.rindex(b"\xfd\x00\x0a\x00\x03\x00\x00\x00")
    end = data.rindex(b"\x0a\x00\x00\x00") + 4
    struct.pack_into("<H", data, cell + 2, end - cell - 4)
    return bytes(data)


def an_xls_that_says(record: int, at: int, number: int) -> bytes:
    """Change a number in the first record of a type."""
    data = bytearray(xls(a_table({})))
    offset = data.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    while struct.unpack_from("<H", data, offset)[0] != record:
        offset += 4 + int(struct.unpack_from("<H", data, offset + 2)[0])
    struct.pack_into("<I", data, offset + 4 + at, number)
    return bytes(data)


def an_xls_whose_header_says(at: int, number: int) -> bytes:
    data = bytearray(xls(a_table({})))
    struct.pack_into("<I", data, at, number)
    return bytes(data)


def _bound_sheet(data: bytearray) -> int:
    at = data.index(struct.pack("<H", 0x0085))
    while data[at + 4 + 6 : at + 4 + 8] != b"\x03\x01":
        at = data.index(struct.pack("<H", 0x0085), at + 2)
    return at


def an_xls_with_two_sheets_of_a_name() -> bytes:
    first, second = "甲乙", "丙丁"

    def name(book: Any, sheet: Any) -> None:
        sheet.name = first
        book.add_sheet(second)

    return xls(a_table({}), name).replace(second.encode("utf-16-le"), first.encode("utf-16-le"))


def an_xls_whose_sheets_are_one() -> bytes:
    """Say that a second sheet begins where the first does."""
    data = bytearray(xls(a_table({}), lambda book, _: book.add_sheet("丙丁")))
    first, second = (i for i in range(len(data)) if data.startswith(b"\x85\x00", i))
    (offset,) = struct.unpack_from("<I", data, first + 4)
    struct.pack_into("<I", data, second + 4, offset)
    return bytes(data)


def an_encrypted_xls() -> bytes:
    """Turn the second record (after BOF) into FILEPASS."""
    data = bytearray(xls(a_table({})))
    at = data.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 20
    struct.pack_into("<H", data, at, 0x002F)
    return bytes(data)


def an_encrypted_package() -> bytes:
    """Name the one stream of a compound file as Office names an encrypted workbook."""
    old, new = ("Workbook", "EncryptedPackage")
    data = xls(a_table({}))
    entry = old.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(old) + 2)
    changed = new.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(new) + 2)
    assert entry in data
    return data.replace(entry, changed)
