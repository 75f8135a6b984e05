"""Seals values with AES-256-GCM and makes keyed indexes; knows no keys and no database."""

import hmac
import os
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class BrokenSealError(Exception):
    """A sealed value was opened with another key or another place, or was changed."""


def seal(key: bytes, plain: bytes, place: bytes) -> bytes:
    """Seal `plain` under a 256-bit key; `place` (whose field it is) is authenticated, not stored.

    Gives nonce, ciphertext and tag in one; equal texts give different seals.
    """
    return seal_with(AESGCM(key), plain, place)


def seal_with(cipher: AESGCM, plain: bytes, place: bytes, nonce: bytes | None = None) -> bytes:
    """Seal with a cipher already keyed: many fields of one relation; a `nonce` serves only once."""
    nonce = nonce or os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, place)


def nonces(count: int) -> Iterator[bytes]:
    """Give so many nonces, drawn in one go: each draw hands the interpreter to other threads."""
    drawn = os.urandom(count * _NONCE_BYTES)
    return (drawn[i : i + _NONCE_BYTES] for i in range(0, len(drawn), _NONCE_BYTES))


def open_sealed(key: bytes, sealed: bytes, place: bytes) -> bytes:
    """Give the plain value; raises `BrokenSealError`, which never echoes anything."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as e:
        raise BrokenSealError from e


def blind_index(index_key: bytes, resident_id: str) -> bytes:
    """Give the keyed HMAC-SHA-256 (32 bytes) under which a normalised ID number is found.

    A plain hash of an ID number falls to trial in hours (facts.md, F28); this one needs the key.
    """
    return hmac.digest(index_key, b"resident-id\0" + resident_id.encode(), "sha256")


def fingerprint(index_key: bytes, data: bytes, kind: str, drive: str) -> bytes:
    """Give the keyed HMAC under which the same bytes, kind and drive are the same batch."""
    text = b"\0".join((b"file", sha256(data).digest(), kind.encode(), drive.encode()))
    return hmac.digest(index_key, text, "sha256")
