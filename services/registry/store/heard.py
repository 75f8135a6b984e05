"""What the registry has heard from the others: set-based, each statement serves a whole wave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from shared.transaction import Tx


async def upsert_drives(tx: Tx, drives: Sequence[tuple[UUID, str, str]]) -> None:
    """Remember drives: (id, title, state)."""
    await tx.execute(_DRIVES, *_columns(drives, 3))


_DRIVES: Final = """
INSERT INTO heard_drive (drive_id, title, state)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (id, t, s) ORDER BY id
ON CONFLICT (drive_id) DO UPDATE SET title = excluded.title, state = excluded.state
"""


@dataclass(frozen=True, slots=True)
class Placement:
    """A placement as it was last told."""

    placement_id: UUID
    worker_id: UUID
    nomination_id: UUID | None
    office_id: UUID | None
    enterprise_id: UUID | None
    drive_id: UUID | None
    state: str
    ended_on: date | None = None
    origin_division_code: str | None = None
    site_division_code: str | None = None
    started_on: date | None = None


async def upsert_placements(tx: Tx, placements: Sequence[Placement]) -> None:
    """Remember placements; what is None was not told again and stays."""
    await tx.execute(_PLACEMENTS, *_columns([_fields(p) for p in placements], 11))


_PLACEMENTS: Final = """
INSERT INTO heard_placement (placement_id, worker_id, nomination_id, office_id, enterprise_id,
    drive_id, state, ended_on, origin_division_code, site_division_code, started_on)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[],
    $7::text[], $8::date[], $9::text[], $10::text[], $11::date[])
    AS u (id, w, n, o, e, d, s, ended, origin, site, started) ORDER BY id
ON CONFLICT (placement_id) DO UPDATE SET enterprise_id = excluded.enterprise_id,
    drive_id = COALESCE(excluded.drive_id, heard_placement.drive_id), state = excluded.state,
    ended_on = excluded.ended_on,
    origin_division_code =
        COALESCE(excluded.origin_division_code, heard_placement.origin_division_code),
    site_division_code = COALESCE(excluded.site_division_code, heard_placement.site_division_code),
    started_on = COALESCE(excluded.started_on, heard_placement.started_on)
"""


async def update_placement_places(tx: Tx, changes: Sequence[tuple[UUID, UUID, str]]) -> None:
    """A changed placement may be elsewhere: (placement, enterprise, the site's division)."""
    await tx.execute(
        "UPDATE heard_placement p SET enterprise_id = u.e, site_division_code = u.s"
        " FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS u (id, e, s)"
        " WHERE p.placement_id = u.id",
        *_columns(changes, 3),
    )


async def upsert_trips(tx: Tx, trips: Sequence[tuple[UUID, str]]) -> None:
    """Remember trips: (id, state)."""
    await tx.execute(_TRIPS, *_columns(trips, 2))


_TRIPS: Final = """
INSERT INTO heard_trip (trip_id, state)
SELECT * FROM unnest($1::uuid[], $2::text[]) AS u (id, s) ORDER BY id
ON CONFLICT (trip_id) DO UPDATE SET state = excluded.state
"""


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking as it was last told; without a trip it keeps none. State None: as it was."""

    booking_id: UUID
    worker_id: UUID
    office_id: UUID | None
    enterprise_id: UUID | None
    trip_id: UUID | None
    state: str | None


async def upsert_bookings(tx: Tx, bookings: Sequence[Booking]) -> None:
    """Remember bookings."""
    await tx.execute(_BOOKINGS, *_columns([_fields(b) for b in bookings], 6))


_BOOKINGS: Final = """
INSERT INTO heard_booking AS b (booking_id, worker_id, office_id, enterprise_id, trip_id, state)
SELECT id, w, o, e, t, COALESCE(s, 'booked')
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[])
    AS u (id, w, o, e, t, s) ORDER BY id
ON CONFLICT (booking_id) DO UPDATE SET trip_id = excluded.trip_id,
    state = COALESCE((SELECT s FROM unnest($1::uuid[], $6::text[]) AS v (id, s)
        WHERE v.id = excluded.booking_id), b.state),
    office_id = COALESCE(excluded.office_id, b.office_id),
    enterprise_id = COALESCE(excluded.enterprise_id, b.enterprise_id)
"""


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay as it was last told."""

    stay_id: UUID
    worker_id: UUID
    office_id: UUID | None
    enterprise_id: UUID | None
    inn_id: UUID | None
    check_in_on: date | None
    check_out_on: date | None
    state: str | None


async def upsert_stays(tx: Tx, stays: Sequence[Stay]) -> None:
    """Remember stays. State None: a change that leaves the state as it was."""
    await tx.execute(_STAYS, *_columns([_fields(s) for s in stays], 8))


_STAYS: Final = """
INSERT INTO heard_stay AS h (stay_id, worker_id, office_id, enterprise_id, inn_id, check_in_on,
    check_out_on, state)
SELECT id, w, o, e, i, c, d, COALESCE(s, 'requested')
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::date[], $7::date[],
    $8::text[]) AS u (id, w, o, e, i, c, d, s) ORDER BY id
ON CONFLICT (stay_id) DO UPDATE SET
    office_id = COALESCE(excluded.office_id, h.office_id),
    enterprise_id = COALESCE(excluded.enterprise_id, h.enterprise_id),
    inn_id = COALESCE(excluded.inn_id, h.inn_id),
    check_in_on = COALESCE(excluded.check_in_on, h.check_in_on),
    check_out_on = COALESCE(excluded.check_out_on, h.check_out_on),
    state = COALESCE((SELECT s FROM unnest($1::uuid[], $8::text[]) AS v (id, s)
        WHERE v.id = excluded.stay_id), h.state)
"""


@dataclass(frozen=True, slots=True)
class Retention:
    """The answer whether a person is still there after some months, and when it was due."""

    placement_id: UUID
    milestone_months: int
    worker_id: UUID
    result: str
    answered_on: date
    due_on: date


async def upsert_retention(tx: Tx, answers: Sequence[Retention]) -> None:
    """Remember the last answer to each question: a correction counts."""
    await tx.execute(_RETENTION, *_columns([_fields(a) for a in answers], 6))


_RETENTION: Final = """
INSERT INTO heard_retention (placement_id, milestone_months, worker_id, result, answered_on, due_on)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::date[], $6::date[])
    AS u (p, m, w, r, a, d) ORDER BY p, m
ON CONFLICT (placement_id, milestone_months) DO UPDATE SET result = excluded.result,
    answered_on = excluded.answered_on, due_on = excluded.due_on
"""


def _fields(told: Any) -> tuple[Any, ...]:  # noqa: ANN401 (one of the classes above)
    return tuple(getattr(told, name) for name in told.__dataclass_fields__)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[i] for row in rows] for i in range(width)]
