"""Reads the master keys from their file; the newest wraps, the older ones still unwrap."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from services.registry.vault.crypto import KEY_BYTES, BrokenSealError, open_sealed, seal

_LINE: Final = re.compile(r"^([A-Za-z0-9._-]{1,40})\s+([A-Za-z0-9+/=_-]+)$")
_OTHERS_MAY: Final = 0o077
_PLACE: Final = b"master\0"


class MasterKeyError(Exception):
    """The master key file is missing, readable by others, or not of its form; `str` says which."""


@dataclass(frozen=True)
class MasterKeys:
    """The keys of the master key file: `current` wraps; all of them unwrap."""

    current: str
    keys: Mapping[str, bytes]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read lines `<key id> <base64 of 32 bytes>`, the first being current.

        A file with one bare base64 key is read as the key `1`. Raises `MasterKeyError`.
        """
        try:
            text = path.read_text("ascii")
            mode = path.stat().st_mode
        except (OSError, UnicodeDecodeError) as e:
            message = f"{path}: the master key file cannot be read"
            raise MasterKeyError(message) from e
        if mode & _OTHERS_MAY:
            message = f"{path}: the master key file must be readable by its owner only (chmod 600)"
            raise MasterKeyError(message)
        lines = [s for s in (x.strip() for x in text.splitlines()) if s and not s.startswith("#")]
        pairs = [_parsed(line, path) for line in lines]
        if not pairs:
            message = f"{path}: the master key file is empty"
            raise MasterKeyError(message)
        return cls(pairs[0][0], dict(pairs))

    def wrap(self, key: bytes, place: bytes) -> tuple[str, bytes]:
        """Wrap a key; give the current master key's id and the wrapped key."""
        return self.current, seal(self.keys[self.current], key, _PLACE + place)

    def unwrap(self, key_id: str, wrapped: bytes, place: bytes) -> bytes:
        """Give the key back; raises `MasterKeyError` for a key that the file no longer has."""
        if key_id not in self.keys:
            message = f"master key {key_id} is in use and no longer in the file"
            raise MasterKeyError(message)
        try:
            return open_sealed(self.keys[key_id], wrapped, _PLACE + place)
        except BrokenSealError as e:
            message = f"master key {key_id} in the file is not the one that wrapped the key store"
            raise MasterKeyError(message) from e


def new_master_key_line(key_id: str) -> str:
    """Make a fresh line for the master key file."""
    return f"{key_id} {base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n"


def _parsed(line: str, path: Path) -> tuple[str, bytes]:
    match = _LINE.match(line)
    key_id, text = match.groups() if match else ("1", line)
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as e:
        message = f"{path}: a line of the master key file is not '<id> <base64>'"
        raise MasterKeyError(message) from e
    if len(key) != KEY_BYTES:
        message = f"{path}: a master key has {len(key)} bytes, {KEY_BYTES} are needed"
        raise MasterKeyError(message)
    return key_id, key
