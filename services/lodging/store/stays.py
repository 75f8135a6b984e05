"""Stays and who has which bed on which nights, read and written in sets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from services.lodging.domain.calendar import Nights
from services.lodging.domain.house import Wish
from services.lodging.domain.line import Turn
from services.lodging.domain.stay import State, Stay
from services.lodging.store.rows import unnested
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

COLUMNS: Final = tuple(f.name for f in fields(Stay))
_SELECT: Final = f"SELECT {', '.join('s.' + c for c in COLUMNS)} FROM stay s"
_TYPES: Final = {
    **dict.fromkeys(("wait", "announced", "town_missing"), "boolean"),
    **dict.fromkeys(("origin", "gender", "state", "programme", "programme_asked", "town"), "text"),
    **dict.fromkeys(("division_code", "reason", "rule", "next_home", "traceparent"), "text"),
    **dict.fromkeys(("rule_version", "nights_asked", "group_size", "priority"), "integer"),
    **dict.fromkeys(("passed_count", "granted_nights", "given_back_nights"), "integer"),
    "overstayed_nights": "integer",
    "decision": "jsonb",
}


def _type(column: str) -> str:
    if column in _TYPES:
        return _TYPES[column]
    return {"_id": "uuid", "_on": "date", "_at": "timestamptz"}[column[column.rindex("_") :]]


_ROW: Final = {c: _type(c) for c in COLUMNS}
_FIXED: Final = frozenset({"origin", "worker_id", "stay_request_id", "requested_at"})
_CHANGING: Final = {c: kind for c, kind in _ROW.items() if c not in _FIXED}
_UPDATE: Final = (
    f"UPDATE stay s SET {', '.join(f'{c} = u.{c}' for c in _CHANGING if c != 'stay_id')}"
    f" FROM {unnested(_CHANGING)} AS u ({', '.join(_CHANGING)}) WHERE s.stay_id = u.stay_id"
)
_OCCUPANCY: Final = {
    "stay_id": "uuid", "bed_id": "uuid", "room_id": "uuid", "inn_id": "uuid", "worker_id": "uuid",
    "gender": "text", "family_id": "uuid", "nights": "daterange",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Occupied:
    """A stay's nights in a bed."""

    stay_id: UUID
    bed_id: UUID
    room_id: UUID
    inn_id: UUID
    worker_id: UUID
    gender: str
    family_id: UUID
    nights: Nights


async def lock_allocation(tx: Tx) -> bool:
    """Become the only one who gives or takes beds until commit; tell whether nights became free."""
    return bool(await tx.fetchval("SELECT freed FROM allocation FOR UPDATE"))


async def update_freed(tx: Tx, *, freed: bool) -> None:
    """Note that nights became free, or that the waitlist was asked."""
    await tx.execute("UPDATE allocation SET freed = $1 WHERE freed <> $1", freed)


async def load_stays_of_workers(tx: Tx, worker_ids: Sequence[UUID]) -> list[Stay]:
    """Load all stays of persons, oldest first."""
    rows = await tx.fetch(
        f"{_SELECT} WHERE s.worker_id = ANY ($1) ORDER BY s.created_at, s.stay_id", worker_ids
    )
    return [_stay(r) for r in rows]


async def load_stays(tx: Tx, stay_ids: Sequence[UUID]) -> list[Stay]:
    """Load stays by id; the allocation lock guards them."""
    return [
        _stay(r)
        for r in await tx.fetch(
            f"{_SELECT} WHERE s.stay_id = ANY ($1) ORDER BY s.stay_id", stay_ids
        )
    ]


async def find_stay(tx: Tx, stay_id: UUID) -> Stay | None:
    """Find a stay that the transaction's role may see."""
    row = await tx.fetchrow(f"{_SELECT} WHERE s.stay_id = $1", stay_id)
    return _stay(row) if row else None


_UNDECIDED: Final = """
WITH new AS (
    SELECT worker_id, group_id FROM stay WHERE state = 'requested' AND ready_at IS NOT NULL
    ORDER BY stay_id LIMIT $1)
SELECT worker_id FROM new
UNION ALL
-- A limit never cuts through a group, and who comes later is decided with those who wait.
SELECT s.worker_id FROM stay s
WHERE s.state IN ('requested', 'waitlisted')
  AND s.group_id IN (SELECT group_id FROM new WHERE group_id IS NOT NULL)
"""


async def list_workers_undecided(tx: Tx, limit: int) -> list[UUID]:
    """List persons with a new stay to decide, first come first, with their groups."""
    return [r["worker_id"] for r in await tx.fetch(_UNDECIDED, limit)]


