"""New identities: UUIDv7 for everything that has a moment, UUIDv4 for persons."""

import os
import secrets
import threading
import time
import uuid
from collections.abc import Iterator

# A UUID as any other, made, written and compared several times as fast.
from asyncpg.pgproto.pgproto import UUID

_COUNTER_BITS = 12
# Randomness is fetched in blocks: asking the system for each id costs as much as the rest of it.
_BLOCK_BYTES = 4096
# Version 7 and variant 2 in their places, and the 62 random bits of the tail.
_MARKS = (0x7 << 76) | (0b10 << 62)
_TAIL = (1 << 62) - 1


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
            tail = next(self._random, None)
            if tail is None:
                self._random = iter(memoryview(os.urandom(_BLOCK_BYTES)).cast("Q"))
                tail = next(self._random)
        moment, counter = stamp >> _COUNTER_BITS, stamp & 0xFFF
        value = (moment << 80) | (counter << 64) | (tail & _TAIL) | _MARKS
        return UUID(value.to_bytes(16, "big"))

    def uuid4(self) -> uuid.UUID:
        """Give a random UUIDv4, which tells nothing about when it was made."""
        return UUID(uuid.UUID(bytes=secrets.token_bytes(16), version=4).bytes)
