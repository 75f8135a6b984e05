"""Decides what a file is by its content, and looks into archives before anything unpacks them."""

import io
import re
import zipfile
import zlib
from pathlib import PurePath
from typing import Final, Literal
from xml.parsers import expat

from services.registry.roster.compound import MAGIC, BrokenCompoundError, Compound
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits

FileType = Literal["xlsx", "xls", "csv"]

_EXTENSIONS: Final = ("xlsx", "xls", "csv")
_ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENCRYPTED_FLAG: Final = 0x1
_CHUNK_BYTES: Final = 1 << 16
_ACTIVE: Final = re.compile(
    r"vbaproject|vbadata|^xl/(macrosheets|embeddings|activex|dialogsheets)/|\.bin\.macro",
    re.IGNORECASE,
)
_OLE_ACTIVE: Final = re.compile(
    r"^(_VBA_PROJECT_CUR|VBA|Macros|ObjectPool|MBD[0-9A-F]{8})$", re.IGNORECASE
)
# Most of a roster are strings without anything in them: cut away at C speed, expat need not see
# them. What could hide an entity or a broken character is left to it.
_FLAT_STRING: Final = re.compile(rb"<si><t(?: xml:space=\"preserve\")?>[^<&\x00-\x1f]*</t></si>")
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


def scan_xlsx(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """Check an .xlsx's members without trusting what it says of itself; give the opened archive.

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
    names = {m.filename.lower().lstrip("/") for m in members}
    if any(_ACTIVE.search(n) for n in names):
        raise FileRefused("active_content", "文件含有宏或嵌入对象，请另存为不含宏的 .xlsx。")
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise FileRefused("content_mismatch", f"压缩包内不是 Excel 工作簿；{_WANTED}。")
    _check_members(archive, members, len(data), limits)
    return archive


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
) -> None:
    total = 0
    for member in members:
        is_xml = member.filename.lower().endswith((".xml", ".rels", ".vml"))
        is_sheet = "/worksheets/" in member.filename.lower()
        guard = _XmlGuard(limits.xml_depth_max) if is_xml and not is_sheet else None
        try:
            with archive.open(member) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    total += len(chunk)
                    _check_total(total, packed, limits)
                    if guard:
                        guard.feed(chunk)
        except FileRefused:
            raise
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


class _XmlGuard:
    """Feeds a part through expat, refusing DOCTYPE, entities, absurd depth and broken XML."""

    def __init__(self, depth_max: int) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.EntityDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._enter
        self._parser.EndElementHandler = self._leave
        self._depth = 0
        self._depth_max = depth_max

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.Parse(_FLAT_STRING.sub(b"", chunk), False)
        except expat.ExpatError as broken:
            raise bad_xml() from broken

    def close(self) -> None:
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as broken:
            raise bad_xml() from broken

    def _enter(self, _name: str, _attributes: object) -> None:
        self._depth += 1
        if self._depth > self._depth_max:
            raise bad_xml()

    def _leave(self, _name: str) -> None:
        self._depth -= 1


def _refuse_doctype(*_: object) -> None:
    raise bad_xml()


def bad_xml() -> FileRefused:
    """Make the refusal of a workbook whose XML is hostile or broken."""
    return FileRefused("bad_xml", "工作簿内部结构异常，请用 Excel 或 WPS 重新另存后提交。")
