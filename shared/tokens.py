"""Checks access tokens: signed by the issuer, for us, still valid, and not revoked."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx2
import jwt
from pydantic import BaseModel, ValidationError

from shared.clock import real_now
from shared.http import unauthorized
from shared.identity import Identity, TenantKind
from shared.problem import Problem, unavailable

if TYPE_CHECKING:
    from shared.database import Database

AUDIENCE: Final = "shanhai"
ALGORITHMS: Final = frozenset({"EdDSA", "ES256", "RS256"})
ROLES: Final = frozenset({"coordinator", "escort", "admin"})
TOKEN_LENGTH_MAX: Final = 8_192
# Older tokens are refused whatever they say, so that older revocations may be forgotten.
TOKEN_AGE_MAX: Final = timedelta(days=1)
LEEWAY_S: Final = 5
KEYS_FRESH_S: Final = 600.0
KEYS_RETRY_S: Final = 1.0
ACCESS_FRESH_S: Final = 1.0
ACCESS_TIMEOUT_S: Final = 2.4


class Claims(BaseModel):
    """What a token says; the names are the same for every issuer."""

    iss: str
    sub: str
    iat: float
    tenant_id: uuid.UUID
    tenant_kind: TenantKind
    roles: frozenset[str] = frozenset()
    division_code: str | None = None
    uscc: str | None = None
    inn_ids: tuple[uuid.UUID, ...] = ()

    def identity(self) -> Identity:
        """Give the caller; another issuer's subject that is no UUID becomes one of its own."""
        try:
            account_id = uuid.UUID(self.sub)
        except ValueError:
            account_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.iss}#{self.sub}")
        return Identity(
            account_id, self.tenant_id, self.tenant_kind, self.roles & ROLES,
            self.division_code, self.uscc, self.inn_ids,
        )  # fmt: skip


@dataclass
class Keys:
    """The issuer's public keys: fetched when needed, kept while the issuer is away."""

    issuer: str
    client: httpx2.AsyncClient
    _keys: dict[str | None, jwt.PyJWK] = field(default_factory=dict)
    _fetched_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _refresh: "asyncio.Task[None] | None" = None

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        """Give the key of this id, or None; raises a `Problem` (503) before the first fetch."""
        if kid not in self._keys:
            await self._fetch()
        elif time.monotonic() - self._fetched_at > KEYS_FRESH_S and not self._refreshing():
            self._refresh = asyncio.create_task(self._fetch())
        if not self._keys:
            raise unavailable(
                "身份服务暂时不可用，请稍后重试。The sign-in service is away; try again."
            )
        return self._keys.get(kid)

    def _refreshing(self) -> bool:
        return self._refresh is not None and not self._refresh.done()

    async def _fetch(self) -> None:
        async with self._lock:
            # Unknown key ids are cheap to invent: they must not become requests to the issuer.
            if time.monotonic() - self._tried_at < KEYS_RETRY_S:
                return
            self._tried_at = time.monotonic()
            try:
                found = await self._download()
            except (httpx2.HTTPError, OSError, ValueError, jwt.PyJWTError):
                return
            self._keys = found
            self._fetched_at = time.monotonic()

    async def _download(self) -> dict[str | None, jwt.PyJWK]:
        place = f"{self.issuer}/.well-known/jwks.json"
        about = await self.client.get(f"{self.issuer}/.well-known/openid-configuration")
        if about.is_success:
            place = str(about.json()["jwks_uri"])
        answer = await self.client.get(place)
        answer.raise_for_status()
        return _usable(answer.json()["keys"])


def _usable(documents: list[dict[str, Any]]) -> dict[str | None, jwt.PyJWK]:
    found: dict[str | None, jwt.PyJWK] = {}
    for document in documents:
        if document.get("use", "sig") != "sig" or document.get("kty") not in {"OKP", "EC", "RSA"}:
            continue
        key = jwt.PyJWK(document)
        if key.algorithm_name in ALGORITHMS:
            found[key.key_id] = key
    if len(found) == 1:
        # A token need not name the only key there is.
        found[None] = next(iter(found.values()))
    return found


@dataclass
class Access:
    """Who lost access: inactive tenants and revoked tokens, as of at most a second ago."""

    db: "Database"
    _void_before: dict[uuid.UUID, datetime] = field(default_factory=dict)
    _inactive: frozenset[uuid.UUID] = frozenset()
    _read_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def allows(self, identity: Identity, issued_at: datetime) -> bool:
        """Tell whether a token of that moment still counts; raises when the database is away."""
        async with asyncio.timeout(ACCESS_TIMEOUT_S), self._lock:
            if time.monotonic() - self._read_at > ACCESS_FRESH_S:
                await self._read()
        if identity.tenant_id in self._inactive:
            return False
        owners = (identity.account_id, identity.tenant_id)
        return all(issued_at >= self._void_before.get(owner, issued_at) for owner in owners)

    async def _read(self) -> None:
        async with self.db.transaction(role="worker", read_only=True) as tx:
            rows = await tx.fetch(_LOST_ACCESS, TOKEN_AGE_MAX)
        self._void_before = {r["id"]: r["before"] for r in rows if r["before"]}
        self._inactive = frozenset(r["id"] for r in rows if r["before"] is None)
        self._read_at = time.monotonic()


_LOST_ACCESS = """
SELECT account_id AS id, before FROM revocation WHERE before > clock_timestamp() - $1::interval
UNION ALL SELECT tenant_id, NULL FROM tenant WHERE NOT active
"""


@dataclass
class Tokens:
    """Verifies tokens of one issuer."""

    issuer: str
    keys: Keys
    access: Access

    async def verify(self, token: str) -> Identity:
        """Give the caller's identity; raises a `Problem`: 401, or 503 when nobody can tell."""
        claims = await self._claims(token)
        identity = claims.identity()
        issued_at = datetime.fromtimestamp(claims.iat, UTC)
        if real_now() - issued_at > TOKEN_AGE_MAX:
            raise _invalid()
        if not await self.access.allows(identity, issued_at):
            raise unauthorized(
                "access_revoked", "登录已失效，请重新登录。Access was revoked; sign in again."
            )
        return identity

    async def _claims(self, token: str) -> Claims:
        if len(token) > TOKEN_LENGTH_MAX:
            raise _invalid()
        try:
            key = await self.keys.find(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise _invalid()
            # Only the key itself says which algorithm counts: the token's word is worth nothing.
            said = jwt.decode(
                token, key, [key.algorithm_name], audience=AUDIENCE, issuer=self.issuer,
                leeway=LEEWAY_S, options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )  # fmt: skip
            return Claims.model_validate(said)
        except (jwt.PyJWTError, ValidationError, ValueError, OverflowError):
            raise _invalid() from None


def _invalid() -> Problem:
    return unauthorized(
        "invalid_token", "登录无效或已过期，请重新登录。The token is not valid; sign in again."
    )