_TURN: Final = tuple(f.name for f in fields(Turn) if f.name not in {"placed", "waiting"})
_WAITING: Final = f"""
SELECT {", ".join(_TURN)}, origin = 'placement' AS placed FROM stay
WHERE state = 'waitlisted' AND check_out_on > $1 ORDER BY requested_at, stay_id
"""


async def load_waiting(tx: Tx, tonight: date) -> list[Turn]:
    """Load everybody on the waitlist who still has a night to come, by the few things that count.

    A line of twenty thousand is looked at in a fifth of a second; whole stays are loaded only of
    those who get a bed.
    """
    return [Turn(*r) for r in await tx.fetch(_WAITING, tonight)]


async def update_passed(tx: Tx, stay_ids: Sequence[UUID]) -> None:
    """Count that others went past these waiting stays."""
    if stay_ids:
        await tx.execute(
            "UPDATE stay SET passed_count = passed_count + 1 WHERE stay_id = ANY ($1)", stay_ids
        )


_UNHEARD: Final = """
UPDATE stay SET ready_at = clock_timestamp()
WHERE state = 'requested' AND ready_at IS NULL AND origin = 'direct' AND created_at <= $1
"""


async def update_unheard_ready(tx: Tx, before: datetime) -> None:
    """Let direct requests be decided that were made before that real time, heard of or not."""
    await tx.execute(_UNHEARD, before)


async def list_elsewhere(tx: Tx) -> list[Stay]:
    """List stays that keep a bed until one in their site's town is found."""
    rows = await tx.fetch(
        f"{_SELECT} WHERE s.town_missing ORDER BY s.priority DESC, s.requested_at, s.stay_id"
    )
    return [_stay(r) for r in rows]


async def _due(tx: Tx, condition: str, *args: object) -> list[Stay]:
    rows = await tx.fetch(f"{_SELECT} WHERE {condition} ORDER BY s.stay_id LIMIT $2", *args)
    return [_stay(r) for r in rows]


async def list_expired_holds(tx: Tx, now: datetime, limit: int) -> list[Stay]:
    """List holds whose time is over."""
    return await _due(tx, "s.state = 'held' AND s.expires_at <= $1", now, limit)


async def list_unclaimed(tx: Tx, now: datetime, limit: int) -> list[Stay]:
    """List confirmed stays whose cut-off has passed."""
    return await _due(tx, "s.state = 'confirmed' AND s.cut_off_at <= $1", now, limit)


async def list_overdue(tx: Tx, night: date, limit: int) -> list[Stay]:
    """List guests in house on a night that they weren't granted, or whose bed isn't theirs then."""
    granted = "s.check_out_on - s.overstayed_nights <= $1 AND s.overstayed_at IS NULL"
    overdue = f"s.state = 'checked_in' AND (s.check_out_on <= $1 OR ({granted}))"
    return await _due(tx, overdue, night, limit)


async def list_not_left(tx: Tx, bed_id: UUID, tonight: date) -> list[Stay]:
    """List guests in house in a bed whose nights there are over."""
    rows = await tx.fetch(
        f"{_SELECT} WHERE s.state = 'checked_in' AND s.bed_id = $1 AND s.check_out_on <= $2"
        " ORDER BY s.stay_id",
        bed_id,
        tonight,
    )
    return [_stay(r) for r in rows]


async def list_lapsed(tx: Tx, tonight: date, limit: int) -> list[Stay]:
    """List stays on the waitlist with no night from tonight on."""
    return await _due(tx, "s.state = 'waitlisted' AND s.check_out_on <= $1", tonight, limit)


async def list_ending(tx: Tx, by: date, limit: int) -> list[Stay]:
    """List guests in house until then at most, whose next home nobody knows or was asked for."""
    ending = "s.state = 'checked_in' AND s.check_out_on <= $1"
    unknown = "s.next_home IS NULL AND s.next_home_asked_at IS NULL"
    return await _due(tx, f"{ending} AND {unknown}", by, limit)


async def list_held_by(tx: Tx, enterprise_ids: Sequence[UUID]) -> list[Stay]:
    """List the open holds of enterprises."""
    rows = await tx.fetch(
        f"{_SELECT} WHERE s.state = 'held' AND s.enterprise_id = ANY ($1) ORDER BY s.stay_id",
        enterprise_ids,
    )
    return [_stay(r) for r in rows]


_BEDDED_IN: Final = f"""
{_SELECT} WHERE s.state IN ('held', 'confirmed', 'checked_in') AND EXISTS (
    SELECT FROM occupancy o WHERE o.stay_id = s.stay_id AND o.bed_id = ANY ($1) AND o.nights && $2)
ORDER BY s.stay_id
"""


