"""Signing in: by name, password and, where one is set, a second factor; and browser sessions."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.console.domain.account import (
    FAILURES_MAX,
    FAILURES_WINDOW_S,
    RECOVERY_CODES,
    SESSION_LIFETIME_S,
    may_see_names,
)
from services.console.handlers.passwords import is_password
from services.console.store import accounts as store
from shared.clock import real_now
from shared.database import Database
from shared.problem import Problem
from shared.transaction import Tx

_NONCE_BYTES: Final = 12
_COOKIE_BYTES: Final = 32
_TOTP_DIGITS: Final = 6
# Without those that are taken for one another.
_CODE_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_CODE_GROUPS: Final = 3
_PASSWORD_GROUPS: Final = 4


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

    def open(self, sealed: bytes) -> str | None:
        """Give a sealed secret; None for one that isn't ours."""
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], b"totp"
            ).decode()
        except (InvalidTag, ValueError):
            return None

    def fits(self, sealed: bytes, code: str | None) -> bool:
        """Tell whether a code of six digits is the current one, or its neighbour in time."""
        secret = self.open(sealed)
        if secret is None or code is None:
            return False
        return pyotp.TOTP(secret).verify(code, valid_window=1)


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
        known = right and account is not None and account.active
        if known and account and await _second(tx, factors, account, given.totp):
            await store.delete_failures(tx, given.name)
            return account
        await store.insert_failure(tx, given.name, now)
    if right and account is not None and account.active and not given.totp:
        raise Problem(
            401, "second_factor", "请输入动态验证码。Give the code of your second factor."
        )
    raise Problem(401, "wrong_credentials", "账号或密码不正确。Account or password is wrong.")


async def _second(tx: Tx, factors: SecondFactors, account: store.Account, code: str | None) -> bool:
    if account.totp_sealed is None or factors.fits(account.totp_sealed, code):
        return True
    if code is None or len(code) <= _TOTP_DIGITS:
        return False
    return await store.use_recovery_code(tx, account.identity.account_id, code_digest(code))


def _too_many() -> Problem:
    detail = "失败次数过多，请十五分钟后再试。Too many failures; try again in a quarter of an hour."
    return Problem(
        429, "too_many_failures", detail, headers={"Retry-After": str(FAILURES_WINDOW_S)}
    )


def owed(account: store.Account | store.Session, *, factor_required: bool) -> Problem | None:
    """Tell what an account has to do before anything else: its own password, a second factor."""
    if account.password_temporary:
        detail = "请先设置自己的密码。Choose a password of your own first."
        return Problem(403, "password_change_required", detail)
    has_factor = (
        account.second_factor if isinstance(account, store.Session) else account.totp_sealed
    )
    mine = account.identity
    if factor_required and not has_factor and may_see_names(mine.tenant_kind, mine.roles):
        detail = "请先设置两步验证。Set up a second factor first: you may see names."
        return Problem(403, "second_factor_required", detail)
    return None


async def begin_session(db: Database, account: store.Account) -> str:
    """Begin a browser session; give the cookie's value, of which only a digest is kept."""
    cookie = secrets.token_urlsafe(_COOKIE_BYTES)
    now = real_now()
    lifetime = (now, now + timedelta(seconds=SESSION_LIFETIME_S))
    async with db.transaction(role="worker") as tx:
        form_token = secrets.token_urlsafe(16)
        await store.insert_session(tx, digest(cookie), account.identity, form_token, lifetime)
    return cookie


def new_recovery_codes() -> list[str]:
    """Make recovery codes: 60 random bits each."""
    return [_spelt(_CODE_GROUPS) for _ in range(RECOVERY_CODES)]


def new_password() -> str:
    """Make a first password to hand over: 80 random bits."""
    return _spelt(_PASSWORD_GROUPS)


def _spelt(groups: int) -> str:
    """Make groups of four letters that can be copied by hand."""
    letters = (secrets.choice(_CODE_LETTERS) for _ in range(4 * groups))
    return "-".join("".join(four) for four in zip(*[letters] * 4, strict=True))


def code_digest(code: str) -> bytes:
    """Give what is kept of a recovery code, however it was typed."""
    return hashlib.sha256(code.replace("-", "").replace(" ", "").lower().encode()).digest()


def digest(cookie: str) -> bytes:
    """Give what is kept of a cookie."""
    return hashlib.sha256(cookie.encode()).digest()
