"""Who may be shown to whom, by what the registry itself has heard; and what was shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from shared.transaction import Tx

#: A right per scope: (worker, office, enterprise) rows; $1 ids, $2 the scope's id, $3 the day.
_RIGHTS: Final[dict[str, str]] = {
    "trip": """SELECT worker_id, office_id, enterprise_id FROM heard_booking
        WHERE trip_id = $2 AND worker_id = ANY ($1) AND state IN ('booked', 'boarded')
        AND $3::date IS NOT DISTINCT FROM $3::date""",
    "inn": """SELECT worker_id, office_id, enterprise_id FROM heard_stay
        WHERE inn_id = $2 AND worker_id = ANY ($1) AND check_in_on <= $3::date
        AND (state IN ('confirmed', 'checked_in') AND $3::date < check_out_on
            OR state = 'checked_in' AND $3::date = check_out_on)""",
    "enterprise": """SELECT worker_id, office_id, enterprise_id FROM heard_placement
        WHERE enterprise_id = $2 AND worker_id = ANY ($1) AND state IN ('confirmed', 'started')
        AND $3::date IS NOT NULL
        UNION ALL
        SELECT worker_id, NULL, enterprise_id FROM hire
        WHERE enterprise_id = $2 AND worker_id = ANY ($1) AND state = 'active'""",
    "batch": """SELECT b.worker_id, b.tenant_id, b.tenant_id FROM batch_worker b
        WHERE b.batch_id = $2 AND b.worker_id = ANY ($1)
        AND $3::date IS NOT DISTINCT FROM $3::date""",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A reveal as asked for: `kind` is trip, inn, enterprise or batch, `of` its id, `on` a date.

    `only_tenant`: the caller may see what is its own alone; None: all that the scope covers.
    """

    kind: str
    of: UUID
    on: date | None
    worker_ids: Sequence[UUID]
    caller: UUID
    only_tenant: UUID | None


async def find_revealable(tx: Tx, asked: Asked) -> dict[UUID, Any]:
    """Find the sealed copy of each person that the caller has a right to: its own copy first."""
    rows = await tx.fetch(
        _COPIES.format(rights=_RIGHTS[asked.kind]),
        list(asked.worker_ids), asked.of, asked.on, asked.caller, asked.only_tenant,
    )  # fmt: skip
    return {r["worker_id"]: r for r in rows}


_COPIES: Final = """
WITH entitled (worker_id, office_id, enterprise_id) AS ({rights})
SELECT DISTINCT ON (r.worker_id) r.worker_id, r.relation_id, r.name_sealed, r.resident_id_sealed,
    r.phone_sealed, r.emergency_contact_sealed, r.emergency_phone_sealed
FROM entitled e
JOIN relation r ON r.worker_id = e.worker_id AND r.tenant_id IN (e.office_id, e.enterprise_id)
WHERE $5::uuid IS NULL OR $5 IN (e.office_id, e.enterprise_id)
ORDER BY r.worker_id, (r.tenant_id = $4) DESC, (r.tenant_kind = 'office') DESC, r.relation_id
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """Who was shown what, and what for; never the values."""

    reveal_id: UUID
    tenant_id: UUID
    account_id: UUID
    purpose: str
    scope: dict[str, Any]
    fields: Sequence[str]
    revealed: Sequence[UUID]
    withheld: Sequence[UUID]


async def insert_audit(tx: Tx, audit: Audit) -> None:
    """Write the audit row."""
    await tx.execute(
        "INSERT INTO reveal_audit VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        audit.reveal_id, audit.tenant_id, audit.account_id, audit.purpose, audit.scope,
        list(audit.fields), list(audit.revealed), list(audit.withheld), tx.now,
    )  # fmt: skip
