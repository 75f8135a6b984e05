"""Decides what a file is by its content, and looks into archives before anything unpacks them."""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal

from services.registry.roster.compound import MAGIC, BrokenCompoundError, Compound
from services.registry.roster.guarded_xml import XmlGuard, walk
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.plain_cells import PREFIXES
from services.registry.roster.worksheet_xml import SheetScan

FileType = Literal["xlsx", "xls", "csv"]

_EXTENSIONS: Final = ("xlsx", "xls", "csv")
_ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENCRYPTED_FLAG: Final = 0x1
_XML: Final = (".xml", ".rels", ".vml")
_CHUNK_BYTES: Final = 1 << 16
_ACTIVE: Final = re.compile(
    r"vbaproject|vbadata|^xl/(macrosheets|embeddings|activex|dialogsheets)/|\.bin\.macro",
    re.IGNORECASE,
)
_OLE_ACTIVE: Final = re.compile(
    r"^(_VBA_PROJECT_CUR|VBA|Macros|ObjectPool|MBD[0-9A-F]{8})$", re.IGNORECASE
)
# What a macro, an object or a control is called in the list of types, whatever its part's name.
_ACTIVE_TYPE: Final = re.compile(
    r"vbaproject|oleobject|activex|macrosheet|dialogsheet", re.IGNORECASE
)
_TYPES: Final = "[content_types].xml"
_SHEET: Final = re.compile(r"/worksheets/[^/]+$")
# Most of a roster are strings without anything in them: cut away at C speed, expat need not see
# them. What could hide an entity or a broken character is left to it.
_FLAT_STRING: Final = re.compile(
    b"|".join(
        rb'<~si><~t(?: xml:space="preserve")?>[^<&\x00-\x1f]*</~t></~si>'.replace(b"~", prefix)
        for prefix in PREFIXES
    )
)
_WANTED: Final = "请使用 .xlsx、.xls 或 .csv 文件"


def file_type(data: bytes, filename: str, limits: Limits) -> FileType:
    """Tell the type by content.

    Raises `FileRefused`: unsupported_type, file_too_large, empty_file, bad_archive,
    content_mismatch, encrypted_file, active_content.
    """
    extension = PurePath(filename.replace("\\", "/")).suffix.lower().lstrip(".")
    if extension not in _EXTENSIONS:
        raise FileRefused("unsupported_type", f"{_WANTED} (.xlsx, .xls, .csv)。")
    if len(data) > limits.file_bytes_max:
        raise FileRefused(
            "file_too_large", f"文件超过 {limits.file_bytes_max >> 20} MB，请拆分后分批提交。"
        )
    if not data.removeprefix(b"\xef\xbb\xbf").strip():
        raise FileRefused("empty_file", "文件是空的。")
    if data.startswith(_ZIP_MAGIC):
        return "xlsx"
    if data.startswith(MAGIC):
        return _ole_type(data)
    if extension == "csv":
        return "csv"
    raise FileRefused("content_mismatch", f"文件内容不是 Excel 工作簿；{_WANTED}另存后再提交。")


def _ole_type(data: bytes) -> FileType:
    try:
        names = Compound(data).names
    except BrokenCompoundError as broken:
        raise FileRefused("bad_archive", "文件已损坏，无法读取；请重新另存后提交。") from broken
    if "EncryptedPackage" in names:
        raise FileRefused("encrypted_file", "文件设有密码，请取消密码后提交。")
    if "Workbook" not in names:
        raise FileRefused("content_mismatch", f"文件内容不是 Excel 97-2003 工作簿；{_WANTED}。")
    if any(_OLE_ACTIVE.match(n) for n in names):
        raise FileRefused("active_content", "文件含有宏或嵌入对象，请另存为不含宏的工作簿。")
    return "xls"


@dataclass(frozen=True, slots=True)
class Scanned:
    """An archive found sound, and the worksheets in it, by member, as they were looked through."""

    archive: zipfile.ZipFile
    sheets: dict[str, SheetScan]


