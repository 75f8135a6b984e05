"""What most of a worksheet's XML is: rows and cells that say nothing but a value."""

import re
from functools import lru_cache
from string import ascii_uppercase
from typing import Final

from services.registry.roster.limits import Limits

#: What stands before an element's name: nothing, or what .NET's writers put there.
PREFIXES: Final = (b"", b"x:")
_LETTERS: Final = ascii_uppercase.encode()


@lru_cache(maxsize=4)
def plain_cells(limits: Limits) -> re.Pattern[bytes]:
    """Make the pattern of rows and cells that say nothing but a value, all within the limits.

    No text and no attribute in it holds a quote or an angle bracket. So a comment, a CDATA section
    or an attribute that is open before such a cell is as open behind it, and cutting it away hides
    nothing that follows. What could be an entity is left to expat, too.
    """
    return re.compile(rb"(?:%b)++" % b"|".join(_plain(limits, p) for p in PREFIXES))


def _plain(limits: Limits, prefix: bytes) -> bytes:
    text = rb"[^\"'<>&]*+"
    attribute = rb' [\w:]+="%b"' % text
    row = _numbers_to(limits.sheet_rows_max)
    column = _letters_to(limits.columns_max)
    # Nearly all end in the first way. An error's type, e, is told by marks.
    inline = rb"<~is><~t(?:%b)?>%b</~t></~is>" % (attribute, text)
    end = rb"><~v>%b</~v></~c>|/>|></~c>|>%b</~c>" % (text, inline)
    kind = rb' (?:s="\d*+"|t="[a-df-z]\w*+")'
    cell = rb'<~c r="%b%b"(?:%b)*+(?:%b)' % (column, row, kind, end)
    tag = rb'<~row r="%b"(?![^<>]*hidden)(?:%b)*+>' % (row, attribute)
    return (rb"%b(?:%b)*+</~row>|%b" % (tag, cell, cell)).replace(b"~", prefix)


def _numbers_to(most: int) -> bytes:
    """Make a pattern of numbers up to `most` (of all with fewer digits, and most with as many)."""
    first, *rest = str(most).encode()
    fewer = rb"\d{1,%d}" % len(rest)
    lead = first - ord("0") - 1
    return rb"(?:%b|[1-%d]\d{%d})" % (fewer, lead, len(rest)) if lead else fewer


def _letters_to(most: int) -> bytes:
    """Make a pattern of the letters of the first columns, up to the last whole alphabet."""
    alphabets = min(most // len(_LETTERS) - 1, len(_LETTERS))
    before = rb"[A-%c]?" % _LETTERS[alphabets - 1] if alphabets > 0 else b""
    return before + rb"[A-%c]" % _LETTERS[min(most, len(_LETTERS)) - 1]
