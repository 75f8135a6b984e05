"""Trips and their stops, locked in one order, read and written in sets."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from services.transport.domain.trip import Carrier, Stop, Trip, TripState
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

_TRIP: Final = """
SELECT trip_id, state, destination_division_code, city, plate, vehicle_kind, licensed_capacity,
       operator, contract_number, crew, escort, minimum_load, delay_minutes, reason, departed_at,
       arrived_at, manifest_version FROM trip
"""
_STOPS: Final = """
SELECT trip_id, place_code, division_code, planned_arrives_at, planned_departs_at, arrives_at,
       departs_at, synced_at
FROM trip_stop WHERE trip_id = ANY ($1::uuid[]) ORDER BY trip_id, ordinal
"""


async def insert_trip(tx: Tx, trip: Trip) -> None:
    """Insert a new trip with its stops."""
    await tx.execute(
        _INSERT,
        trip.trip_id,
        trip.state.value,
        trip.destination_division_code,
        trip.city,
        *_vehicle(trip),
        trip.operator,
        trip.contract_number,
        list(trip.crew),
        trip.escort,
        trip.minimum_load,
    )
    await _insert_stops(tx, trip)


async def _insert_stops(tx: Tx, trip: Trip) -> None:
    stops = [(i, *(getattr(s, c) for c in _STOP)) for i, s in enumerate(trip.stops)]
    await tx.insert("trip_stop", {"ordinal": "int", **_STOP}, stops, {"trip_id": trip.trip_id})


_INSERT: Final = """
INSERT INTO trip (trip_id, state, destination_division_code, city, plate, vehicle_kind,
    licensed_capacity, operator, contract_number, crew, escort, minimum_load)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_STOP: Final = {
    "place_code": "text",
    "division_code": "text",
    "planned_arrives_at": "timestamptz",
    "planned_departs_at": "timestamptz",
    "arrives_at": "timestamptz",
    "departs_at": "timestamptz",
    "synced_at": "timestamptz",
}


async def update_trip(tx: Tx, trip: Trip) -> None:
    """Write what may change of a locked trip, its stops' times included."""
    await tx.execute(
        _UPDATE,
        trip.trip_id,
        trip.state.value,
        *_vehicle(trip),
        list(trip.crew),
        trip.delay_minutes,
        trip.reason,
        trip.departed_at,
        trip.arrived_at,
        trip.manifest_version,
        trip.escort,
    )
    await tx.execute(
        _UPDATE_STOPS,
        trip.trip_id,
        [s.arrives_at for s in trip.stops],
        [s.departs_at for s in trip.stops],
        [s.synced_at for s in trip.stops],
    )


_UPDATE: Final = """
UPDATE trip SET state = $2, plate = $3, vehicle_kind = $4, licensed_capacity = $5, crew = $6,
    delay_minutes = $7, reason = $8, departed_at = $9, arrived_at = $10, manifest_version = $11,
    escort = $12
WHERE trip_id = $1
"""
_UPDATE_STOPS: Final = """
UPDATE trip_stop s SET arrives_at = u.arrives_at, departs_at = u.departs_at, synced_at = u.synced_at
FROM unnest($2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
    WITH ORDINALITY AS u (arrives_at, departs_at, synced_at, n)
WHERE s.trip_id = $1 AND s.ordinal = u.n - 1
"""


async def replace_stops(tx: Tx, trip: Trip) -> None:
    """Give a locked trip the stops that it has now in place of those it had."""
    await tx.execute("DELETE FROM trip_stop WHERE trip_id = $1", trip.trip_id)
    await _insert_stops(tx, trip)


async def move_released(tx: Tx, trip_id: UUID, ordinals: Sequence[int | None]) -> None:
    """Let seats given up on a trip point to where their stops are now, or to none.

    `ordinals` tells where each of the old stops is now; None: nowhere.
    """
    await tx.execute(_MOVE_RELEASED, trip_id, ordinals)


_MOVE_RELEASED: Final = """
WITH moved AS (
    SELECT n - 1 AS was, is_now FROM unnest($2::integer[]) WITH ORDINALITY AS u (is_now, n)
)
UPDATE booking b SET (board_ordinal, alight_ordinal) = (
    SELECT f.is_now, t.is_now FROM moved f JOIN moved t ON f.is_now < t.is_now
    WHERE f.was = b.board_ordinal AND t.was = b.alight_ordinal)
WHERE b.trip_id = $1 AND b.state = 'released'
"""


async def update_opened(tx: Tx, trip_ids: Sequence[UUID]) -> None:
    """Let locked trips be open."""
    await tx.execute("UPDATE trip SET state = 'open' WHERE trip_id = ANY ($1::uuid[])", trip_ids)


async def update_cancelled(tx: Tx, trip_ids: Sequence[UUID], reason: str | None) -> None:
    """Let locked trips not run."""
    await tx.execute(
        "UPDATE trip SET state = 'cancelled', reason = $2 WHERE trip_id = ANY ($1::uuid[])",
        trip_ids,
        reason,
    )


