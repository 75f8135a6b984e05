"""Keeps checked rows between the two passes of an import: sealed, and gone at a kill."""

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Self

from services.registry.roster.check import CheckedRow
from services.registry.roster.child import Chunk
from services.registry.vault import open_sealed, seal

_MEMORY_BYTES: Final = 4 * 1024 * 1024
_PLACE: Final = b"spool"


class _Kept(NamedTuple):
    """Where a chunk lies in the file, and which rows of the roster it has."""

    offset: int
    length: int
    rows: range


class Spool:
    """Chunks of rows in a file without a name, under a key that only this object knows."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 (closed by exit)
        self._kept: list[_Kept] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, body: bytes, rows: range) -> None:
        """Add a chunk as the reader sent it, unread; `rows` are its places in the roster."""
        sealed = seal(self._key, body, _PLACE)
        offset = self._kept[-1].offset + self._kept[-1].length if self._kept else 0
        self._file.write(sealed)
        self._kept.append(_Kept(offset, len(sealed), rows))

    def chunks(self, is_wanted: Callable[[range], bool]) -> Iterator[tuple[int, list[CheckedRow]]]:
        """Give back, in order, the chunks that are wanted: the first row's place, and the rows."""
        for offset, length, rows in self._kept:
            if is_wanted(rows):
                self._file.seek(offset)
                body = open_sealed(self._key, self._file.read(length), _PLACE)
                yield rows.start, Chunk(body).rows
