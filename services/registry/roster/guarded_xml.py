"""Feeds XML through expat and refuses what no sound workbook holds."""

from collections.abc import Callable
from typing import Final
from xml.parsers import expat

from services.registry.roster.issue import FileRefused

# An encoding that is none is a LookupError, one of several bytes a ValueError.
_BROKEN: Final = (expat.ExpatError, LookupError, ValueError)
# A tag, a comment or an instruction that has not ended is read anew with each piece. Text is not.
_UNENDED_BYTES_MAX: Final = 1 << 20
# What is not cut away costs a call each. A hundred thousand people in cells that say no place of
# their own are eleven million tags, and six seconds.
_TAGS_MAX: Final = 12_000_000


class XmlGuard:
    """Takes one part piece by piece; a subclass may look at what is entered and left.

    Raises `FileRefused` (bad_xml) for DOCTYPE, entities, absurd depth, absurdly long tags and
    comments, and broken XML; too_many_cells for more tags than can be looked at in seconds.
    """

    def __init__(self, depth_max: int, encoding: str | None = None) -> None:
        self._parser = expat.ParserCreate(encoding)
        self._parser.StartElementHandler = self.enter
        self._parser.EndElementHandler = self.leave
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.EntityDeclHandler = _refuse
        self._depth = 0
        self._depth_max = depth_max
        self._taken = 0
        self._tags = 0

    def feed(self, xml: bytes) -> None:
        """Take the next piece."""
        self._tags += xml.count(b"<")
        if self._tags > _TAGS_MAX:
            raise FileRefused(
                "too_many_cells", "文件内容过于复杂，无法读取；请只保留花名册内容后提交。"
            )
        self._parse(xml, last=False)

    def close(self) -> None:
        """Say that this was all."""
        self._parse(b"", last=True)

    def enter(self, _tag: str, _attributes: dict[str, str]) -> None:
        """Go into an element."""
        self._depth += 1
        if self._depth > self._depth_max:
            raise bad_xml()

    def leave(self, _tag: str) -> None:
        """Come out of it."""
        self._depth -= 1

    def _parse(self, xml: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(xml, last)
        except _BROKEN as broken:
            raise bad_xml() from broken
        self._taken += len(xml)
        if self._taken - self._parser.CurrentByteIndex > _UNENDED_BYTES_MAX:
            raise bad_xml()


def walk(xml: bytes, enter: Callable[[str, dict[str, str]], None]) -> None:
    """Tell each element's name and attributes, of a part found sound."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = enter
    try:
        parser.Parse(xml, True)
    except _BROKEN as broken:
        raise bad_xml() from broken


def _refuse(*_: object) -> None:
    raise bad_xml()


def bad_xml() -> FileRefused:
    """Make the refusal of a workbook whose XML is hostile or broken."""
    return FileRefused("bad_xml", "工作簿内部结构异常，请用 Excel 或 WPS 重新另存后提交。")
