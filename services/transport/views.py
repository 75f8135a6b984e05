"""What callers see of transport; row security shows each tenant its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from services.transport.domain.booking import SEATED
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

_SEATED: Final = ", ".join(f"'{s.value}'" for s in SEATED)

# Counts are of the bookings that the caller sees.
_TRIP: Final = f"""
SELECT t.trip_id, t.state, t.destination_division_code,
    jsonb_build_object('plate', t.plate, 'kind', t.vehicle_kind,
        'licensed_capacity', t.licensed_capacity) AS vehicle,
    t.operator, t.contract_number, t.crew, t.escort, t.minimum_load, t.delay_minutes, t.reason,
    t.departed_at, t.arrived_at, t.asked_at, t.manifest_version,
    (SELECT jsonb_agg(jsonb_build_object('place_code', s.place_code,
        'division_code', s.division_code, 'arrives_at', s.arrives_at, 'departs_at', s.departs_at,
        'planned_arrives_at', s.planned_arrives_at, 'planned_departs_at', s.planned_departs_at,
        'synced_at', s.synced_at) ORDER BY s.ordinal)
     FROM trip_stop s WHERE s.trip_id = t.trip_id) AS stops,
    c.*
FROM trip t CROSS JOIN LATERAL (
    SELECT count(*) AS booked_count,
        count(*) FILTER (WHERE b.state IN ('boarded', 'handed_over')) AS boarded_count,
        count(*) FILTER (WHERE b.state = 'missed') AS missed_count,
        count(*) FILTER (WHERE b.state = 'handed_over') AS handed_over_count
    FROM booking b WHERE b.trip_id = t.trip_id AND b.state IN ({_SEATED})
) c
"""


async def find_trip(tx: Tx, trip_id: UUID) -> "Record | None":
    """Give a trip, or None."""
    return await tx.fetchrow(f"{_TRIP} WHERE t.trip_id = $1", trip_id)


@dataclass(frozen=True, slots=True)
class Page:
    """How many rows, and after which id."""

    limit: int
    after: UUID | None


async def list_trips(tx: Tx, state: str | None, page: Page) -> "list[Record]":
    """List trips by id, one more than the page holds."""
    return await tx.fetch(
        f"{_TRIP} WHERE ($1::text IS NULL OR t.state = $1) AND ($2::uuid IS NULL OR t.trip_id > $2)"
        " ORDER BY t.trip_id LIMIT $3",
        state,
        page.after,
        page.limit + 1,
    )


_BOOKING: Final = """
SELECT b.booking_id, b.state, b.placement_id, b.worker_id, b.office_id, b.enterprise_id,
    b.nomination_id, b.group_id, b.trip_id,
    COALESCE(b.released_for, b.waiting_for) AS reason, b.rebooked_as,
    s.place_code AS board_stop, e.place_code AS alight_stop, s.departs_at, e.arrives_at,
    e.division_code AS arrival_division_code, b.boarded_at, b.boarded_stop, b.missed_at,
    b.handed_over_at, b.outcome
