"""New identities: UUIDv7 for everything that has a moment, UUIDv4 for persons."""

import os
import secrets
import threading
import time
import uuid

_RANDOM_BITS = 62
_COUNTER_BITS = 12


class Ids:
    """A source of ids; UUIDv7 rise strictly within one instance, so inserts stay local."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def uuid7(self) -> uuid.UUID:
        """Give a UUIDv7 (RFC 9562) that is greater than every earlier one of this instance."""
        stamp = (time.time_ns() // 1_000_000) << _COUNTER_BITS
        with self._lock:
            self._last = stamp = max(stamp, self._last + 1)
        moment, counter = stamp >> _COUNTER_BITS, stamp & 0xFFF
        tail = int.from_bytes(os.urandom(8), "big") >> (64 - _RANDOM_BITS)
        value = (moment << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail
        return uuid.UUID(int=value)

    def uuid4(self) -> uuid.UUID:
        """Give a random UUIDv4, which tells nothing about when it was made."""
        return uuid.UUID(bytes=secrets.token_bytes(16), version=4)
