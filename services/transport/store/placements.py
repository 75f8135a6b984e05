"""Placements as they were heard, ends that came first, and tombstones of erased persons."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from services.transport.domain.demand import Demand, PlacementState
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

# `erased` is asked, not kept.
COLUMNS: Final = tuple(f.name for f in fields(Demand))[:-1]
_VALUES: Final = attrgetter(*COLUMNS)
_TYPES: Final = {
    "state": "text",
    "needs_seat": "boolean",
    "city": "text",
    "site_division_code": "text",
    "origin_division_code": "text",
    "boarding_place_code": "text",
    "available_from": "date",
    "starts_on": "date",
    "group_placed_count": "integer",
    "priority": "integer",
}
_NAMES: Final = ", ".join(COLUMNS)
_ARRAYS: Final = ", ".join(
    f"${n}::{_TYPES.get(c, 'uuid')}[]" for n, c in enumerate(COLUMNS, start=1)
)
_CHANGING: Final = ", ".join(c for c in COLUMNS if c != "state")
_CHANGED: Final = ", ".join(f"excluded.{c}" for c in COLUMNS if c != "state")
SELECTED: Final = ", ".join(f"p.{c}" for c in COLUMNS) + (
    ", EXISTS (SELECT FROM erased_worker e WHERE e.worker_id = p.worker_id) AS erased"
)


async def upsert_placements(tx: Tx, heard: Sequence[Demand]) -> None:
    """Keep the newest whole of placements; an end that was heard before stays the end."""
    columns = zip(*(_VALUES(d) for d in heard), strict=True)
    await tx.execute(_UPSERT, *(list(c) for c in columns))


_UPSERT: Final = f"""
INSERT INTO placement AS p ({_NAMES})
SELECT {", ".join("COALESCE(f.state, u.state)" if c == "state" else "u." + c for c in COLUMNS)}
FROM unnest({_ARRAYS}) AS u ({_NAMES})
LEFT JOIN placement_fate f USING (placement_id)
ORDER BY u.placement_id
ON CONFLICT (placement_id) DO UPDATE SET ({_CHANGING}) = ROW ({_CHANGED})
"""


async def end_placements(tx: Tx, placement_ids: Sequence[UUID], state: PlacementState) -> None:
    """Keep how placements went on, also those not heard of yet."""
    await tx.execute(_FATE, placement_ids, state.value)
    await tx.execute(_END, placement_ids, state.value)


_FATE: Final = """
INSERT INTO placement_fate AS f (placement_id, state)
SELECT p, $2 FROM unnest($1::uuid[]) AS p ORDER BY p
ON CONFLICT (placement_id) DO UPDATE SET state = excluded.state
"""
_END: Final = "UPDATE placement SET state = $2 WHERE placement_id = ANY ($1::uuid[])"


async def insert_erased(tx: Tx, worker_ids: Sequence[UUID]) -> None:
    """Keep a tombstone of each person."""
    await tx.execute(
        "INSERT INTO erased_worker SELECT w FROM unnest($1::uuid[]) AS w ORDER BY w"
        " ON CONFLICT DO NOTHING",
        worker_ids,
    )


async def load_demands(tx: Tx, placement_ids: Iterable[UUID]) -> dict[UUID, Demand]:
    """Load placements by id; unknown ones are left out."""
    rows = await tx.fetch(
        f"SELECT {SELECTED} FROM placement p WHERE p.placement_id = ANY ($1::uuid[])",
        list(placement_ids),
    )
    return {r["placement_id"]: demand_of(r) for r in rows}


async def find_group_sizes(tx: Tx, group_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Count the placements of each group that were confirmed together and have been heard of.

    A cancelled member is no longer waited for, but only if it was of this confirmation: it came in
    within the group's wait of the ones that stand.
    """
    rows = await tx.fetch(_GROUP_SIZES, group_ids)
    return {r["group_id"]: r["known_count"] for r in rows}


_GROUP_SIZES: Final = """
WITH standing AS (
    SELECT group_id, min(heard_at) AS since FROM placement
    WHERE group_id = ANY ($1::uuid[]) AND state = 'confirmed' GROUP BY group_id
)
SELECT p.group_id, count(*) AS known_count
FROM placement p JOIN standing s USING (group_id)
WHERE p.state = 'confirmed' OR p.heard_at > s.since - interval '20 s'
GROUP BY p.group_id
"""


def demand_of(row: "Record") -> Demand:
    """Give the placement of a row that has `SELECTED`."""
    values: dict[str, Any] = {c: row[c] for c in COLUMNS}
    values["state"] = PlacementState(row["state"])
    return Demand(**values, erased=row["erased"])
