"""Many claims at once: never a seat sold twice, because of a lock that the control switches off."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

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
    said,
    states,
)
from tests.support.events import heard
from tests.support.postgres import ServiceDb, Templates

# As many claims are in the database at a time as it has connections; the others queue before it.
CONNECTIONS = 10
CLIENTS = 64
STARTS, ENDS = ("530901", "530902", "530903"), ("310104", "310114", "310115")


@dataclass
class Many:
    """A database with a connection for each of 64 clients."""

    db: Database
    url: str


@pytest_asyncio.fixture
async def many(templates: Templates) -> AsyncIterator[Many]:
    name, url = await templates.fresh("transport")
    db = await Database.open(url, service="transport", size=CLIENTS)
    yield Many(db, url)
    db.pool.terminate()
    await templates.run(f"DROP DATABASE {name} WITH (FORCE)")


async def waiting(db: Database, count: int, **overrides: object) -> list[UUID]:
    """Hear placements, and let nobody book them but the claims of the test."""
    placements = [a_placement(**overrides) for _ in range(count)]
    await heard(db, HANDLERS, placements)
    return [p.placement_id for p in placements]


async def claim(
    db: Database, placement_ids: Iterable[UUID], trip_id: UUID, clients: int = CONNECTIONS
) -> list[str]:
    """Book all at once; give `booked` or the code of each refusal."""
    free = asyncio.Semaphore(clients)

    async def one_claim(placement_id: UUID) -> str:
        try:
            async with free, db.transaction(role="worker") as tx:
                demands = await load_demands(tx, [placement_id])
                await book(tx, demands[placement_id], trip_id)
        except Problem as refused:
            return refused.code
        return "booked"

    return list(await asyncio.gather(*(one_claim(p) for p in placement_ids)))


async def unlocked(tx: Tx, trip_ids: Iterable[UUID], cities: Iterable[str] = ()) -> object:
    return await trip_store.load_trips(tx, trip_ids)


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
    monkeypatch.setattr(desk.trip_store, "load_trips_for_update", unlocked)
    answers = await claim(db, placements, trip_id)
    assert answers.count("booked") > 50


@dataclass
class Observer:
    """Looks at a trip all the time, each look in a snapshot of its own."""

    conn: "asyncpg.Connection"
    trip_id: UUID
    fullest: list[int] = field(default_factory=list)

    async def look(self) -> None:
        async with self.conn.transaction(isolation="repeatable_read", readonly=True):
            self.fullest.append(await self.conn.fetchval(_FULLEST, self.trip_id))

    async def watch(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.look()
        await self.look()


_FULLEST = """
SELECT COALESCE(max(n), 0) FROM (
    SELECT count(*) AS n FROM booking b, generate_series(0, 4) AS segment
    WHERE b.trip_id = $1 AND b.state = 'booked'
      AND b.board_ordinal <= segment AND segment < b.alight_ordinal
    GROUP BY segment) counted
"""


@dataclass
class Rush:
    """What 64 clients were told, and how full the fullest segment was at each look."""

    answers: Counter[str]
    fullest: list[int]


async def rush(many: Many, seats: int, attempts: int) -> Rush:
    """Let 64 clients claim seats between random stops of one trip, under an observer's eyes."""
    db = many.db
    # People come and go in turn, so that one seat is sold several times on the way.
    starts, ends = [f"{s}-00" for s in STARTS], [f"{e}-00" for e in ENDS]
    places = [place for pair in zip(starts, ends, strict=True) for place in pair]
    stops = tuple(
        Stop.planned((p, p[:6]), at(8 + n) if n else None, at(8.5 + n))
        for n, p in enumerate(places)
    )
    trip = a_trip(capacity=seats, minimum_load=seats, stops=stops)
    trip_id = await scheduled(db, trip)
    dice = random.Random(7)
    placements = []
    for _ in range(attempts):
        place = dice.choice(starts)
        site = a_placement().site.model_copy(update={"division_code": dice.choice(ENDS)})
        placements.append(a_placement(boarding_place_code=place, site=site))
    await heard(db, HANDLERS, placements)
    conn = await asyncpg.connect(many.url)
    await conn.execute("SET ROLE transport_worker")
    observer, over = Observer(conn, trip_id), asyncio.Event()
    watching = asyncio.create_task(observer.watch(over))
    answers = await claim(db, [p.placement_id for p in placements], trip_id, CLIENTS)
    over.set()
    await watching
    await conn.close()
    return Rush(Counter(answers), observer.fullest)


@pytest.mark.parametrize(
    ("seats", "attempts"), [(60, 320), pytest.param(900, 4_000, marks=pytest.mark.slow)]
)
async def test_sixty_four_clients_never_fill_a_segment_beyond_its_capacity_at_any_snapshot(
    many: Many, seats: int, attempts: int
) -> None:
    """INVARIANT: at every snapshot of the database, booked <= seats on each segment."""
    seen = await rush(many, seats, attempts)
    assert seen.answers.keys() == {"booked", "full"}
    assert seen.answers.total() == attempts
    assert seen.answers["booked"] > seats, "people who share no segment share a seat"
    assert len(seen.fullest) > CLIENTS, "the observer looked while they claimed"
    assert len(set(seen.fullest)) > 1
    assert max(seen.fullest) == seats
    sys.stdout.write(
        f"{attempts} attempts over {seats} seats from {CLIENTS} clients: {dict(seen.answers)},"
        f" {len(seen.fullest)} snapshots, fullest segment {max(seen.fullest)}\n"
    )


async def test_sixty_four_clients_without_the_trips_lock_fill_segments_beyond_their_capacity(
    many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NEGATIVE CONTROL: the observer sees it when the trip's row isn't locked."""
    monkeypatch.setattr(desk.trip_store, "load_trips_for_update", unlocked)
    seen = await rush(many, 60, 320)
    assert max(seen.fullest) > 60


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
