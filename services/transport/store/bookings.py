"""Bookings: who waits, who sits where; read and written in sets."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Final
from uuid import UUID

from services.transport.domain.booking import SEATED, Booking, BookingState
from services.transport.domain.demand import Demand
from services.transport.domain.origin import Origin
from services.transport.domain.trip import Seat
from services.transport.store.placements import SELECTED, demand_of
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

COLUMNS: Final = tuple(f.name for f in fields(Booking))
_VALUES: Final = attrgetter(*COLUMNS)
# The identity of a booking never changes; who owns it only with a new booking.
_CHANGING: Final = COLUMNS[COLUMNS.index("state") :]
_TYPES: Final = {
    "pooled_at": "timestamptz",
    "traceparent": "text",
    "state": "text",
    "waiting_for": "text",
    "board_ordinal": "integer",
    "alight_ordinal": "integer",
    "released_for": "text",
    "boarded_at": "timestamptz",
    "boarded_stop": "text",
    "missed_at": "timestamptz",
    "handed_over_at": "timestamptz",
    "outcome": "text",
}
_SELECT: Final = f"SELECT {', '.join('b.' + c for c in COLUMNS)} FROM booking b"
_SEATED: Final = ", ".join(f"'{s.value}'" for s in SEATED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting booking with the placement that it is for."""

    booking: Booking
    demand: Demand


async def insert_pooled(tx: Tx, placements: Mapping[UUID, Origin]) -> None:
    """Put placements that need a seat and have no booking yet into the pool.

    One whose need had ended with a change may need a seat again; one that was given up may not.
    """
    await _insert_pooled(tx, placements, ["released:changed"])


async def insert_pooled_again(tx: Tx, placements: Mapping[UUID, Origin]) -> None:
    """Put placements of another day or site into the pool, also when the first trip was missed."""
    await _insert_pooled(tx, placements, ["released:changed", "missed:"])


async def _insert_pooled(
    tx: Tx, placements: Mapping[UUID, Origin], but_after: Sequence[str]
) -> None:
    origins = list(placements.values())
    causes, traces = [o.cause_id for o in origins], [o.traceparent for o in origins]
    ids = [tx.ids.uuid7() for _ in origins]
    await tx.execute(_POOL, list(placements), ids, but_after, causes, traces)


_POOL: Final = """
INSERT INTO booking (booking_id, placement_id, worker_id, office_id, enterprise_id, nomination_id,
    journey_id, pooled_at, group_id, state, cause_id, traceparent)
SELECT u.booking_id, p.placement_id, p.worker_id, p.office_id, p.enterprise_id, p.nomination_id,
    p.journey_id, clock_timestamp(), p.group_id, 'pooled', u.cause_id, u.traceparent
FROM unnest($1::uuid[], $2::uuid[], $4::uuid[], $5::text[])
    AS u (placement_id, booking_id, cause_id, traceparent)
JOIN placement p USING (placement_id)
WHERE p.needs_seat AND p.state = 'confirmed'
  AND NOT EXISTS (SELECT FROM booking b WHERE b.placement_id = p.placement_id
    AND b.state || ':' || COALESCE(b.released_for, '') <> ALL ($3::text[]))
ORDER BY u.booking_id
ON CONFLICT (placement_id) WHERE state IN ('pooled', 'waitlisted', 'booked', 'boarded') DO NOTHING
"""


async def insert_bookings(tx: Tx, bookings: Sequence[Booking]) -> None:
    """Insert new bookings."""
    types = {c: _TYPES.get(c, "uuid") for c in COLUMNS}
    await tx.insert("booking", types, [_VALUES(b) for b in bookings])


async def update_bookings(tx: Tx, bookings: Sequence[Booking]) -> None:
    """Write what may change of locked bookings."""
    if bookings:
        columns = [[getattr(b, c) for b in bookings] for c in _CHANGING]
        await tx.execute(_UPDATE, [b.booking_id for b in bookings], *columns)


_ARRAYS: Final = ", ".join(
    f"${n}::{_TYPES.get(c, 'uuid')}[]" for n, c in enumerate(("booking_id", *_CHANGING), start=1)
)
_UPDATE: Final = f"""
UPDATE booking b SET {", ".join(f"{c} = u.{c}" for c in _CHANGING)}
FROM unnest({_ARRAYS}) AS u (booking_id, {", ".join(_CHANGING)}) WHERE b.booking_id = u.booking_id
"""


async def load_bookings(tx: Tx, booking_ids: Iterable[UUID]) -> dict[UUID, Booking]:
    """Load bookings, as far as the transaction's role sees them, without a lock."""
    rows = await tx.fetch(f"{_SELECT} WHERE b.booking_id = ANY ($1::uuid[])", list(booking_ids))
    return {r["booking_id"]: booking_of(r) for r in rows}


async def load_bookings_for_update(tx: Tx, booking_ids: Iterable[UUID]) -> dict[UUID, Booking]:
    """Lock bookings by id, in the order of their ids; their trips are locked before."""
    sql = f"{_SELECT} WHERE b.booking_id = ANY ($1::uuid[]) {_LOCKED}"
    return {r["booking_id"]: booking_of(r) for r in await tx.fetch(sql, list(booking_ids))}


async def load_bookings_of_trips(tx: Tx, trip_ids: Sequence[UUID]) -> list[Booking]:
    """Lock all who have or had a seat on these trips, which are locked before."""
    sql = f"{_SELECT} WHERE b.trip_id = ANY ($1::uuid[]) AND b.state IN ({_SEATED}) {_LOCKED}"
    return [booking_of(r) for r in await tx.fetch(sql, trip_ids)]


