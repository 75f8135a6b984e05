"""Inns with their rooms and beds, periods out of service, and the house that decisions look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg

from services.lodging.domain.calendar import Nights
from services.lodging.domain.house import Bed, House, Inn, Room
from services.lodging.store.stays import list_occupied
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class NewRoom:
    """A room to be, with the names of its beds."""

    name: str
    beds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewInn:
    """An inn to be; no programmes means every programme."""

    inn_id: UUID
    name: str
    town: str
    division_code: str
    programmes: tuple[str, ...]
    rooms: tuple[NewRoom, ...]


_ROOM: Final = {"room_id": "uuid", "inn_id": "uuid", "name": "text"}
_BED: Final = {"bed_id": "uuid", "inn_id": "uuid", "room_id": "uuid", "name": "text"}
_CLOSURE: Final = {
    "period_id": "uuid", "bed_id": "uuid", "inn_id": "uuid", "nights": "daterange",
    "reason": "text",
}  # fmt: skip


async def insert_inn(tx: Tx, inn: NewInn) -> bool:
    """Insert an inn with rooms and beds; tell whether its id was new."""
    tag = await tx.execute(
        "INSERT INTO inn (inn_id, name, town, division_code, programmes, opened_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (inn_id) DO NOTHING",
        inn.inn_id, inn.name, inn.town, inn.division_code, list(inn.programmes), tx.now,
    )  # fmt: skip
    if not tag.endswith(" 1"):
        return False
    rooms = [(tx.ids.uuid7(), inn.inn_id, r.name) for r in inn.rooms]
    await tx.insert("room", _ROOM, rooms)
    beds = [
        (tx.ids.uuid7(), inn.inn_id, row[0], name)
        for row, room in zip(rooms, inn.rooms, strict=True)
        for name in room.beds
    ]
    await tx.insert("bed", _BED, beds)
    return True


async def load_inns(tx: Tx) -> list[Inn]:
    """Load every inn with empty rooms, in the order of their names."""
    inns = {
        r["inn_id"]: Inn(
            r["inn_id"], r["name"], r["town"], r["division_code"], frozenset(r["programmes"])
        )
        for r in await tx.fetch("SELECT * FROM inn ORDER BY name, inn_id")
    }
    rooms = {}
    for r in await tx.fetch("SELECT room_id, inn_id, name FROM room ORDER BY inn_id, name"):
        room = rooms[r["room_id"]] = Room(r["room_id"], inns[r["inn_id"]], r["name"])
        room.inn.rooms.append(room)
    for r in await tx.fetch("SELECT bed_id, room_id, name FROM bed ORDER BY room_id, name"):
        rooms[r["room_id"]].beds.append(Bed(r["bed_id"], rooms[r["room_id"]], r["name"]))
    return list(inns.values())


async def load_house(tx: Tx, base: date) -> House:
    """Load all inns as they are taken from a date on."""
    house = House(base, await load_inns(tx))
    rows = await tx.fetch(
        "SELECT bed_id, lower(nights) AS first, upper(nights) AS last FROM out_of_service"
        " WHERE ended_at IS NULL AND nights && daterange($1, NULL)",
        base,
    )
    for row in rows:
        house.close(row["bed_id"], Nights(row["first"], row["last"]))
    house.fill(await list_occupied(tx, base))
    return house


@dataclass(frozen=True, slots=True)
class BedPlace:
    """Where a bed stands."""

    bed_id: UUID
    room_id: UUID
    inn_id: UUID
    town: str


async def load_bed_places(tx: Tx, bed_ids: Sequence[UUID]) -> list[BedPlace]:
    """Load where beds stand; unknown ids are left out."""
    rows = await tx.fetch(
        "SELECT bed_id, room_id, inn_id, town FROM bed JOIN inn USING (inn_id)"
        " WHERE bed_id = ANY ($1)",
        bed_ids,
    )
    return [BedPlace(*r) for r in rows]


@dataclass(frozen=True, slots=True)
class Closure:
    """Beds of one inn out of service on some nights."""

    inn_id: UUID
    bed_ids: tuple[UUID, ...]
    nights: Nights
    reason: str


async def insert_closures(tx: Tx, closure: Closure) -> list[UUID]:
    """Take beds out of service; give the ids of the periods."""
    nights = asyncpg.Range(closure.nights.check_in_on, closure.nights.check_out_on)
    rows = [
        (tx.ids.uuid7(), bed_id, closure.inn_id, nights, closure.reason)
        for bed_id in closure.bed_ids
    ]
    await tx.insert("out_of_service", _CLOSURE, rows)
    return [row[0] for row in rows]


async def end_closure(tx: Tx, inn_id: UUID, period_id: UUID) -> bool:
    """Put a bed back into service; tell whether the period was open."""
    tag = await tx.execute(
        "UPDATE out_of_service SET ended_at = $3"
        " WHERE period_id = $2 AND inn_id = $1 AND ended_at IS NULL",
        inn_id, period_id, tx.now,
    )  # fmt: skip
    return tag.endswith(" 1")


_IN_SERVICE: Final = """
SELECT count(*) FROM bed b WHERE b.inn_id = $1 AND NOT EXISTS (
    SELECT FROM out_of_service o
    WHERE o.bed_id = b.bed_id AND o.ended_at IS NULL AND o.nights @> $2::date)
"""


async def count_beds(tx: Tx, inn_id: UUID, on: date) -> int:
    """Count an inn's beds in service on a night."""
    return int(await tx.fetchval(_IN_SERVICE, inn_id, on))


async def find_town(tx: Tx, inn_id: UUID) -> str | None:
    """Find the town of an inn."""
    town: str | None = await tx.fetchval("SELECT town FROM inn WHERE inn_id = $1", inn_id)
    return town