async def load_trips(tx: Tx, trip_ids: Iterable[UUID]) -> dict[UUID, Trip]:
    """Load trips, as far as the transaction's role sees them, without a lock."""
    rows = await tx.fetch(f"{_TRIP} WHERE trip_id = ANY ($1::uuid[])", list(trip_ids))
    return await _with_stops(tx, rows)


async def load_trips_for_update(
    tx: Tx, trip_ids: Iterable[UUID], cities: Iterable[str] = ()
) -> dict[UUID, Trip]:
    """Lock these trips, and all that take or may take passengers to these destinations.

    Whoever gives or takes a seat of a trip holds its row. The rows are locked in the order of their
    ids, always before any booking, so that two writers wait for each other and never deadlock.
    """
    rows = await tx.fetch(_LOCK, list(trip_ids), list(cities))
    return await _with_stops(tx, rows)


_LOCK: Final = f"""{_TRIP}
WHERE trip_id = ANY ($1::uuid[]) OR (city = ANY ($2::text[]) AND state IN ('scheduled', 'open'))
ORDER BY trip_id FOR NO KEY UPDATE
"""


async def list_lapsed(tx: Tx, now: datetime) -> list[UUID]:
    """List the trips whose first departure has passed and that were never opened."""
    rows = await tx.fetch(_LAPSED, now)
    return [r["trip_id"] for r in rows]


_LAPSED: Final = """
SELECT t.trip_id FROM trip t JOIN trip_stop s ON s.trip_id = t.trip_id AND s.ordinal = 0
WHERE t.state = 'scheduled' AND s.departs_at <= $1
"""


async def list_unasked(tx: Tx, departing_before: datetime) -> list[UUID]:
    """List the scheduled trips that leave soon, for which somebody waits, nobody asked about."""
    rows = await tx.fetch(_UNASKED, departing_before)
    return [r["trip_id"] for r in rows]


_UNASKED: Final = """
SELECT t.trip_id FROM trip t JOIN trip_stop s ON s.trip_id = t.trip_id AND s.ordinal = 0
WHERE t.state = 'scheduled' AND t.asked_at IS NULL AND s.departs_at <= $1
  AND (EXISTS (SELECT FROM booking b WHERE b.trip_id = t.trip_id AND b.state = 'booked')
    OR EXISTS (SELECT FROM booking b JOIN placement p USING (placement_id)
        WHERE b.state = 'waitlisted' AND b.waiting_for = 'below_minimum' AND p.city = t.city))
"""


async def update_asked(tx: Tx, trip_ids: Sequence[UUID]) -> None:
    """Note that a coordinator has been asked about locked trips."""
    sql = "UPDATE trip SET asked_at = $2 WHERE trip_id = ANY ($1::uuid[])"
    await tx.execute(sql, trip_ids, tx.now)


async def list_trips_with_no_shows(tx: Tx, left_before: datetime) -> list[UUID]:
    """List the trips with somebody booked, not aboard, from a stop that is synced and left."""
    rows = await tx.fetch(_NO_SHOWS, left_before)
    return [r["trip_id"] for r in rows]


_NO_SHOWS: Final = """
SELECT DISTINCT t.trip_id
FROM trip t JOIN trip_stop s USING (trip_id)
JOIN booking b ON b.trip_id = t.trip_id AND b.board_ordinal = s.ordinal AND b.state = 'booked'
WHERE t.state = 'arrived' OR (t.state = 'departed' AND s.synced_at IS NOT NULL
    AND greatest(s.departs_at, CASE s.ordinal WHEN 0 THEN t.departed_at END) <= $1)
"""


async def _with_stops(tx: Tx, rows: "Sequence[Record]") -> dict[UUID, Trip]:
    stops: dict[UUID, list[Stop]] = defaultdict(list)
    for row in await tx.fetch(_STOPS, [r["trip_id"] for r in rows]) if rows else ():
        stops[row["trip_id"]].append(Stop(*(row[c] for c in _STOP)))
    return {r["trip_id"]: _trip(r, stops[r["trip_id"]]) for r in rows}


def _vehicle(trip: Trip) -> tuple[str, str, int]:
    return trip.vehicle.plate, trip.vehicle.kind, trip.vehicle.licensed_capacity


def _trip(row: "Record", stops: Iterable[Stop]) -> Trip:
    return Trip(
        row["trip_id"],
        row["destination_division_code"],
        row["city"],
        Carrier(row["plate"], row["vehicle_kind"], row["licensed_capacity"]),
        row["operator"],
        row["contract_number"],
        tuple(row["crew"]),
        row["escort"],
        row["minimum_load"],
        tuple(stops),
        TripState(row["state"]),
        row["delay_minutes"],
        row["reason"],
        row["departed_at"],
        row["arrived_at"],
        row["manifest_version"],
    )
