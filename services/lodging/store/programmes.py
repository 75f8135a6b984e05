"""Programmes' rules by version, and the enterprises' standing commitments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final
from uuid import UUID

from services.lodging.domain.programme import Programme
from shared.transaction import Tx

_TODAYS: Final = """
SELECT code, rule_version, hire_window_days, night_cap, hold_minutes, cut_off, priorities
FROM programme JOIN programme_rule USING (code, rule_version)
"""


async def load_programmes(tx: Tx) -> dict[str, Programme]:
    """Load every programme with the rules of today."""
    return {r["code"]: Programme(*r) for r in await tx.fetch(_TODAYS)}


@dataclass(frozen=True, slots=True)
class Rules:
    """A programme's rules as they are to be from now on."""

    hire_window_days: int
    night_cap: int
    hold_minutes: int
    cut_off: time
    priorities: object


_NEXT_VERSION: Final = """
INSERT INTO programme AS p (code, rule_version) VALUES ($1, 1)
ON CONFLICT (code) DO UPDATE SET rule_version = p.rule_version + 1 RETURNING rule_version
"""
_SAME: Final = """
SELECT rule_version FROM programme JOIN programme_rule USING (code, rule_version)
WHERE code = $1 AND (hire_window_days, night_cap, hold_minutes, cut_off, priorities)
    = ($2, $3, $4, $5, $6::jsonb)
"""
_INSERT_RULES: Final = """
INSERT INTO programme_rule (code, rule_version, hire_window_days, night_cap, hold_minutes, cut_off,
    priorities, valid_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def put_rules(tx: Tx, code: str, rules: Rules) -> int:
    """Set a programme's rules; a new version unless nothing differs. Give the version."""
    values = (
        rules.hire_window_days,
        rules.night_cap,
        rules.hold_minutes,
        rules.cut_off,
        rules.priorities,
    )
    same = await tx.fetchval(_SAME, code, *values)
    if same is not None:
        return int(same)
    version = int(await tx.fetchval(_NEXT_VERSION, code))
    await tx.execute(_INSERT_RULES, code, version, *values, tx.now)
    return version


_COMMITMENTS: Final = """
SELECT enterprise_id, array_agg(programme ORDER BY programme) AS programmes FROM credit_commitment
WHERE state = 'standing' AND enterprise_id = ANY ($1) GROUP BY enterprise_id
"""


async def load_commitments(tx: Tx, enterprise_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Load the programmes for which enterprises have a standing commitment, by code."""
    rows = await tx.fetch(_COMMITMENTS, enterprise_ids)
    return {r["enterprise_id"]: r["programmes"] for r in rows}


_COMMIT: Final = """
INSERT INTO credit_commitment (credit_commitment_id, enterprise_id, programme, state, given_at)
VALUES ($1, $2, $3, 'standing', $4)
ON CONFLICT (enterprise_id, programme) WHERE state = 'standing' DO NOTHING
RETURNING credit_commitment_id
"""
_STANDING: Final = """
SELECT credit_commitment_id FROM credit_commitment
WHERE enterprise_id = $1 AND programme = $2 AND state = 'standing'
"""


async def insert_commitment(tx: Tx, enterprise_id: UUID, programme: str) -> tuple[UUID, bool]:
    """Give a standing commitment; its id, and whether it is new."""
    made: UUID | None = await tx.fetchval(_COMMIT, tx.ids.uuid7(), enterprise_id, programme, tx.now)
    if made is not None:
        return made, True
    known: UUID = await tx.fetchval(_STANDING, enterprise_id, programme)
    return known, False


_WITHDRAW: Final = """
UPDATE credit_commitment SET state = 'withdrawn', withdrawn_at = $2
WHERE credit_commitment_id = $1 AND state = 'standing'
"""


async def end_commitment(tx: Tx, credit_commitment_id: UUID) -> bool:
    """Withdraw a commitment; tell whether it stood."""
    return (await tx.execute(_WITHDRAW, credit_commitment_id, tx.now)).endswith(" 1")
