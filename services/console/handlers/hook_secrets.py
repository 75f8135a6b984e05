"""Keeps the secrets of web hooks: at rest they are sealed, and each fits its own hook only."""

import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.console.domain.web_hook import SECRET_BYTES

_NONCE_BYTES: Final = 12


class HookSecrets:
    """Makes, seals and opens the secrets by which deliveries are signed."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def make(self, web_hook_id: UUID) -> tuple[bytes, bytes]:
        """Make a secret for a hook; give it, and what is kept of it."""
        secret = secrets.token_bytes(SECRET_BYTES)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return secret, nonce + self._cipher.encrypt(nonce, secret, web_hook_id.bytes)

    def open(self, web_hook_id: UUID, sealed: bytes) -> bytes | None:
        """Give a sealed secret; None for one that isn't this hook's, or not ours."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, web_hook_id.bytes)
        except (InvalidTag, ValueError):
            return None
