"""Reads OLE compound files ([MS-CFB]) as far as an old workbook needs."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER_BYTES: Final = 512
_HEADER_DIFAT: Final = 109
_ENTRY_BYTES: Final = 128
_MINI_BYTES: Final = 64
_MINI_CUTOFF: Final = 4096
_LAST_SECTOR: Final = 0xFFFFFFF9
_SHIFTS: Final = (9, 12)
# How many sectors the tables have: FAT, mini FAT, DIFAT.
_COUNTS_AT: Final = (44, 64, 72)
_STREAM: Final = 2
_ROOT: Final = 5
_NAME_BYTES_MAX: Final = 64


class BrokenCompoundError(Exception):
    """The file is cut off, or its tables lead nowhere or in circles."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    start: int
    size: int


class Compound:
    """A compound file in memory; raises `BrokenCompoundError` for one that makes no sense."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER_BYTES or not data.startswith(MAGIC):
            raise BrokenCompoundError
        self._data = data
        (shift,) = struct.unpack_from("<H", data, 30)
        if shift not in _SHIFTS:
            raise BrokenCompoundError
        self._sector_bytes = 1 << shift
        # calamine makes room for what the header and the directory say before it looks.
        if any(struct.unpack_from("<I", data, at)[0] << shift > len(data) for at in _COUNTS_AT):
            raise BrokenCompoundError
        self._fat = self._table(self._fat_sectors())
        directory, mini_fat = (struct.unpack_from("<I", data, at)[0] for at in (48, 60))
        self._entries = list(_entries(self._joined(directory)))
        if not self._entries or self._entries[0].kind != _ROOT:
            raise BrokenCompoundError
        if any(e.size > len(data) for e in self._entries if e.kind in (_STREAM, _ROOT)):
            raise BrokenCompoundError
        self._mini_fat = self._table(self._chain(mini_fat, self._fat))
        self._mini = self._joined(self._entries[0].start)

    @property
    def names(self) -> list[str]:
        """The names of all storages and streams, at any depth."""
        return [e.name for e in self._entries[1:]]

    def stream(self, name: str) -> bytes:
        """Give a stream's bytes; raises KeyError when there is none of this name."""
        entry = next((e for e in self._entries if e.kind == _STREAM and e.name == name), None)
        if entry is None:
            raise KeyError(name)
        if entry.size >= _MINI_CUTOFF:
            found = self._joined(entry.start)
        else:
            pieces = self._chain(entry.start, self._mini_fat)
            found = b"".join(self._mini[n * _MINI_BYTES : (n + 1) * _MINI_BYTES] for n in pieces)
        if len(found) < entry.size:
            raise BrokenCompoundError
        return found[: entry.size]

    def _fat_sectors(self) -> list[int]:
        sectors = list(struct.unpack_from(f"<{_HEADER_DIFAT}I", self._data, 76))
        (following,) = struct.unpack_from("<I", self._data, 68)
        per_sector = self._sector_bytes // 4
        for _ in range(len(self._data) // self._sector_bytes + 1):
            if following > _LAST_SECTOR:
                break
            block = struct.unpack(f"<{per_sector}I", self._sector(following))
            sectors += block[:-1]
            following = block[-1]
        return [s for s in sectors if s <= _LAST_SECTOR]

    def _table(self, sectors: list[int]) -> list[int]:
        raw = b"".join(self._sector(n) for n in sectors)
        return list(struct.unpack(f"<{len(raw) // 4}I", raw))

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._sector_bytes
        found = self._data[start : start + self._sector_bytes]
        if len(found) < self._sector_bytes:
            raise BrokenCompoundError
        return found

    def _joined(self, start: int) -> bytes:
        return b"".join(self._sector(n) for n in self._chain(start, self._fat))

    @staticmethod
    def _chain(start: int, table: list[int]) -> list[int]:
        def walk() -> Iterator[int]:
            number = start
            while number <= _LAST_SECTOR:
                if number >= len(table):
                    raise BrokenCompoundError
                yield number
                number = table[number]

        # A chain longer than its table goes in circles.
        found = list(islice(walk(), len(table) + 1))
        if len(found) > len(table):
            raise BrokenCompoundError
        return found


def _entries(directory: bytes) -> Iterator[_Entry]:
    for at in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        length, kind = struct.unpack_from("<HB", directory, at + 64)
        if kind == 0 or length > _NAME_BYTES_MAX:
            continue
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        start, size = struct.unpack_from("<IQ", directory, at + 116)
        yield _Entry(name, kind, start, size)
