"""New identities: UUIDv7 for everything that has a moment, UUIDv4 for persons."""

import os
import threading
import time
import uuid
from collections.abc import Iterator

# A UUID as any other, made, written and compared several times as fast.
from asyncpg.pgproto.pgproto import UUID

_COUNTER_BITS = 12
# Randomness is fetched in blocks: asking the system for each id costs as much as the rest of it.
_BLOCK_BYTES = 4096
# Versions and variant in their places; the random bits of version 4, and of version 7's tail.
_VERSION_4 = 0x4 << 76
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_TAIL = (1 << 62) - 1
_RANDOM = ((1 << 128) - 1) ^ (0xF << 76) ^ (0b11 << 62)


class Ids:
    """A source of ids; UUIDv7 rise strictly within one instance, so inserts stay local."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._random: Iterator[int] = iter(())

    def uuid7(self) -> uuid.UUID:
        """Give a UUIDv7 (RFC 9562) that is greater than every earlier one of this instance."""
        stamp = (time.time_ns() // 1_000_000) << _COUNTER_BITS
        with self._lock:
            self._last = stamp = max(stamp, self._last + 1)
            tail = self._drawn()
        moment, counter = stamp >> _COUNTER_BITS, stamp & 0xFFF
        value = (moment << 80) | (counter << 64) | (tail & _TAIL) | _VERSION_7 | _VARIANT
        return UUID(value.to_bytes(16, "big"))

    def uuid4(self) -> uuid.UUID:
        """Give a random UUIDv4, which tells nothing about when it was made."""
        with self._lock:
            value = (self._drawn() << 64) | self._drawn()
        value = (value & _RANDOM) | _VERSION_4 | _VARIANT
        return UUID(value.to_bytes(16, "big"))

    def _drawn(self) -> int:
        drawn = next(self._random, None)
        if drawn is None:
            self._random = iter(memoryview(os.urandom(_BLOCK_BYTES)).cast("Q"))
            drawn = next(self._random)
        return drawn
