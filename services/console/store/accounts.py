"""Tenants and accounts, sessions, and sign-ins that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from shared.identity import Identity
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Account:
    """An account with what its tenant makes of it."""

    identity: Identity
    name: str
    tenant_name: str
    password_hash: str
    totp_sealed: bytes | None
    active: bool
    password_temporary: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session; `form_token` has to come back with every form."""

    identity: Identity
    name: str
    tenant_name: str
    form_token: str
    password_temporary: bool = False
    second_factor: bool = False


_ACCOUNT: Final = """
SELECT a.account_id, a.name, a.password_hash, a.roles, a.totp_sealed, a.password_temporary,
       a.active AND t.active AS active, t.tenant_id, t.name AS tenant_name, t.kind,
       t.division_code, t.uscc, t.inn_ids
FROM account a JOIN tenant t USING (tenant_id)
"""


async def find_account(tx: Tx, name: str) -> Account | None:
    """Give an account by its name."""
    row = await tx.fetchrow(f"{_ACCOUNT} WHERE a.name = $1", name)
    return _account(row) if row else None


async def find_account_by_id(tx: Tx, account_id: UUID) -> Account | None:
    """Give an account by its id."""
    row = await tx.fetchrow(f"{_ACCOUNT} WHERE a.account_id = $1", account_id)
    return _account(row) if row else None


async def find_tenant_kind(tx: Tx, tenant_id: UUID) -> str | None:
    """Give a tenant's kind; None when the caller may not see it or there is none."""
    kind: str | None = await tx.fetchval(
        "SELECT kind FROM tenant WHERE tenant_id = $1 FOR SHARE", tenant_id
    )
    return kind


_INSERT_ACCOUNT: Final = """
INSERT INTO account (account_id, tenant_id, name, password_hash, roles, created_at, changed_at,
    password_temporary)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7) ON CONFLICT DO NOTHING RETURNING account_id
"""


async def insert_account(
    tx: Tx, identity: Identity, name: str, password_hash: str, *, temporary: bool = False
) -> UUID | None:
    """Add an account; None when its name or id is taken."""
    inserted: UUID | None = await tx.fetchval(
        _INSERT_ACCOUNT, identity.account_id, identity.tenant_id, name, password_hash,
        sorted(identity.roles), tx.now, temporary,
    )  # fmt: skip
    return inserted


_UPDATE_ACCOUNT: Final = """
UPDATE account SET password_hash = COALESCE($2, password_hash), roles = COALESCE($3, roles),
    active = COALESCE($4, active), totp_sealed = CASE WHEN $5 THEN $6 ELSE totp_sealed END,
    totp_step = CASE WHEN $5 THEN $9 ELSE totp_step END,
    password_temporary = CASE WHEN $2 IS NULL THEN password_temporary ELSE $8 END, changed_at = $7
WHERE account_id = $1
"""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What changes about an account; None stays as it is. `second_factor` of b"" takes it away.

    `totp_step` is the step of time by whose code a new second factor was proven.
    """

    password_hash: str | None = None
    roles: Sequence[str] | None = None
    active: bool | None = None
    second_factor: bytes | None = None
    temporary: bool = False
    totp_step: int | None = None


async def update_account(tx: Tx, account_id: UUID, change: AccountChange) -> None:
    """Change an account; its sessions end, and with a second factor its recovery codes go."""
    factor = change.second_factor
    roles = None if change.roles is None else sorted(change.roles)
    await tx.execute(
        _UPDATE_ACCOUNT, account_id, change.password_hash, roles, change.active,
        factor is not None, factor or None, tx.now, change.temporary, change.totp_step,
    )  # fmt: skip
    if factor is not None:
        await tx.execute("DELETE FROM recovery_code WHERE account_id = $1", account_id)
    await tx.execute("DELETE FROM session WHERE account_id = $1", account_id)


async def use_totp_step(tx: Tx, account_id: UUID, step: int) -> bool:
    """Use up a code of the second factor, and all before it; False when it was used already."""
    done = await tx.execute(
        "UPDATE account SET totp_step = $2"
        " WHERE account_id = $1 AND (totp_step IS NULL OR totp_step < $2)",
        account_id,
        step,
    )
    return not done.endswith(" 0")


async def replace_recovery_codes(tx: Tx, account_id: UUID, digests: Sequence[bytes]) -> None:
    """Let an account have exactly these recovery codes."""
    await tx.execute("DELETE FROM recovery_code WHERE account_id = $1", account_id)
    await tx.execute(
        "INSERT INTO recovery_code SELECT $1, unnest($2::bytea[])", account_id, list(digests)
    )


async def use_recovery_code(tx: Tx, account_id: UUID, digest: bytes) -> bool:
    """Use up a recovery code; False when the account has no such one."""
    done = await tx.execute(
        "DELETE FROM recovery_code WHERE account_id = $1 AND digest = $2", account_id, digest
    )
    return not done.endswith(" 0")


async def count_recovery_codes(tx: Tx, account_id: UUID) -> int:
    """Count the recovery codes that are left."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM recovery_code WHERE account_id = $1", account_id
    )
    return found


