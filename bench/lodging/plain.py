"""The plain way, as a peer: a transaction per request, the first bed that fits found by SQL."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from contracts.lodging import StayConfirmed, StayHeld, StayRequested
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

_CASE: Final = """
SELECT s.*, h.hire_id AS known_hire, h.gender AS known_gender, h.hired_on, k.credit_level,
    k.valid_from, k.valid_to, r.night_cap, r.hire_window_days, r.rule_version AS version,
    EXISTS (SELECT FROM credit_commitment c WHERE c.enterprise_id = s.enterprise_id
        AND c.programme = s.programme AND c.state = 'standing') AS stands,
    (SELECT COALESCE(sum(o.check_out_on - o.check_in_on), 0) FROM stay o
        WHERE o.worker_id = s.worker_id AND o.stay_id <> s.stay_id
        AND o.state IN ('held', 'confirmed', 'checked_in', 'checked_out')) AS used
FROM stay s JOIN hire h USING (worker_id) JOIN tenant t ON t.tenant_id = s.enterprise_id
JOIN key_enterprise k ON k.uscc = t.uscc JOIN programme p ON p.code = s.programme
JOIN programme_rule r ON r.code = p.code AND r.rule_version = p.rule_version
WHERE s.worker_id = $1 AND s.state = 'requested' FOR UPDATE OF s
"""
_BED: Final = """
SELECT b.bed_id, b.room_id, b.inn_id FROM bed b
WHERE NOT EXISTS (SELECT FROM occupancy o WHERE o.bed_id = b.bed_id AND o.nights && $1)
  AND NOT EXISTS (SELECT FROM occupancy o
    WHERE o.room_id = b.room_id AND o.nights && $1 AND o.gender <> $2)
  AND NOT EXISTS (SELECT FROM out_of_service c
    WHERE c.bed_id = b.bed_id AND c.ended_at IS NULL AND c.nights && $1)
ORDER BY b.bed_id LIMIT 1
"""
_OCCUPY: Final = """
INSERT INTO occupancy (stay_id, bed_id, room_id, inn_id, worker_id, gender, family_id, nights)
VALUES ($1, $2, $3, $4, $5, $6, $1, $7)
"""
_DECIDE: Final = """
UPDATE stay SET state = $2, inn_id = $3, bed_id = $4, hire_id = $5, gender = $6, rule_version = $7
WHERE stay_id = $1
"""


async def decide_plainly(tx: Tx, worker_id: UUID) -> bool:
    """Decide one request; tell whether it got a bed."""
    case = await tx.fetchrow(_CASE, worker_id)
    if case is None or not _passes(case):
        return False
    nights = asyncpg.Range(case["check_in_on"], case["check_out_on"])
    bed = await tx.fetchrow(_BED, nights, case["known_gender"])
    if bed is None:
        await tx.execute(_DECIDE, case["stay_id"], "rejected", None, None, None, None, 1)
        return False
    await tx.execute(
        _OCCUPY, case["stay_id"], bed["bed_id"], bed["room_id"], bed["inn_id"], worker_id,
        case["known_gender"], nights,
    )  # fmt: skip
    await tx.execute(
        _DECIDE, case["stay_id"], "confirmed", bed["inn_id"], bed["bed_id"], case["known_hire"],
        case["known_gender"], case["version"],
    )  # fmt: skip
    fact = {
        k: case[k]
        for k in ("stay_id", "worker_id", "enterprise_id", "programme", "check_in_on",
                  "check_out_on", "stay_request_id")
    }  # fmt: skip
    fact |= {"rule_version": case["version"], "hire_id": case["known_hire"]}
    for kind in (StayRequested, StayHeld, StayConfirmed):
        where = {} if kind is StayRequested else {"inn_id": bed["inn_id"], "bed_id": bed["bed_id"]}
        tx.say(
            kind.model_validate(fact | where),
            tenant_id=case["enterprise_id"],
            journey_id=case["known_hire"],
        )
    return True


def _passes(case: "Record") -> bool:
    first, nights = case["check_in_on"], (case["check_out_on"] - case["check_in_on"]).days
    until = case["hired_on"] + timedelta(days=case["hire_window_days"])
    return bool(
        case["credit_level"] != "revoked"
        and case["valid_from"] <= first
        and case["hired_on"] <= first <= until
        and nights + case["used"] <= case["night_cap"]
    )
