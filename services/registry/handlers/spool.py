"""Keeps checked rows between the two passes of an import: sealed, and gone at a kill."""

import os
import tempfile
from collections.abc import Iterator
from typing import Final, Self

from services.registry.roster.check import CheckedRow
from services.registry.roster.child import Chunk
from services.registry.vault import open_sealed, seal

_MEMORY_BYTES: Final = 4 * 1024 * 1024
_PLACE: Final = b"spool"


class Spool:
    """Chunks of rows in a file without a name, under a key that only this object knows."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 (closed by exit)
        self._lengths: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, body: bytes) -> None:
        """Add a chunk as the reader sent it, unread."""
        sealed = seal(self._key, body, _PLACE)
        self._file.write(sealed)
        self._lengths.append(len(sealed))

    def chunks(self) -> Iterator[list[CheckedRow]]:
        """Give the chunks back in order, each made when it is asked for."""
        self._file.seek(0)
        for length in self._lengths:
            yield Chunk(open_sealed(self._key, self._file.read(length), _PLACE)).rows