def scan_xlsx(data: bytes, limits: Limits) -> Scanned:
    """Check an .xlsx's members, each unpacked once, without trusting what it says of itself.

    What is wrong inside a worksheet is told when its marks are asked for.

    Raises `FileRefused`: bad_archive, encrypted_file, unpacked_too_large, active_content,
    content_mismatch, bad_xml.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as broken:
        raise FileRefused("bad_archive", "文件已损坏或不完整，请重新另存后提交。") from broken
    _check_names(members, limits)
    if any(m.flag_bits & _ENCRYPTED_FLAG for m in members):
        raise FileRefused("encrypted_file", "文件设有密码，请取消密码后提交。")
    _check_sizes(members, len(data), limits)
    names = {m.filename.lower(): m.filename for m in members}
    if any(_ACTIVE.search(n) for n in names):
        raise _active()
    if _TYPES not in names or "xl/workbook.xml" not in names:
        raise FileRefused("content_mismatch", f"压缩包内不是 Excel 工作簿；{_WANTED}。")
    sheets = _check_members(archive, members, len(data), limits)
    _check_types(archive.read(names[_TYPES]), set(names))
    return Scanned(archive, sheets)


def _check_types(xml: bytes, names: set[str]) -> None:
    endings = {n.rpartition(".")[2] for n in names}

    def enter(_tag: str, attributes: dict[str, str]) -> None:
        # A default says nothing as long as no part has its ending.
        ending = attributes.get("Extension", "").lower()
        active = _ACTIVE_TYPE.search(attributes.get("ContentType", ""))
        if active and (not ending or ending in endings):
            raise _active()

    walk(xml, enter)


def _active() -> FileRefused:
    return FileRefused("active_content", "文件含有宏或嵌入对象，请另存为不含宏的 .xlsx。")


def _check_names(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    names = [m.filename.replace("\\", "/") for m in members]
    if len(names) > limits.members_max:
        raise FileRefused("bad_archive", f"压缩包内文件超过 {limits.members_max} 个。")
    if len({n.lower() for n in names}) < len(names):
        raise FileRefused("bad_archive", "压缩包内有重名文件。")
    if any(".." in n.split("/") or n.startswith("/") or ":" in n or "\0" in n for n in names):
        raise FileRefused("bad_archive", "压缩包内有越界的文件路径。")


def _check_sizes(members: list[zipfile.ZipInfo], packed: int, limits: Limits) -> None:
    _check_total(sum(m.file_size for m in members), packed, limits)


def _check_total(total: int, packed: int, limits: Limits) -> None:
    bomb = total > limits.ratio_from_bytes and total > packed * limits.ratio_max
    if total > limits.unpacked_bytes_max or bomb:
        raise FileRefused("unpacked_too_large", "文件解压后过大，请只保留花名册内容后提交。")


def _check_members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], packed: int, limits: Limits
) -> dict[str, SheetScan]:
    total = 0
    sheets: dict[str, SheetScan] = {}
    for member in members:
        guard = _guard(member.filename.lower(), limits)
        if isinstance(guard, SheetScan):
            sheets[member.filename] = guard
        try:
            with archive.open(member) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    total += len(chunk)
                    _check_total(total, packed, limits)
                    if guard:
                        guard.feed(chunk)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            NotImplementedError,
        ) as broken:
            raise FileRefused("bad_archive", "文件已损坏或不完整，请重新另存后提交。") from broken
        if guard:
            guard.close()
    return sheets


def _guard(name: str, limits: Limits) -> XmlGuard | SheetScan | None:
    if _SHEET.search(name):
        return SheetScan(limits)
    return _PartGuard(limits.xml_depth_max) if name.endswith(_XML) else None


class _PartGuard(XmlGuard):
    """Guards a part that holds no cells."""

    def feed(self, xml: bytes) -> None:
        super().feed(_FLAT_STRING.sub(b"", xml))
