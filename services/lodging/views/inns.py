"""Inns, their rooms, and who many sleep there, night by night."""

from collections import Counter
from datetime import date
from typing import Final
from uuid import UUID

from shared.paging import after, page
from shared.transaction import Tx

_INNS: Final = """
SELECT i.inn_id, i.name, i.town, i.division_code, i.programmes,
    (SELECT count(*) FROM room r WHERE r.inn_id = i.inn_id) AS room_count,
    (SELECT count(*) FROM bed b WHERE b.inn_id = i.inn_id) AS bed_count
FROM inn i
WHERE ($1::uuid IS NULL OR i.inn_id = $1) AND ($2::uuid IS NULL OR i.inn_id > $2)
  AND (app_tenant_kind() <> 'inn' OR i.inn_id = ANY (app_inn_ids()))
ORDER BY i.inn_id LIMIT $3
"""
_ROOMS: Final = """
SELECT r.room_id, r.name AS room,
    jsonb_agg(jsonb_build_object('bed_id', b.bed_id, 'bed', b.name) ORDER BY b.name) AS beds
FROM room r JOIN bed b USING (room_id) WHERE r.inn_id = $1
GROUP BY r.room_id, r.name ORDER BY r.name
"""
_CLOSED: Final = """
SELECT period_id, bed_id, lower(nights) AS "from", upper(nights) AS "to" FROM out_of_service
WHERE inn_id = $1 AND ended_at IS NULL ORDER BY lower(nights), period_id
"""


async def load_inn_names(tx: Tx) -> dict[str, UUID]:
    """Give every inn by its id and by its name; a name that two of them have means neither."""
    rows = await tx.fetch("SELECT inn_id, name FROM inn ORDER BY inn_id")
    names = Counter(r["name"] for r in rows)
    by_name = {r["name"]: r["inn_id"] for r in rows if names[r["name"]] == 1}
    return by_name | {str(r["inn_id"]): r["inn_id"] for r in rows}


async def list_inns(tx: Tx, limit: int, cursor: str | None) -> dict[str, object]:
    """List inns; an inn sees its own houses only."""
    (last,) = after(cursor, UUID)
    return page(await tx.fetch(_INNS, None, last, limit + 1), limit, "inn_id")


async def find_inn(tx: Tx, inn_id: UUID) -> dict[str, object] | None:
    """Find an inn with its rooms, beds, and periods out of service."""
    row = await tx.fetchrow(_INNS, inn_id, None, 1)
    if row is None:
        return None
    return {
        **dict(row),
        "rooms": await tx.fetch(_ROOMS, inn_id),
        "out_of_service": await tx.fetch(_CLOSED, inn_id),
    }


_OCCUPANCY: Final = """
SELECT night::date AS night, t.beds, t.beds - COALESCE(c.closed, 0) AS in_service,
    COALESCE(o.taken, 0) AS occupied, COALESCE(o.female, 0) AS female, COALESCE(o.male, 0) AS male,
    COALESCE(o.rooms, 0) AS rooms_opened
FROM generate_series($2::date, $3::date - 1, interval '1 day') AS night
CROSS JOIN (SELECT count(*) AS beds FROM bed WHERE inn_id = $1) t
LEFT JOIN LATERAL (
    SELECT count(DISTINCT bed_id) AS closed FROM out_of_service
    WHERE inn_id = $1 AND ended_at IS NULL AND nights @> night::date) c ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS taken, count(*) FILTER (WHERE gender = 'female') AS female,
        count(*) FILTER (WHERE gender = 'male') AS male, count(DISTINCT room_id) AS rooms
    FROM occupancy WHERE inn_id = $1 AND nights @> night::date) o ON true
ORDER BY night
"""


async def find_occupancy(tx: Tx, inn_id: UUID, since: date, until: date) -> object | None:
    """Count beds, guests and rooms of each night from `since` to the day before `until`."""
    inn = await tx.fetchrow(_INNS, inn_id, None, 1)
    if inn is None:
        return None
    nights = await tx.fetch(_OCCUPANCY, inn_id, since, until)
    return {"inn_id": inn_id, "from": since, "to": until, "items": nights, "next_cursor": None}
