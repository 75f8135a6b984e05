"""The key list, enterprises' credit levels, and the breaches that lower them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from services.lodging.domain.programme import CreditLevel, KeyEnterprise
from shared.transaction import Tx

_ENTRIES: Final = """
SELECT tenant_id, credit_level, valid_from, valid_to FROM key_enterprise JOIN tenant USING (uscc)
WHERE tenant_id = ANY ($1) AND kind = 'enterprise'
"""


async def load_key_enterprises(tx: Tx, enterprise_ids: Sequence[UUID]) -> dict[UUID, KeyEnterprise]:
    """Load the key list's entries of enterprises, found by the code of their tenant."""
    rows = await tx.fetch(_ENTRIES, enterprise_ids)
    return {r["tenant_id"]: KeyEnterprise(*tuple(r)[1:]) for r in rows}


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """An enterprise's entry as it is to be on the key list."""

    uscc: str
    name: str
    credit_level: CreditLevel
    valid_from: date
    valid_to: date | None


_PUT_ENTRY: Final = """
WITH before AS (SELECT credit_level FROM key_enterprise WHERE uscc = $1 FOR UPDATE),
put AS (
    INSERT INTO key_enterprise (uscc, name, credit_level, valid_from, valid_to, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (uscc) DO UPDATE SET name = excluded.name, credit_level = excluded.credit_level,
        valid_from = excluded.valid_from, valid_to = excluded.valid_to,
        changed_at = excluded.changed_at)
SELECT credit_level FROM before
"""


async def put_key_enterprise(tx: Tx, entry: KeyEntry) -> CreditLevel | None:
    """Set an entry of the key list; give the level it had before, None for a new one."""
    before: CreditLevel | None = await tx.fetchval(
        _PUT_ENTRY,
        entry.uscc,
        entry.name,
        entry.credit_level,
        entry.valid_from,
        entry.valid_to,
        tx.now,
    )
    return before


async def list_enterprises(tx: Tx, uscc: str) -> list[UUID]:
    """List the enterprise tenants with that code."""
    rows = await tx.fetch(
        "SELECT tenant_id FROM tenant WHERE uscc = $1 AND kind = 'enterprise' ORDER BY tenant_id",
        uscc,
    )
    return [r["tenant_id"] for r in rows]


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A change of a credit level; `enterprise_id` is None while nobody has a tenant of the code."""

    uscc: str
    enterprise_id: UUID | None
    before: CreditLevel | None
    level: CreditLevel
    reason: str


_LEVEL_CHANGE: Final = {
    "credit_change_id": "uuid", "uscc": "text", "enterprise_id": "uuid", "from_level": "text",
    "level": "text", "reason": "text", "changed_at": "timestamptz",
}  # fmt: skip


async def insert_level_changes(tx: Tx, changes: Sequence[LevelChange]) -> None:
    """Keep why levels changed."""
    rows = [
        (tx.ids.uuid7(), c.uscc, c.enterprise_id, c.before, c.level, c.reason, tx.now)
        for c in changes
    ]
    await tx.insert("credit_change", _LEVEL_CHANGE, rows)


_UPDATE_LEVELS: Final = """
UPDATE key_enterprise k SET credit_level = u.level, changed_at = $3
FROM unnest($1::text[], $2::text[]) AS u (uscc, level) WHERE k.uscc = u.uscc
"""


async def update_levels(tx: Tx, changes: Sequence[LevelChange]) -> None:
    """Set the new levels."""
    await tx.execute(_UPDATE_LEVELS, [c.uscc for c in changes], [c.level for c in changes], tx.now)


@dataclass(frozen=True, slots=True)
class Breach:
    """A no-show or an overstay of an enterprise's guest."""

    stay_id: UUID
    enterprise_id: UUID


_BREACH: Final = """
INSERT INTO credit_breach (stay_id, kind, enterprise_id, at)
SELECT stay_id, $1, enterprise_id, $4
FROM unnest($2::uuid[], $3::uuid[]) AS u (stay_id, enterprise_id)
ON CONFLICT DO NOTHING
"""


async def insert_breaches(tx: Tx, kind: str, breaches: Sequence[Breach]) -> None:
    """Note breaches (`no_show`, `overstay`), each stay's once."""
    await tx.execute(
        _BREACH, kind, [b.stay_id for b in breaches], [b.enterprise_id for b in breaches], tx.now
    )


async def delete_breach(tx: Tx, kind: str, stay_id: UUID) -> None:
    """Forget a breach that was none, unless it was counted already (then an appeal decides)."""
    await tx.execute(
        "DELETE FROM credit_breach WHERE stay_id = $1 AND kind = $2 AND NOT spent", stay_id, kind
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """An enterprise's level and the breaches that haven't been counted yet."""

    enterprise_id: UUID
    uscc: str
    level: CreditLevel
    no_show_count: int
    overstay_count: int


_STANDINGS: Final = """
SELECT b.enterprise_id, k.uscc, k.credit_level, count(*) FILTER (WHERE b.kind = 'no_show'),
    count(*) FILTER (WHERE b.kind = 'overstay')
FROM credit_breach b JOIN tenant t ON t.tenant_id = b.enterprise_id
JOIN key_enterprise k ON k.uscc = t.uscc
WHERE NOT b.spent AND b.enterprise_id = ANY ($1)
GROUP BY b.enterprise_id, k.uscc, k.credit_level ORDER BY b.enterprise_id
"""


async def load_standings(tx: Tx, enterprise_ids: Sequence[UUID]) -> list[Standing]:
    """Load the uncounted breaches of enterprises on the key list."""
    return [Standing(*r) for r in await tx.fetch(_STANDINGS, enterprise_ids)]


_SPEND: Final = """
UPDATE credit_breach SET spent = true WHERE (stay_id, kind) IN (
    SELECT stay_id, kind FROM (
        SELECT b.stay_id, b.kind, u.no_shows,
            row_number() OVER (PARTITION BY b.enterprise_id ORDER BY b.at, b.stay_id) AS n
        FROM credit_breach b
        JOIN unnest($1::uuid[], $2::int[]) AS u (enterprise_id, no_shows) USING (enterprise_id)
        WHERE NOT b.spent AND b.kind = 'no_show') counted
    WHERE n <= no_shows)
OR (NOT spent AND kind = 'overstay' AND enterprise_id = ANY ($1))
"""


async def spend_breaches(tx: Tx, enterprise_ids: Sequence[UUID], no_shows: Sequence[int]) -> None:
    """Mark breaches as counted: all overstays, and so many no-shows of each, oldest first."""
    await tx.execute(_SPEND, enterprise_ids, no_shows)
