"""Trips, placements and what transport said, for its tests."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from contracts.fields import Site
from contracts.recruitment import PlacementCancelled, PlacementChanged, PlacementConfirmed
from services.transport.api import router
from services.transport.consumers import HANDLERS
from services.transport.domain.trip import Carrier, Stop, Trip
from services.transport.handlers.boarding import no_shows
from services.transport.handlers.seats import run_seats
from services.transport.settings import TransportSettings
from shared.clock import civil_date
from shared.database import Database
from shared.ids import Ids
from shared.service import Service
from stack.databases import at_database
from tests.support.events import heard

IDS = Ids()
OFFICE, OTHER_OFFICE = IDS.uuid7(), IDS.uuid7()
ENTERPRISE, OTHER_ENTERPRISE = IDS.uuid7(), IDS.uuid7()
DRIVE, VACANCY = IDS.uuid7(), IDS.uuid7()
LINXIANG, FENGQING, LUXI = "530902", "530921", "532527"
JIADING, CHONGMING = "310114", "310151"
#: A civil day some days ahead, for trips that are still to come.
SOON = civil_date(datetime.now(UTC)) + timedelta(days=10)


def at(hours: float, day: date = SOON) -> datetime:
    """Give the instant so many hours after midnight (Shanghai) of a day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    return midnight + timedelta(hours=hours)


def a_trip(**overrides: Any) -> Trip:
    """Give a train from Linxiang over Fengqing to Jiading: 08:00, 10:00, next day 20:00."""
    stops = (
        Stop.planned(("530902-00", LINXIANG), None, at(8)),
        Stop.planned(("530921-00", FENGQING), at(9.5), at(10)),
        Stop.planned(("310114-00", JIADING), at(44), None),
    )
    fields: dict[str, Any] = {
        "trip_id": IDS.uuid7(),
        "destination_division_code": JIADING,
        "city": "310000",
        "vehicle": Carrier("云S00001", "train", 50),
        "operator": "临沧客运",
        "contract_number": "LC-2024-01",
        "crew": ("D-1", "D-2"),
        "escort": "E-1",
        "minimum_load": 20,
        "stops": stops,
    }
    capacity = overrides.pop("capacity", None)
    if capacity is not None:
        overrides["vehicle"] = Carrier("云S00001", "train", capacity)
    return Trip(**{**fields, **overrides})


def a_placement(**overrides: Any) -> PlacementConfirmed:
    """Give the placement of a person from Linxiang in Jiading, who starts five days after SOON."""
    fields: dict[str, Any] = {
        "placement_id": IDS.uuid7(),
        "nomination_id": IDS.uuid7(),
        "worker_id": IDS.uuid4(),
        "gender": "female",
        "office_id": OFFICE,
        "enterprise_id": ENTERPRISE,
        "drive_id": DRIVE,
        "vacancy_id": VACANCY,
        "site": Site(name="长兴造船", division_code=JIADING, town="安亭镇"),
        "starts_on": SOON + timedelta(days=5),
        "hired_on": SOON - timedelta(days=9),
        "origin_division_code": LINXIANG,
        "boarding_place_code": "530902-00",
        "available_from": SOON - timedelta(days=1),
        "needs_seat": True,
        "needs_bed": False,
    }
    return PlacementConfirmed(**{**fields, **overrides})


def a_group(size: int, **overrides: Any) -> list[PlacementConfirmed]:
    """Give placements that are confirmed together."""
    group_id = IDS.uuid7()
    return [
        a_placement(group_id=group_id, group_placed_count=size, **overrides) for _ in range(size)
    ]


def changed(placement: PlacementConfirmed, **changes: Any) -> PlacementChanged:
    """Give the new whole of a placement."""
    fields = {**placement.model_dump(), **changes, "changed": tuple(changes)}
    return PlacementChanged(**fields)


def cancelled(placement: PlacementConfirmed) -> PlacementCancelled:
    """Give the cancellation of a placement."""
    return PlacementCancelled(
        placement_id=placement.placement_id,
        nomination_id=placement.nomination_id,
        worker_id=placement.worker_id,
        office_id=placement.office_id,
        enterprise_id=placement.enterprise_id,
        by="enterprise",
    )


async def settle(db: Database) -> None:
    """Run the seats' writer until nothing is due."""
    while True:
        async with db.transaction(role="worker") as tx:
            if not await run_seats(tx):
                return


