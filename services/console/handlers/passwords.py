"""Passwords are hashed with argon2id, off the event loop."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.console.domain.account import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN
from shared.problem import Fault, Problem

_HASHER: Final = PasswordHasher()
# Checked when there is no such account, so that both answers take the same time.
_NOBODY: Final = _HASHER.hash("nobody has this password")


def check_password(password: str) -> None:
    """Refuse (`Problem`, 422) a password that is too short or too long."""
    if PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        return
    detail = f"密码至少{PASSWORD_LENGTH_MIN}位。At least {PASSWORD_LENGTH_MIN} characters."
    raise Problem(422, "invalid", detail, [Fault("/password", "password_length", detail)])


async def hashed(password: str) -> str:
    """Give the argon2id hash of a password."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def is_password(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is the one; without an account it takes as long to say no."""
    fits = await asyncio.to_thread(_fits, password_hash or _NOBODY, password[:PASSWORD_LENGTH_MAX])
    return fits and password_hash is not None


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