async def list_stays_in_beds(tx: Tx, bed_ids: Sequence[UUID], nights: Nights) -> list[Stay]:
    """List the stays that have one of the beds on one of the nights."""
    return [_stay(r) for r in await tx.fetch(_BEDDED_IN, bed_ids, _range(nights))]


async def insert_stays(tx: Tx, stays: Iterable[Stay]) -> None:
    """Insert new stays."""
    await tx.insert("stay", _ROW, ([getattr(s, c) for c in _ROW] for s in stays))


async def update_stays(tx: Tx, stays: Sequence[Stay]) -> None:
    """Write stays back, all in one statement."""
    if stays:
        await tx.execute(_UPDATE, *([getattr(s, c) for s in stays] for c in _CHANGING))


_CUT_ROWS: Final = """
WITH cut (stay_id, first) AS (SELECT * FROM unnest($1::uuid[], $2::date[])),
shortened AS (
    UPDATE occupancy o SET nights = daterange(lower(o.nights), c.first) FROM cut c
    WHERE o.stay_id = c.stay_id AND lower(o.nights) < c.first AND upper(o.nights) > c.first)
DELETE FROM occupancy o USING cut c WHERE o.stay_id = c.stay_id AND lower(o.nights) >= c.first
"""


async def delete_nights(tx: Tx, cuts: Sequence[tuple[UUID, date]]) -> None:
    """Give back each stay's nights from a date on."""
    if cuts:
        await tx.execute(_CUT_ROWS, [c[0] for c in cuts], [c[1] for c in cuts])


async def insert_occupancy(tx: Tx, rows: Iterable[Occupied]) -> None:
    """Give beds; the database refuses a bed or a guest twice, and two genders in a room-night."""
    values = (
        (*(getattr(o, c) for c in _OCCUPANCY if c != "nights"), _range(o.nights)) for o in rows
    )
    await tx.insert("occupancy", _OCCUPANCY, values)


_OCCUPIED: Final = """
SELECT stay_id, worker_id, gender, family_id, bed_id, greatest(lower(nights) - $1, 0),
    upper(nights) - $1
FROM occupancy WHERE nights && daterange($1, NULL) ORDER BY stay_id, nights
"""


async def list_occupied(tx: Tx, base: date) -> list[tuple[Wish, UUID]]:
    """List who has which bed from a date on, nights as bits counted from it."""
    return [
        (Wish(stay_id, worker_id, gender, (1 << last) - (1 << first), family_id), bed_id)
        for stay_id, worker_id, gender, family_id, bed_id, first, last in await tx.fetch(
            _OCCUPIED, base
        )
    ]


_GROUPS: Final = """
SELECT p.group_id, count(*) >= max(p.group_size) AND count(*) FILTER (
    WHERE p.needs_bed AND e.placement_id IS NULL
    AND (s.state IS NULL OR (s.state = 'requested' AND s.ready_at IS NULL))) = 0 AS complete
FROM placement p LEFT JOIN placement_end e USING (placement_id)
LEFT JOIN LATERAL (
    SELECT state, ready_at FROM stay
    WHERE placement_id = p.placement_id AND origin = 'placement'
    ORDER BY created_at DESC, stay_id DESC LIMIT 1
) s ON true
WHERE p.group_id = ANY ($1) GROUP BY p.group_id
UNION ALL
SELECT group_id, bool_and(ready_at IS NOT NULL) FROM stay
WHERE origin = 'direct' AND group_id = ANY ($1) GROUP BY group_id
"""


async def load_complete_groups(tx: Tx, group_ids: Sequence[UUID]) -> dict[UUID, bool]:
    """Tell for each group whether all its members who want a bed can be decided."""
    return {r["group_id"]: r["complete"] for r in await tx.fetch(_GROUPS, group_ids)}


async def load_inns_of_groups(tx: Tx, group_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Give the inn where a group's members already have beds."""
    rows = await tx.fetch(
        "SELECT DISTINCT ON (group_id) group_id, inn_id FROM stay WHERE group_id = ANY ($1)"
        " AND state IN ('held', 'confirmed', 'checked_in') ORDER BY group_id, stay_id",
        group_ids,
    )
    return {r["group_id"]: r["inn_id"] for r in rows}


_STATE_AT: Final = COLUMNS.index("state")
_STATES: Final = {s.value: s for s in State}


def _stay(row: "Record") -> Stay:
    # The columns stand in the order of the fields: by name it would take three times as long.
    values = list(row)
    values[_STATE_AT] = _STATES[values[_STATE_AT]]
    return Stay(*values)


def _range(nights: Nights) -> "asyncpg.Range[date]":
    return asyncpg.Range(nights.check_in_on, nights.check_out_on)
