"""Many claims at once: never a seat sold twice, because of a lock that the control switches off."""

import asyncio
import random
from collections.abc import Iterable
from uuid import UUID

import pytest

from services.transport.domain.trip import Stop, Trip
from services.transport.handlers import desk
from services.transport.handlers.bookings import book
from services.transport.handlers.seats import run_seats
from services.transport.handlers.trips import schedule_trip
from services.transport.store import trips as trip_store
from services.transport.store.placements import load_demands
from shared.database import Database
from shared.problem import Problem
from shared.transaction import Tx
from tests.integration.transport.world import (
    HANDLERS,
    a_placement,
    a_trip,
    at,
    one,
    said,
    states,
)
from tests.support.events import heard
from tests.support.postgres import ServiceDb

# As many claims are in the database at a time as it has connections; the others queue before it.
CONNECTIONS = 10


async def waiting(db: Database, count: int, **overrides: object) -> list[UUID]:
    """Hear placements, and let nobody book them but the claims of the test."""
    placements = [a_placement(**overrides) for _ in range(count)]
    await heard(db, HANDLERS, placements)
    return [p.placement_id for p in placements]


async def claim(db: Database, placement_ids: Iterable[UUID], trip_id: UUID) -> list[str]:
    """Book all at once; give `booked` or the code of each refusal."""
    free = asyncio.Semaphore(CONNECTIONS)

    async def one_claim(placement_id: UUID) -> str:
        try:
            async with free, db.transaction(role="worker") as tx:
                demands = await load_demands(tx, [placement_id])
                await book(tx, demands[placement_id], trip_id)
        except Problem as refused:
            return refused.code
        return "booked"

    return list(await asyncio.gather(*(one_claim(p) for p in placement_ids)))


async def scheduled(db: Database, trip: Trip) -> UUID:
    async with db.transaction(role="worker") as tx:
        await schedule_trip(tx, trip)
    return trip.trip_id


async def test_two_hundred_claims_on_fifty_seats_book_exactly_fifty_twenty_times(
    service_db: ServiceDb,
) -> None:
    db = await service_db("transport")
    for run in range(1, 21):
        trip_id = await scheduled(db, a_trip(capacity=50, minimum_load=50))
        answers = await claim(db, await waiting(db, 200), trip_id)
        assert answers.count("booked") == 50
        assert answers.count("full") == 150
        assert (await states(db, trip_id)) == {"booked": 50}
        assert len([k for k, _ in await said(db) if k == "seat-booked"]) == 50 * run


async def test_without_the_trips_lock_seats_are_sold_twice(
    service_db: ServiceDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NEGATIVE CONTROL: the same claims when the trip's row isn't locked."""
    db = await service_db("transport")
    trip_id = await scheduled(db, a_trip(capacity=50, minimum_load=50))
    placements = await waiting(db, 200)

    async def unlocked(tx: Tx, trip_ids: Iterable[UUID], cities: Iterable[str] = ()) -> object:
        return await trip_store.load_trips(tx, trip_ids)

    monkeypatch.setattr(desk.trip_store, "load_trips_for_update", unlocked)
    answers = await claim(db, placements, trip_id)
    assert answers.count("booked") > 50


@pytest.mark.parametrize(
    ("seats", "attempts"), [(9, 160), pytest.param(180, 4_000, marks=pytest.mark.slow)]
)
async def test_claims_on_segments_never_fill_one_beyond_its_capacity(
    service_db: ServiceDb, seats: int, attempts: int
) -> None:
    """INVARIANT: at every snapshot of the database, booked <= seats on each segment."""
    db = await service_db("transport")
    places = [*(f"5309{n:02}-00" for n in range(1, 5)), "310104-00", "310114-00"]
    stops = tuple(
        Stop.planned((p, p[:6]), at(8 + n) if n else None, at(8.5 + n))
        for n, p in enumerate(places)
    )
    trip = a_trip(capacity=seats, minimum_load=seats, stops=stops)
    trip_id = await scheduled(db, trip)
    dice = random.Random(7)
    placements = []
    for _ in range(attempts):
        place = dice.choice(places[:4])
        site = a_placement().site.model_copy(update={"division_code": dice.choice(places[4:])[:6]})
        placements.append(a_placement(boarding_place_code=place, site=site))
    await heard(db, HANDLERS, placements)
    wishes = [p.placement_id for p in placements]
    done = asyncio.Event()
    worst: list[int] = []

    async def watch() -> None:
        while not done.is_set():
            worst.append(await one(db, _FULLEST, trip_id))

    watcher = asyncio.create_task(watch())
    answers = await claim(db, wishes, trip_id)
    done.set()
    await watcher
    assert set(answers) == {"booked", "full"}
    assert len(worst) > 1
    assert max(worst) == seats


_FULLEST = """
SELECT COALESCE(max(n), 0) FROM (
    SELECT count(*) AS n FROM booking b, generate_series(0, 4) AS segment
    WHERE b.trip_id = $1 AND b.state = 'booked'
      AND b.board_ordinal <= segment AND segment < b.alight_ordinal
    GROUP BY segment) counted
"""


async def test_claims_and_the_pools_own_writer_together_sell_each_seat_once(
    service_db: ServiceDb,
) -> None:
    db = await service_db("transport")
    trip_id = await scheduled(db, a_trip(capacity=50, minimum_load=1))
    placements = await waiting(db, 100)

    async def write() -> None:
        for _ in range(5):
            async with db.transaction(role="worker") as tx:
                await run_seats(tx)

    answers, _ = await asyncio.gather(claim(db, placements, trip_id), write())
    assert await states(db, trip_id) == {"booked": 50}
    assert set(answers) <= {"booked", "full", "already_booked"}
