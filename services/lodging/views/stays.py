"""Stays and stay requests as callers see them."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from shared.paging import after, page
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

_COLUMNS: Final = """
SELECT s.stay_id, s.state, s.worker_id, s.office_id, s.enterprise_id, s.nomination_id, s.hire_id,
    s.placement_id, s.stay_request_id, s.programme, s.rule_version, s.inn_id, i.name AS inn_name,
    s.bed_id, r.name AS room, b.name AS bed, s.gender, s.check_in_on, s.check_out_on, s.expected_at,
    s.cut_off_at, s.expires_at, s.group_id, CASE WHEN s.group_id IS NOT NULL THEN s.group_size END
    AS group_bed_count, s.priority, s.reason, s.rule, s.requested_at, s.decided_at,
    s.checked_in_at, s.checked_out_at, s.missed_at, s.overstayed_at, s.overstayed_nights,
    s.next_home
FROM stay s LEFT JOIN inn i ON i.inn_id = s.inn_id LEFT JOIN bed b ON b.bed_id = s.bed_id
LEFT JOIN room r ON r.room_id = b.room_id
"""
_LIST: Final = f"""
{_COLUMNS}
WHERE ($1::uuid IS NULL OR s.worker_id = $1) AND ($2::uuid IS NULL OR s.placement_id = $2)
  AND ($3::uuid IS NULL OR s.inn_id = $3) AND ($4::uuid IS NULL OR s.stay_request_id = $4)
  AND ($5::uuid IS NULL OR s.enterprise_id = $5) AND ($6::text[] IS NULL OR s.state = ANY ($6))
  AND ($7::date IS NULL OR (s.check_in_on <= $7 AND $7 < s.check_out_on))
  AND ($8::uuid IS NULL OR s.stay_id > $8)
ORDER BY s.stay_id LIMIT $9
"""
#: Who sleeps in a house on a night, or is to.
IN_A_BED: Final = ("held", "confirmed", "checked_in", "checked_out")


@dataclass(frozen=True, slots=True)
class StayFilter:
    """Which stays; a night (`on`) without a state means those who have a bed on it."""

    worker_id: UUID | None = None
    placement_id: UUID | None = None
    inn_id: UUID | None = None
    stay_request_id: UUID | None = None
    enterprise_id: UUID | None = None
    on: date | None = None
    state: tuple[str, ...] = ()

    @property
    def states(self) -> list[str] | None:
        """The states asked for; None for all."""
        if self.state:
            return list(self.state)
        return list(IN_A_BED) if self.on is not None else None


async def list_stays(
    tx: Tx, wanted: StayFilter, limit: int, cursor: str | None
) -> dict[str, object]:
    """List stays, oldest first."""
    (last,) = after(cursor, UUID)
    rows = await tx.fetch(
        _LIST,
        wanted.worker_id,
        wanted.placement_id,
        wanted.inn_id,
        wanted.stay_request_id,
        wanted.enterprise_id,
        wanted.states,
        wanted.on,
        last,
        limit + 1,
    )
    return page(rows, limit, "stay_id")


_RULES: Final = """
SELECT hire_window_days, night_cap, hold_minutes, cut_off FROM programme_rule
WHERE code = $1 AND rule_version = $2
"""


async def find_stay(tx: Tx, stay_id: UUID) -> dict[str, object] | None:
    """Find a stay with its decision explained: the rules asked, as they stood in their version."""
    row = await tx.fetchrow(f"{_COLUMNS} WHERE s.stay_id = $1", stay_id)
    if row is None:
        return None
    decision = await tx.fetchval("SELECT decision FROM stay WHERE stay_id = $1", stay_id)
    rules = await tx.fetchrow(_RULES, row["programme"], row["rule_version"])
    explained = {**decision, "rule_values": dict(rules) if rules else None}
    return {**dict(row), "decision": explained}


_REQUESTS: Final = """
SELECT q.*, (SELECT jsonb_object_agg(state, n) FROM (
    SELECT s.state, count(*) AS n FROM stay s WHERE s.stay_request_id = q.stay_request_id
    GROUP BY s.state) counted) AS states
FROM stay_request q
WHERE ($1::uuid IS NULL OR q.stay_request_id = $1) AND ($2::uuid IS NULL OR q.stay_request_id > $2)
ORDER BY q.stay_request_id LIMIT $3
"""


async def list_requests(tx: Tx, limit: int, cursor: str | None) -> dict[str, object]:
    """List stay requests, oldest first, each with its stays counted by state."""
    (last,) = after(cursor, UUID)
    rows = await tx.fetch(_REQUESTS, None, last, limit + 1)
    return page([_request(row) for row in rows], limit, "stay_request_id")


async def find_request(tx: Tx, stay_request_id: UUID) -> dict[str, object] | None:
    """Find a stay request with the stay of each guest."""
    rows = await tx.fetch(_REQUESTS, stay_request_id, None, 1)
    if not rows:
        return None
    stays = await tx.fetch(
        f"{_COLUMNS} WHERE s.stay_request_id = $1 ORDER BY s.stay_id", stay_request_id
    )
    return {**_request(rows[0]), "stays": stays}


def _request(row: "Record") -> dict[str, object]:
    states: dict[str, int] = row["states"] or {}
    open_states = {"requested", "held", "waitlisted"} & states.keys()
    return {**dict(row), "state": "open" if open_states else "decided"}