FROM booking b
LEFT JOIN trip_stop s ON s.trip_id = b.trip_id AND s.ordinal = b.board_ordinal
LEFT JOIN trip_stop e ON e.trip_id = b.trip_id AND e.ordinal = b.alight_ordinal
"""


@dataclass(frozen=True, slots=True)
class BookingFilter:
    """Which bookings; None means any."""

    placement_id: UUID | None = None
    trip_id: UUID | None = None
    state: str | None = None
    worker_id: UUID | None = None


async def find_booking(tx: Tx, booking_id: UUID) -> "Record | None":
    """Give a booking, or None."""
    return await tx.fetchrow(f"{_BOOKING} WHERE b.booking_id = $1", booking_id)


async def list_bookings(tx: Tx, which: BookingFilter, page: Page) -> "list[Record]":
    """List bookings by id, one more than the page holds."""
    return await tx.fetch(
        f"{_BOOKING} WHERE ($1::uuid IS NULL OR b.placement_id = $1)"
        " AND ($2::uuid IS NULL OR b.trip_id = $2) AND ($3::text IS NULL OR b.state = $3)"
        " AND ($4::uuid IS NULL OR b.worker_id = $4) AND ($5::uuid IS NULL OR b.booking_id > $5)"
        " ORDER BY b.booking_id LIMIT $6",
        which.placement_id,
        which.trip_id,
        which.state,
        which.worker_id,
        page.after,
        page.limit + 1,
    )


async def list_passengers(tx: Tx, trip_id: UUID) -> "list[Record]":
    """List who has or had a seat on a trip, by boarding stop."""
    return await tx.fetch(
        f"{_BOOKING} WHERE b.trip_id = $1 AND b.state IN ({_SEATED})"
        " ORDER BY b.board_ordinal, b.group_id NULLS LAST, b.booking_id",
        trip_id,
    )


async def find_seated(tx: Tx, trip_id: UUID) -> list[UUID]:
    """List the bookings on a trip that the caller sees."""
    rows = await tx.fetch(
        f"SELECT booking_id FROM booking WHERE trip_id = $1 AND state IN ({_SEATED})", trip_id
    )
    return [r["booking_id"] for r in rows]


async def find_manifest(tx: Tx, trip_id: UUID, version: int) -> "Record | None":
    """Give a published manifest, frozen."""
    return await tx.fetchrow(
        "SELECT version, published_at, passengers, difference FROM manifest"
        " WHERE trip_id = $1 AND version = $2",
        trip_id,
        version,
    )


@dataclass(frozen=True, slots=True)
class PoolFilter:
    """Who waits for a seat to a destination, and could travel between two days, both included."""

    city: str
    departs_on: date
    arrives_on: date


async def list_pool(tx: Tx, where: PoolFilter) -> "list[Record]":
    """List the waiting bookings with where they board, groups together, by priority and time."""
    return await tx.fetch(_POOL, where.city, where.departs_on, where.arrives_on)


_POOL: Final = """
SELECT b.booking_id, b.group_id, p.available_from, p.starts_on,
    COALESCE(p.boarding_place_code, p.origin_division_code || '-00') AS place_code,
    left(COALESCE(p.boarding_place_code, p.origin_division_code), 6) AS division_code
FROM booking b JOIN placement p USING (placement_id)
WHERE b.state IN ('pooled', 'waitlisted') AND p.state = 'confirmed' AND p.city = $1
  AND p.available_from <= $3 AND p.starts_on > $2
ORDER BY p.priority DESC, b.pooled_at, b.booking_id
"""


async def list_vehicles(tx: Tx, page: Page) -> "list[Record]":
    """List vehicles by id, one more than the page holds."""
    return await tx.fetch(
        "SELECT * FROM vehicle WHERE $1::uuid IS NULL OR vehicle_id > $1"
        " ORDER BY vehicle_id LIMIT $2",
        page.after,
        page.limit + 1,
    )


async def find_vehicle(tx: Tx, vehicle_id: UUID) -> "Record | None":
    """Give a vehicle, or None."""
    return await tx.fetchrow("SELECT * FROM vehicle WHERE vehicle_id = $1", vehicle_id)


#: Name of an invariant -> a query whose every row is a violation (one text column).
INVARIANTS: Final[Mapping[str, str]] = {
    "no segment of a trip holds more than its seats": """
        SELECT DISTINCT t.trip_id::text FROM trip t JOIN trip_stop s USING (trip_id)
        WHERE t.licensed_capacity < (SELECT count(*) FROM booking b
            WHERE b.trip_id = t.trip_id AND b.state IN ('booked', 'boarded', 'handed_over')
            AND b.board_ordinal <= s.ordinal AND b.alight_ordinal > s.ordinal)""",
    "a placement has one seat": """
        SELECT placement_id::text FROM booking
        WHERE state IN ('pooled', 'waitlisted', 'booked', 'boarded')
        GROUP BY placement_id HAVING count(*) > 1""",
    "a seat is some known tenants'": """
        SELECT booking_id::text FROM booking b
        WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = b.office_id)
        OR NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = b.enterprise_id)""",
    "nobody boards a cancelled trip": """
        SELECT booking_id::text FROM booking b JOIN trip t USING (trip_id)
        WHERE t.state = 'cancelled' AND b.state IN ('booked', 'boarded')""",
}
