"""Signing in: by name, password and, where one is set, a second factor; and browser sessions."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyotp.exceptions import OTPVerificationError

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

    def step(self, sealed: bytes, code: str | None) -> int | None:
        """Give the step of time that a code of six digits is of: this one, or its neighbour.

        None for any other code. Whether the step was used already is the caller's question.
        """
        secret = self.open(sealed)
        if secret is None or code is None:
            return None
        try:
            return pyotp.TOTP(secret).verify_and_get_timecode(
                code, for_time=real_now(), valid_window=1
            )
        except OTPVerificationError:
            return None


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
        known = account if right and account is not None and account.active else None
        second = await _second(tx, factors, known, given.totp) if known else "wrong"
        if known and second == "right":
            await store.delete_failures(tx, given.name)
            return known
        await store.insert_failure(tx, given.name, now)
    if known and second != "wrong":
        raise Problem(401, "second_factor", _ASKED[second])
    raise Problem(401, "wrong_credentials", "账号或密码不正确。Account or password is wrong.")


_Second = Literal["right", "wrong", "missing", "used"]
_ASKED: Final[Mapping[_Second, str]] = {
    "missing": "请输入动态验证码。Give the code of your second factor.",
    "used": "验证码已用过，请等手机显示下一个。This code was used; wait for the next.",
}


async def _second(
    tx: Tx, factors: SecondFactors, account: store.Account, code: str | None
) -> _Second:
    mine = account.identity.account_id
    if account.totp_sealed is None:
        return "right"
    if not code:
        return "missing"
    step = factors.step(account.totp_sealed, code)
    if step is not None:
        # Whoever has looked over somebody's shoulder comes too late (RFC 6238, 5.2).
        return "right" if await store.use_totp_step(tx, mine, step) else "used"
    if len(code) <= _TOTP_DIGITS:
        return "wrong"
    return "right" if await store.use_recovery_code(tx, mine, code_digest(code)) else "wrong"


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
