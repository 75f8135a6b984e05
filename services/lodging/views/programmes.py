"""Programmes with their rules, the key list, commitments, and the credit of enterprises."""

from typing import Final
from uuid import UUID

from shared.paging import after, page
from shared.transaction import Tx

_PROGRAMMES: Final = """
SELECT code, rule_version, hire_window_days, night_cap, hold_minutes,
    to_char(cut_off, 'HH24:MI') AS cut_off, priorities, valid_since
FROM programme JOIN programme_rule USING (code, rule_version)
WHERE ($1::text IS NULL OR code = $1) AND ($2::text IS NULL OR code > $2)
ORDER BY code LIMIT $3
"""
_VERSIONS: Final = """
SELECT rule_version, hire_window_days, night_cap, hold_minutes,
    to_char(cut_off, 'HH24:MI') AS cut_off, priorities, valid_since
FROM programme_rule WHERE code = $1 ORDER BY rule_version
"""


async def list_programmes(tx: Tx, limit: int, cursor: str | None) -> dict[str, object]:
    """List programmes with the rules of today."""
    (last,) = after(cursor, str)
    return page(await tx.fetch(_PROGRAMMES, None, last, limit + 1), limit, "code")


async def find_programme(tx: Tx, code: str) -> dict[str, object] | None:
    """Find a programme with every version of its rules."""
    row = await tx.fetchrow(_PROGRAMMES, code, None, 1)
    return {**dict(row), "versions": await tx.fetch(_VERSIONS, code)} if row else None


_KEY_LIST: Final = """
SELECT uscc, name, credit_level, valid_from, valid_to, changed_at FROM key_enterprise
WHERE ($1::text IS NULL OR uscc = $1) AND ($2::text IS NULL OR uscc > $2)
ORDER BY uscc LIMIT $3
"""
_CHANGES: Final = """
SELECT from_level AS "from", level, reason, changed_at FROM credit_change
WHERE uscc = $1 ORDER BY changed_at, credit_change_id
"""
_BREACHES: Final = """
SELECT b.stay_id, b.kind, b.at, b.spent AS counted FROM credit_breach b
JOIN tenant t ON t.tenant_id = b.enterprise_id WHERE t.uscc = $1 ORDER BY b.at, b.stay_id
"""


async def list_key_enterprises(tx: Tx, limit: int, cursor: str | None) -> dict[str, object]:
    """List the key list; an enterprise sees its own entry."""
    (last,) = after(cursor, str)
    return page(await tx.fetch(_KEY_LIST, None, last, limit + 1), limit, "uscc")


async def find_key_enterprise(tx: Tx, uscc: str) -> dict[str, object] | None:
    """Find an entry of the key list, and why its credit level is what it is."""
    row = await tx.fetchrow(_KEY_LIST, uscc, None, 1)
    if row is None:
        return None
    return {
        **dict(row),
        "changes": await tx.fetch(_CHANGES, uscc),
        "breaches": await tx.fetch(_BREACHES, uscc),
    }


_COMMITMENTS: Final = """
SELECT credit_commitment_id, enterprise_id, programme, state, given_at, withdrawn_at
FROM credit_commitment WHERE ($1::uuid IS NULL OR credit_commitment_id > $1)
ORDER BY credit_commitment_id LIMIT $2
"""


async def list_commitments(tx: Tx, limit: int, cursor: str | None) -> dict[str, object]:
    """List credit commitments, oldest first."""
    (last,) = after(cursor, UUID)
    return page(await tx.fetch(_COMMITMENTS, last, limit + 1), limit, "credit_commitment_id")


async def find_commitment(tx: Tx, credit_commitment_id: UUID) -> UUID | None:
    """Find a commitment that the caller may see; give its enterprise."""
    found: UUID | None = await tx.fetchval(
        "SELECT enterprise_id FROM credit_commitment WHERE credit_commitment_id = $1",
        credit_commitment_id,
    )
    return found