async def said(db: Database, noun: str = "") -> list[tuple[str, dict[str, Any]]]:
    """List what was said since the start, oldest first: (`seat-booked`, its body)."""
    async with db.transaction(role="worker") as tx:
        rows = await tx.fetch("SELECT headers, body FROM outbox ORDER BY outbox_id")
    found = [(_type(r["headers"]), json.loads(r["body"])) for r in rows]
    return [(kind, body) for kind, body in found if kind.startswith(noun)]


async def kinds(db: Database, noun: str = "") -> list[str]:
    """List the kinds of what was said, oldest first."""
    return [kind for kind, _ in await said(db, noun)]


def _type(headers: Any) -> str:
    pairs = headers.items() if isinstance(headers, dict) else headers
    wire_type = next(str(v) for k, v in pairs if k == "ce_type")
    return wire_type.removeprefix("transport.").removesuffix(".v1")


async def states(db: Database, trip_id: UUID | None = None) -> dict[str, int]:
    """Count the bookings by state, of one trip or all."""
    async with db.transaction(role="worker") as tx:
        rows = await tx.fetch(
            "SELECT state, count(*) AS n FROM booking WHERE $1::uuid IS NULL OR trip_id = $1"
            " GROUP BY state",
            trip_id,
        )
    return {r["state"]: r["n"] for r in rows}


async def one(db: Database, sql: str, *args: Any) -> Any:
    """Fetch one value as the worker."""
    async with db.transaction(role="worker") as tx:
        return await tx.fetchval(sql, *args)


async def bookings_of(db: Database, placements: Sequence[PlacementConfirmed]) -> list[UUID]:
    """List the live booking ids of placements, in their order."""
    async with db.transaction(role="worker") as tx:
        rows = await tx.fetch(
            "SELECT placement_id, booking_id FROM booking WHERE state <> 'released'"
        )
    by_placement = {r["placement_id"]: r["booking_id"] for r in rows}
    return [by_placement[p.placement_id] for p in placements]


#: The service's routes; nothing of it runs by itself.
SERVICE = Service("transport", TransportSettings, router, HANDLERS)


def trip_body(trip: Trip | None = None, **overrides: Any) -> dict[str, Any]:
    """Give the body that schedules a trip."""
    trip = trip or a_trip()
    body = {
        "destination_division_code": trip.destination_division_code,
        "vehicle": {
            "plate": trip.vehicle.plate,
            "licensed_capacity": trip.vehicle.licensed_capacity,
            "kind": trip.vehicle.kind,
        },
        "operator": trip.operator,
        "contract_number": trip.contract_number,
        "crew": list(trip.crew),
        "escort": trip.escort,
        "minimum_load": trip.minimum_load,
        "stops": [
            {
                "place_code": s.place_code,
                "division_code": s.division_code,
                "arrives_at": s.arrives_at and s.arrives_at.isoformat(),
                "departs_at": s.departs_at and s.departs_at.isoformat(),
            }
            for s in trip.stops
        ],
    }
    return {**body, **overrides}


async def placed(db: Database, *placements: PlacementConfirmed) -> list[UUID]:
    """Hear placements, let the seats be given, and list their bookings."""
    await heard(db, HANDLERS, placements)
    await settle(db)
    return await bookings_of(db, placements)


@dataclass
class World:
    db: Database
    http: httpx2.AsyncClient
    superuser_url: str

    async def post(self, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        answer = await self.http.post(f"/v1/{path}", json=body, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def schedule(self, **overrides: Any) -> UUID:
        made = await self.post("trips", trip_body(**overrides), 201)
        await settle(self.db)
        return UUID(made["trip_id"])

    async def as_superuser(self, sql: str, *args: Any) -> None:
        name = await one(self.db, "SELECT current_database()")
        conn = await asyncpg.connect(at_database(self.superuser_url, name))
        try:
            await conn.execute(sql, *args)
        finally:
            await conn.close()

    async def let_pass(self, span: timedelta) -> None:
        """Move the business clock."""
        await self.as_superuser(
            "UPDATE business_clock SET offset_interval = offset_interval + $1", span
        )

    async def no_shows(self, grace: timedelta = timedelta(0)) -> int:
        async with self.db.transaction(role="worker") as tx:
            return await no_shows(grace)(tx)


def a_scan(booking_id: UUID, **overrides: Any) -> dict[str, Any]:
    fields = {
        "scan_id": str(IDS.uuid7()),
        "booking_id": str(booking_id),
        "scanned_at": at(7.9).isoformat(),
        "stop": "530902-00",
    }
    return fields | overrides
