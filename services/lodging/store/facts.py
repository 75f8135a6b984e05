"""What was heard about persons, merged so that the order of hearing doesn't matter."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final
from uuid import UUID

from services.lodging.domain.journey import Booking, Hire, Person, Placement
from services.lodging.domain.stay import Stay
from services.lodging.store.rows import inserting, turned
from services.lodging.store.stays import load_stays_of_workers
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


@dataclass(frozen=True, slots=True)
class Note:
    """A person whose stays are to be looked at, and the event that said something."""

    worker_id: UUID
    cause_id: UUID | None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """The event (or command) because of which something is done, and the trace it came in."""

    cause_id: UUID | None
    traceparent: str | None = None


_NOTE: Final = {"worker_id": "uuid", "cause_id": "uuid", "traceparent": "text"}


async def insert_unsettled(tx: Tx, notes: Sequence[Note]) -> None:
    """Note persons about whom something was heard."""
    await tx.insert("unsettled", _NOTE, ((n.worker_id, n.cause_id, n.traceparent) for n in notes))


_TAKE: Final = """
DELETE FROM unsettled WHERE unsettled_id IN (
    SELECT unsettled_id FROM unsettled ORDER BY unsettled_id LIMIT $1)
RETURNING unsettled_id, worker_id, cause_id, traceparent
"""


async def take_unsettled(tx: Tx, limit: int) -> dict[UUID, Cause]:
    """Take the oldest notes: each person with the last event heard, in the order of hearing."""
    rows = sorted(await tx.fetch(_TAKE, limit), key=lambda r: r["unsettled_id"])
    return {r["worker_id"]: Cause(r["cause_id"], r["traceparent"]) for r in rows}


_PLACEMENT: Final = {
    "placement_id": "uuid", "nomination_id": "uuid", "worker_id": "uuid", "gender": "text",
    "office_id": "uuid", "enterprise_id": "uuid", "town": "text", "division_code": "text",
    "starts_on": "date", "hired_on": "date", "needs_seat": "boolean", "needs_bed": "boolean",
    "programme": "text", "nights": "integer", "group_id": "uuid", "group_size": "integer",
    "priority": "integer",
}  # fmt: skip
_BOOKING: Final = {
    "booking_id": "uuid", "worker_id": "uuid", "placement_id": "uuid", "state": "text",
    "arrives_at": "timestamptz", "reason": "text", "rebooked_as": "uuid",
}  # fmt: skip
_HIRE: Final = {
    "hire_id": "uuid", "worker_id": "uuid", "enterprise_id": "uuid", "hired_on": "date",
    "gender": "text", "town": "text", "division_code": "text",
}  # fmt: skip


def _upsert(table: str, columns: dict[str, str], changing: str) -> str:
    key = next(iter(columns))
    return f"{inserting(table, columns)} ON CONFLICT ({key}) DO UPDATE SET {changing}"


def _newest(columns: dict[str, str]) -> str:
    return ", ".join(f"{c} = excluded.{c}" for c in list(columns)[1:])


_PLACEMENTS: Final = (
    f"SELECT {', '.join(_PLACEMENT)}, NOT EXISTS ("
    " SELECT FROM placement_end e WHERE e.placement_id = p.placement_id) AS live"
    " FROM placement p WHERE worker_id = ANY ($1) ORDER BY placement_id"
)
_BOOKINGS: Final = (
    f"SELECT {', '.join(_BOOKING)} FROM booking WHERE worker_id = ANY ($1) ORDER BY booking_id"
)
_HIRES: Final = f"SELECT {', '.join(_HIRE)} FROM hire WHERE worker_id = ANY ($1) ORDER BY hire_id"
_ERASED: Final = "SELECT worker_id FROM erased_worker WHERE worker_id = ANY ($1)"


async def load_persons(tx: Tx, worker_ids: Sequence[UUID]) -> dict[UUID, Person]:
    """Load everything known of persons, in the order given."""
    wanted = list(dict.fromkeys(worker_ids))
    if not wanted:
        return {}
    erased = {r["worker_id"] for r in await tx.fetch(_ERASED, wanted)}
    placements: dict[UUID, list[Placement]] = defaultdict(list)
    for row in await tx.fetch(_PLACEMENTS, wanted):
        placements[row["worker_id"]].append(_placement(row))
    bookings: dict[UUID, list[Booking]] = defaultdict(list)
    for row in await tx.fetch(_BOOKINGS, wanted):
        bookings[row["worker_id"]].append(_booking(row))
    hires: dict[UUID, list[Hire]] = defaultdict(list)
    for row in await tx.fetch(_HIRES, wanted):
        hires[row["worker_id"]].append(Hire(*row))
    stays: dict[UUID, list[Stay]] = defaultdict(list)
    for stay in await load_stays_of_workers(tx, wanted):
        stays[stay.worker_id].append(stay)
    return {
        w: Person(w, w in erased, placements[w], bookings[w], hires[w], stays[w]) for w in wanted
    }


def _placement(row: "Record") -> Placement:
    return Placement(**dict(row))


def _booking(row: "Record") -> Booking:
    return Booking(**{f.name: row[f.name] for f in fields(Booking)})


_PUT_PLACEMENTS: Final = _upsert("placement", _PLACEMENT, _newest(_PLACEMENT))


async def put_placements(tx: Tx, placements: Sequence[Placement]) -> None:
    """Keep the newest whole state of placements; one that is over stays over."""
    columns = ([getattr(p, c) for p in placements] for c in _PLACEMENT)
    await tx.execute(_PUT_PLACEMENTS, *columns)


async def insert_placement_ends(tx: Tx, placement_ids: Sequence[UUID]) -> None:
    """Note that placements were cancelled or have ended, whether they were heard of or not."""
    await tx.execute(
        "INSERT INTO placement_end SELECT DISTINCT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
        placement_ids,
    )


# A booking only goes on in this order: a delay told after the boarding doesn't undo it.
_LATER: Final = (
    "array_position(ARRAY['pooled', 'booked', 'missed', 'boarded', 'handed_over', 'released'], {})"
)
_PUT_BOOKINGS: Final = _upsert(
    "booking",
    _BOOKING,
    f"state = CASE WHEN {_LATER.format('excluded.state')} > {_LATER.format('booking.state')}"
    " THEN excluded.state ELSE booking.state END, "
    + ", ".join(
        f"{c} = COALESCE(excluded.{c}, booking.{c})"
        for c in ("placement_id", "arrives_at", "reason", "rebooked_as")
    ),
)


async def put_bookings(tx: Tx, bookings: Sequence[tuple[UUID, Booking]]) -> None:
    """Keep the furthest state of bookings, each with its person."""
    rows = [
        (b.booking_id, w, b.placement_id, b.state, b.arrives_at, b.reason, b.rebooked_as)
        for w, b in bookings
    ]
    await tx.execute(_PUT_BOOKINGS, *turned(_BOOKING, rows))


_PUT_HIRES: Final = _upsert("hire", _HIRE, _newest(_HIRE))


async def put_hires(tx: Tx, hires: Sequence[Hire]) -> None:
    """Keep hires; one said again is corrected."""
    await tx.execute(_PUT_HIRES, *([getattr(h, c) for h in hires] for c in _HIRE))


async def insert_erased(tx: Tx, worker_ids: Sequence[UUID]) -> None:
    """Keep the tombstones of erased persons."""
    await tx.execute(
        "INSERT INTO erased_worker SELECT DISTINCT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
        worker_ids,
    )


async def delete_facts(tx: Tx, worker_ids: Sequence[UUID]) -> None:
    """Drop all that was heard about persons; their stays keep an id that means nobody."""
    for table in ("placement", "booking", "hire"):
        await tx.execute(f"DELETE FROM {table} WHERE worker_id = ANY ($1)", worker_ids)