async def load_bookings_of_placements(tx: Tx, placement_ids: Sequence[UUID]) -> list[Booking]:
    """Lock the live bookings of placements."""
    sql = f"{_SELECT} WHERE b.placement_id = ANY ($1::uuid[]) AND {_LIVE} {_LOCKED}"
    return [booking_of(r) for r in await tx.fetch(sql, placement_ids)]


_LOCKED: Final = "ORDER BY b.booking_id FOR NO KEY UPDATE OF b"
_LIVE: Final = "b.state IN ('pooled', 'waitlisted', 'booked', 'boarded')"


async def find_places(tx: Tx, worker_ids: Sequence[UUID]) -> tuple[set[UUID], set[str]]:
    """Give the trips on which persons have a seat, and the destinations they are placed at."""
    rows = await tx.fetch(_PLACES, worker_ids)
    trips = {r["trip_id"] for r in rows if r["trip_id"]}
    return trips, {r["city"] for r in rows if r["city"]}


_PLACES: Final = f"""
SELECT b.trip_id, p.city FROM booking b JOIN placement p USING (placement_id)
WHERE b.worker_id = ANY ($1::uuid[]) AND {_LIVE}
"""


async def load_live_of_workers(tx: Tx, worker_ids: Sequence[UUID]) -> list[Waiting]:
    """Lock the live bookings of persons, each with its placement."""
    return [_waiting(r) for r in await tx.fetch(_LIVE_OF_WORKERS, worker_ids)]


_WITH_DEMAND: Final = (
    f"SELECT {', '.join(f'b.{c} AS booking_{c}' for c in COLUMNS)}, {SELECTED}"
    " FROM booking b JOIN placement p USING (placement_id)"
)
_LIVE_OF_WORKERS: Final = (
    f"{_WITH_DEMAND} WHERE b.worker_id = ANY ($1::uuid[]) AND {_LIVE} {_LOCKED}"
)


async def load_group(tx: Tx, group_id: UUID) -> list[Waiting]:
    """Lock the live bookings of a group, each with its placement."""
    sql = f"{_WITH_DEMAND} WHERE b.group_id = $1 AND {_LIVE} {_LOCKED}"
    return [_waiting(r) for r in await tx.fetch(sql, group_id)]


async def load_waiting(tx: Tx, cities: Sequence[str]) -> list[Waiting]:
    """Lock who waits for a seat to these destinations and could get news today.

    Left out is who was told that there is no trip, as long as none serves that prefecture.
    """
    return [_waiting(r) for r in await tx.fetch(_WAITING, cities)]


_WAITING: Final = f"""{_WITH_DEMAND}
WHERE b.state IN ('pooled', 'waitlisted') AND p.city = ANY ($1::text[]) AND p.state = 'confirmed'
  AND (b.waiting_for IS DISTINCT FROM 'no_trip'
    OR left(COALESCE(p.boarding_place_code, p.origin_division_code), 4) IN (
        SELECT left(s.division_code, 4) FROM trip t JOIN trip_stop s USING (trip_id)
        WHERE t.city = ANY ($1::text[]) AND t.state IN ('scheduled', 'open')))
{_LOCKED}
"""


async def count_seats(tx: Tx, trip_ids: Sequence[UUID]) -> dict[UUID, list[tuple[Seat, int]]]:
    """Count the manifest rows of trips by seat: how many ride from which stop to which."""
    found: dict[UUID, list[tuple[Seat, int]]] = defaultdict(list)
    for row in await tx.fetch(_SEATS, trip_ids):
        seat = Seat(row["board_ordinal"], row["alight_ordinal"])
        found[row["trip_id"]].append((seat, row["n"]))
    return found


_SEATS: Final = f"""
SELECT trip_id, board_ordinal, alight_ordinal, count(*) AS n FROM booking
WHERE trip_id = ANY ($1::uuid[]) AND state IN ({_SEATED})
GROUP BY trip_id, board_ordinal, alight_ordinal
"""


async def count_states(tx: Tx, trip_ids: Sequence[UUID]) -> dict[UUID, dict[BookingState, int]]:
    """Count the passengers of trips by state."""
    found: dict[UUID, dict[BookingState, int]] = defaultdict(dict)
    rows = await tx.fetch(
        f"SELECT trip_id, state, count(*) AS n FROM booking WHERE trip_id = ANY ($1::uuid[])"
        f" AND state IN ({_SEATED}) GROUP BY trip_id, state",
        trip_ids,
    )
    for row in rows:
        found[row["trip_id"]][BookingState(row["state"])] = row["n"]
    return found


async def load_unboarded(tx: Tx, trip_id: UUID, ordinals: Sequence[int]) -> list[Booking]:
    """Lock those of a locked trip who are booked from these stops and not aboard."""
    sql = (
        f"{_SELECT} WHERE b.trip_id = $1 AND b.state = 'booked'"
        f" AND b.board_ordinal = ANY ($2::integer[]) {_LOCKED}"
    )
    return [booking_of(r) for r in await tx.fetch(sql, trip_id, ordinals)]


def booking_of(row: "Record", prefix: str = "") -> Booking:
    """Give the booking of a row."""
    values = [row[prefix + c] for c in COLUMNS]
    values[COLUMNS.index("state")] = BookingState(row[f"{prefix}state"])
    return Booking(*values)


def _waiting(row: "Record") -> Waiting:
    return Waiting(booking_of(row, "booking_"), demand_of(row))