async def insert_failure(tx: Tx, name: str, at: datetime) -> None:
    """Note that a sign-in with this name failed (real time)."""
    await tx.execute("INSERT INTO failed_sign_in (name, failed_at) VALUES ($1, $2)", name, at)


async def count_failures(tx: Tx, name: str, since: datetime) -> int:
    """Count the failed sign-ins of a name since then, and forget what is older than a day."""
    await tx.execute("DELETE FROM failed_sign_in WHERE failed_at < $1", since - timedelta(days=1))
    found: int = await tx.fetchval(
        "SELECT count(*) FROM failed_sign_in WHERE name = $1 AND failed_at >= $2", name, since
    )
    return found


async def delete_failures(tx: Tx, name: str) -> None:
    """Forget the failures of a name that has signed in."""
    await tx.execute("DELETE FROM failed_sign_in WHERE name = $1", name)


_INSERT_SESSION: Final = """
INSERT INTO session (digest, account_id, tenant_id, form_token, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""


async def insert_session(
    tx: Tx, digest: bytes, identity: Identity, form_token: str, lifetime: tuple[datetime, datetime]
) -> None:
    """Begin a session, and forget those that are over."""
    made_at, expires_at = lifetime
    await tx.execute("DELETE FROM session WHERE expires_at < $1", made_at)
    await tx.execute(
        _INSERT_SESSION,
        digest,
        identity.account_id,
        identity.tenant_id,
        form_token,
        made_at,
        expires_at,
    )


_SESSION: Final = """
SELECT a.account_id, a.name, a.roles, s.form_token, t.tenant_id, t.name AS tenant_name, t.kind,
       t.division_code, t.uscc, t.inn_ids, a.password_temporary,
       a.totp_sealed IS NOT NULL AS second_factor
FROM session s JOIN account a USING (account_id) JOIN tenant t ON t.tenant_id = a.tenant_id
WHERE s.digest = $1 AND s.expires_at > $2 AND a.active AND t.active
"""


async def find_session(tx: Tx, digest: bytes, now: datetime) -> Session | None:
    """Give a session that isn't over, of an account that may still sign in."""
    row = await tx.fetchrow(_SESSION, digest, now)
    if row is None:
        return None
    return Session(
        _identity(row), row["name"], row["tenant_name"], row["form_token"],
        row["password_temporary"], row["second_factor"],
    )  # fmt: skip


async def delete_session(tx: Tx, digest: bytes) -> None:
    """End a session."""
    await tx.execute("DELETE FROM session WHERE digest = $1", digest)


def _account(row: "asyncpg.Record") -> Account:
    return Account(
        _identity(row), row["name"], row["tenant_name"], row["password_hash"], row["totp_sealed"],
        row["active"], row["password_temporary"],
    )  # fmt: skip


def _identity(row: "asyncpg.Record") -> Identity:
    kind: Any = row["kind"]
    return Identity(
        row["account_id"],
        row["tenant_id"],
        kind,
        frozenset(row["roles"]),
        row["division_code"],
        row["uscc"],
        tuple(row["inn_ids"] or ()),
    )
