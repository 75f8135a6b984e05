"""The keys that sign access tokens: a PEM file, the first key signing, all of them published."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.console.domain.account import TOKEN_LIFETIME_S
from shared.identity import Identity

ALGORITHM: Final = "ES256"
AUDIENCE: Final = "shanhai"
_END: Final = "-----END PRIVATE KEY-----"
_KID_LENGTH: Final = 16


class SigningKeyError(Exception):
    """The signing key file is missing, readable by others, or no P-256 key."""


@dataclass(frozen=True)
class SigningKeys:
    """The keys of the file by their ids; the first one signs."""

    issuer: str
    keys: Mapping[str, ec.EllipticCurvePrivateKey]

    @classmethod
    def read(cls, path: Path, issuer: str) -> Self:
        """Read a file of one or more PKCS 8 PEM blocks. Raises `SigningKeyError`."""
        try:
            text = path.read_text("ascii")
            mode = path.stat().st_mode
        except (OSError, UnicodeDecodeError) as e:
            raise SigningKeyError(f"{path}: the signing key file cannot be read") from e
        if mode & 0o077:
            raise SigningKeyError(
                f"{path}: the signing key file must be readable by its owner only"
            )
        blocks = [block + _END for block in text.split(_END)[:-1]]
        keys = [_parsed(block, path) for block in blocks]
        if not keys:
            raise SigningKeyError(f"{path}: the signing key file holds no key")
        return cls(issuer, {key_id(k): k for k in keys})

    def sign(self, identity: Identity, now: datetime, token_id: UUID) -> str:
        """Make an access token for five minutes of real time."""
        kid, key = next(iter(self.keys.items()))
        # With fractions: a token counts when it was issued after a revocation of the same second.
        issued = round(now.timestamp(), 3)
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "jti": str(token_id),
            "iat": issued,
            "exp": issued + TOKEN_LIFETIME_S,
            "sub": str(identity.account_id),
            "tenant_id": str(identity.tenant_id),
            "tenant_kind": identity.tenant_kind,
            "roles": sorted(identity.roles),
            "division_code": identity.division_code,
            "uscc": identity.uscc,
            "inn_ids": [str(i) for i in identity.inn_ids] or None,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key, ALGORITHM, headers={"kid": kid})

    def jwks(self) -> dict[str, Any]:
        """Give the public keys as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [_public(kid, key) for kid, key in self.keys.items()]}

    def secret(self, purpose: str) -> bytes:
        """Give a key of 32 bytes that follows from the last (oldest) key of the file."""
        oldest = list(self.keys.values())[-1]
        number = oldest.private_numbers().private_value.to_bytes(32, "big")
        return HKDF(hashes.SHA256(), 32, None, purpose.encode()).derive(number)


def make_key_file(path: Path) -> None:
    """Write a fresh key unless the file is there already; whole or not at all."""
    if path.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    draft.touch(0o600)
    draft.write_bytes(pem)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def key_id(key: ec.EllipticCurvePrivateKey) -> str:
    """Give a key's id: a digest of its public half."""
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(public).hexdigest()[:_KID_LENGTH]


def _public(kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    public: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": kid, "use": "sig", "alg": ALGORITHM}


def _parsed(block: str, path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(block.strip().encode(), None)
    except (ValueError, TypeError) as e:
        raise SigningKeyError(f"{path}: a block is no PEM private key") from e
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise SigningKeyError(f"{path}: a key is no P-256 key")
    return key
