"""Signing in: by name, password and, where one is set, a second factor; and browser sessions."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.console.domain.account import FAILURES_MAX, FAILURES_WINDOW_S, SESSION_LIFETIME_S
from services.console.handlers.passwords import is_password
from services.console.store import accounts as store
from shared.clock import real_now
from shared.database import Database
from shared.problem import Problem

_NONCE_BYTES: Final = 12
_COOKIE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person types; kept nowhere."""

    name: str
    password: str = field(repr=False)
    totp: str | None = field(default=None, repr=False)


class SecondFactors:
    """Seals the secrets of second factors under a key that follows from the signing key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: str) -> bytes:
        """Seal a base32 secret."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), b"totp")

    def fits(self, sealed: bytes, code: str | None) -> bool:
        """Tell whether a code of six digits is the current one, or its neighbour in time."""
        try:
            secret = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], b"totp")
        except InvalidTag:
            return False
        return code is not None and pyotp.TOTP(secret.decode()).verify(code, valid_window=1)


async def sign_in(db: Database, factors: SecondFactors, given: Credentials) -> store.Account:
    """Give the account of right credentials; raises a `Problem`: 401, or 429 for a while."""
    now = real_now()
    async with db.transaction(role="worker") as tx:
        since = now - timedelta(seconds=FAILURES_WINDOW_S)
        if await store.count_failures(tx, given.name, since) >= FAILURES_MAX:
            raise _too_many()
        account = await store.find_account(tx, given.name)
    # No connection is held while the hash is computed.
    right = await is_password(account.password_hash if account else None, given.password)
    async with db.transaction(role="worker") as tx:
        if right and account is not None and account.active and _second(factors, account, given):
            await store.delete_failures(tx, given.name)
            return account
        await store.insert_failure(tx, given.name, now)
    if right and account is not None and account.active and not given.totp:
        raise Problem(
            401, "second_factor", "请输入动态验证码。Give the code of your second factor."
        )
    raise Problem(401, "wrong_credentials", "账号或密码不正确。Account or password is wrong.")


def _second(factors: SecondFactors, account: store.Account, given: Credentials) -> bool:
    return account.totp_sealed is None or factors.fits(account.totp_sealed, given.totp)


def _too_many() -> Problem:
    detail = "失败次数过多，请十五分钟后再试。Too many failures; try again in a quarter of an hour."
    return Problem(
        429, "too_many_failures", detail, headers={"Retry-After": str(FAILURES_WINDOW_S)}
    )


async def begin_session(db: Database, account: store.Account) -> str:
    """Begin a browser session; give the cookie's value, of which only a digest is kept."""
    cookie = secrets.token_urlsafe(_COOKIE_BYTES)
    now = real_now()
    lifetime = (now, now + timedelta(seconds=SESSION_LIFETIME_S))
    async with db.transaction(role="worker") as tx:
        form_token = secrets.token_urlsafe(16)
        await store.insert_session(tx, digest(cookie), account.identity, form_token, lifetime)
    return cookie


def digest(cookie: str) -> bytes:
    """Give what is kept of a cookie."""
    return hashlib.sha256(cookie.encode()).digest()
