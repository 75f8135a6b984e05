"""Beds decided in batches beside one transaction per request, and beside first-fit, in one run.

`python -m bench.lodging.allocation [--requests 20000]` starts its own PostgreSQL and prints JSON.
"""

import argparse
import asyncio
import gc
import json
import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import uvloop

from bench.lodging.plain import decide_plainly
from services.lodging.domain.allocation import Unit
from services.lodging.domain.house import Bed as HouseBed
from services.lodging.domain.house import House, Inn, Room, Wish, room_nights
from services.lodging.handlers.guests import cancel
from services.lodging.handlers.requests import Guest, StayRequest, request_all
from services.lodging.handlers.settle import settle
from services.lodging.store import programmes
from services.lodging.store.houses import NewInn, NewRoom, insert_inn, load_house
from shared.database import Database
from shared.ids import Ids
from shared.service import GC_THRESHOLD
from stack.databases import at_database, login_url, provision
from stack.postgres import Postgres

TOWNS = (
    "嘉定镇街道", "新成路街道", "真新街道", "菊园新区", "南翔镇", "安亭镇",
    "马陆镇", "徐行镇", "华亭镇", "外冈镇", "江桥镇", "嘉定工业区",
)  # fmt: skip
HOTELS = 19
BEDS = 1_669
NIGHTS = 30
IDS = Ids()


@dataclass(frozen=True)
class Load:
    """A reproducible load: who asks, for which nights."""

    workers: list[UUID]
    genders: list[str]
    firsts: list[date]
    counts: list[int]


def a_load(count: int, since: date, seed: int = 1) -> Load:
    """Stays of 3 to 15 nights that begin within 30 nights; three men to two women."""
    rng = random.Random(seed)
    return Load(
        [uuid4() for _ in range(count)],
        ["male" if rng.random() < 0.6 else "female" for _ in range(count)],
        [since + timedelta(days=rng.randrange(NIGHTS)) for _ in range(count)],
        [rng.choice((3, 5, 5, 7, 10, 15)) for _ in range(count)],
    )


async def a_world(db: Database, load: Load, enterprise_id: UUID) -> None:
    """Open 19 hotels with 1,669 beds in rooms of 2 to 4, and make everybody a new hire."""
    rng = random.Random(2)
    left = BEDS
    async with db.transaction(role="worker") as tx:
        for n in range(HOTELS):
            share = left // (HOTELS - n)
            left -= share
            rooms: list[NewRoom] = []
            while share:
                size = min(share, rng.choice((2, 2, 3, 4)))
                rooms.append(NewRoom(f"{len(rooms) + 1:03}", tuple("ABCD"[:size])))
                share -= size
            town = TOWNS[n % len(TOWNS)]
            inn = NewInn(IDS.uuid7(), f"客栈{n:02}", town, "310114", (), tuple(rooms))
            await insert_inn(tx, inn)
        await tx.execute(
            "INSERT INTO tenant (tenant_id, kind, name, division_code, uscc, active)"
            " VALUES ($1, 'enterprise', '长兴', '310114', 'X', true)",
            enterprise_id,
        )
        await tx.execute(
            "INSERT INTO key_enterprise VALUES ('X', '长兴', 'A', '2020-01-01', NULL, now())"
        )
        await programmes.insert_commitment(tx, enterprise_id, "YOUJIA")
    await hire(db, load, enterprise_id)


async def hire(db: Database, load: Load, enterprise_id: UUID) -> None:
    """Make everybody a new hire of the enterprise, in one of the towns."""
    async with db.transaction(role="worker") as tx:
        await tx.execute(
            "INSERT INTO hire (hire_id, worker_id, enterprise_id, hired_on, gender, town,"
            " division_code) SELECT gen_random_uuid(), w, $2, $3, g, t, '310114'"
            " FROM unnest($1::uuid[], $4::text[], $5::text[]) AS u (w, g, t)",
            load.workers, enterprise_id, tx.today, load.genders,
            [TOWNS[w.int % len(TOWNS)] for w in load.workers],
        )  # fmt: skip


async def others(db: Database, count: int, since: date, enterprise_id: UUID) -> Load:
    """Hire as many again."""
    load = a_load(count, since, seed=3)
    await hire(db, load, enterprise_id)
    return load


async def ask(
    db: Database, load: Load, numbers: Iterable[int], enterprise_id: UUID, *, wait: bool = False
) -> None:
    """Put requests in, a thousand a transaction: asking isn't what is measured."""
    rows = list(numbers)
    for start in range(0, len(rows), 1_000):
        async with db.transaction(role="worker") as tx:
            asked = [
                StayRequest(
                    IDS.uuid7(), enterprise_id, "YOUJIA", load.firsts[n], load.counts[n],
                    (Guest(load.workers[n]),), together=False, wait=wait, inn_id=None,
                )
                for n in rows[start : start + 1_000]
            ]  # fmt: skip
            await request_all(tx, asked)


async def settled(db: Database) -> float:
    """Decide everything there is; give the seconds."""
    began = time.perf_counter()
    done = 1
    while done:
        async with db.transaction(role="worker") as tx:
            done = await settle(tx)
    return time.perf_counter() - began


async def one_by_one(db: Database, load: Load, numbers: Iterable[int], enterprise: UUID) -> float:
    """Decide each request in a transaction of its own; give the seconds of the deciding alone."""
    seconds = 0.0
    for n in numbers:
        await ask(db, load, [n], enterprise)
        began = time.perf_counter()
        async with db.transaction(role="worker") as tx:
            await settle(tx)
        seconds += time.perf_counter() - began
    return seconds


async def plainly(db: Database, load: Load, numbers: Iterable[int], enterprise: UUID) -> float:
    """Decide requests by plain SQL, one transaction each; give the seconds."""
    rows = list(numbers)
    await ask(db, load, rows, enterprise)
    async with db.transaction(role="worker") as tx:
        await tx.execute("DELETE FROM unsettled")
    began = time.perf_counter()
    for n in rows:
        async with db.transaction(role="worker") as tx:
            await decide_plainly(tx, load.workers[n])
    return time.perf_counter() - began


async def long_line(db: Database, load: Load, enterprise: UUID) -> dict[str, float]:
    """Let as many wait as the house has refused, then free a bed ten times; give the seconds."""
    await ask(db, load, range(len(load.workers)), enterprise, wait=True)
    seconds = await settled(db)
    async with db.transaction(role="worker") as tx:
        waiting = await tx.fetchval("SELECT count(*) FROM stay WHERE state = 'waitlisted'")
        beds = await tx.fetch("SELECT stay_id FROM stay WHERE state = 'confirmed' LIMIT 10")
    promotions = 0.0
    for row in beds:
        async with db.transaction(role="worker") as tx:
            await cancel(tx, row["stay_id"], "not_needed")
        promotions += await settled(db)
    return {
        "waiting": waiting,
        "into_the_line_per_s": round(len(load.workers) / seconds, 1),
        "from_a_free_bed_to_the_next_s": round(promotions / len(beds), 3),
    }


async def outcome(db: Database, since: date) -> dict[str, float]:
    """Count beds given, nights filled and room-nights opened within the 30 nights."""
    async with db.transaction(role="worker") as tx:
        beds = await tx.fetchval("SELECT count(DISTINCT stay_id) FROM occupancy")
        window = asyncpg.Range(since, since + timedelta(days=NIGHTS))
        filled = await tx.fetchval(
            "SELECT sum(upper(nights * $1) - lower(nights * $1)) FROM occupancy WHERE nights && $1",
            window,
        )
        opened = await tx.fetchval(
            "SELECT count(*) FROM (SELECT DISTINCT room_id, n FROM occupancy, generate_series("
            " lower(nights * $1)::timestamp, upper(nights * $1)::timestamp - interval '1 day',"
            " interval '1 day') n WHERE nights && $1) room_nights",
            window,
        )
    return {
        "stays_with_a_bed": beds,
        "fill_rate": round(filled / (BEDS * NIGHTS), 4),
        "room_nights_opened": opened,
        "guests_per_open_room_night": round(filled / opened, 3),
    }


def first_fit(house: House, units: Sequence[Unit]) -> tuple[int, int, int]:
    """Take the first bed that fits, room by room; give beds, nights, room-nights."""
    given = nights = 0
    window = (1 << NIGHTS) - 1
    beds: list[HouseBed] = [b for inn in house.inns for room in inn.rooms for b in room.beds]
    for unit in units:
        wish = unit.wishes[0]
        bed = next((b for b in beds if house.fits(wish, b)), None)
        if bed is not None:
            house.put(wish, bed)
            given += 1
            nights += (wish.mask & window).bit_count()
    rooms: list[Room] = [room for inn in house.inns for room in inn.rooms]
    opened = sum((room.used & window).bit_count() for room in rooms)
    return given, nights, opened


async def beside_first_fit(db: Database, load: Load, since: date) -> dict[str, float]:
    """Give the same requests, in the same order, to first-fit in an empty house."""
    async with db.transaction(role="worker") as tx:
        full = await load_house(tx, since)
    inns = [_emptied(inn) for inn in full.inns]
    house = House(since, inns)
    units = []
    for n, worker_id in enumerate(load.workers):
        stay_id = IDS.uuid7()
        mask = house.span(load.firsts[n], load.firsts[n] + timedelta(days=load.counts[n]))
        wish = Wish(stay_id, worker_id, load.genders[n], mask, stay_id)
        units.append(Unit((wish,), "YOUJIA"))
    given, nights, opened = first_fit(house, units)
    return {
        "stays_with_a_bed": given,
        "fill_rate": round(nights / (BEDS * NIGHTS), 4),
        "room_nights_opened": opened,
        "guests_per_open_room_night": round(nights / opened, 3),
        "all_room_nights": room_nights(r for inn in house.inns for r in inn.rooms),
    }


def _emptied(inn: Inn) -> Inn:
    made = Inn(inn.inn_id, inn.name, inn.town, inn.division_code)
    for room in inn.rooms:
        empty = Room(room.room_id, made, room.name)
        empty.beds = [HouseBed(b.bed_id, empty, b.name) for b in room.beds]
        made.rooms.append(empty)
    return made


async def know_the_tables(superuser_url: str) -> None:
    """Let the planner know how full the tables are: the peer's plans depend on it most."""
    conn = await asyncpg.connect(superuser_url)
    await conn.execute("ANALYZE")
    await conn.close()


async def measure(url: str, superuser_url: str, count: int) -> dict[str, object]:
    """Measure both ways interleaved on one database."""
    db = await Database.open(url, service="lodging")
    enterprise = uuid4()
    since = datetime.now(UTC).date() + timedelta(days=5)
    load = a_load(count, since)
    await a_world(db, load, enterprise)
    numbers = range(count)
    # The samples run in the middle, on a house as full as the batches' own.
    half, some, many = count // 2, count // 100, count // 20
    await ask(db, load, numbers[:half], enterprise)
    seconds = await settled(db)
    await know_the_tables(superuser_url)
    single = await one_by_one(db, load, numbers[half : half + some], enterprise)
    plain = await plainly(db, load, numbers[half + some : half + some + many], enterprise)
    await ask(db, load, numbers[half + some + many :], enterprise)
    seconds += await settled(db)
    batched = (count - some - many) / seconds
    given, beside = await outcome(db, since), await beside_first_fit(db, load, since)
    line = await long_line(db, await others(db, count, since, enterprise), enterprise)
    report = {
        "requests": count,
        "batched_decisions_per_s": round(batched, 1),
        "same_rules_one_by_one_per_s": round(some / single, 1),
        "plain_sql_one_by_one_per_s": round(many / plain, 1),
        "times_one_by_one": round(batched / (some / single), 1),
        "times_plain_sql": round(batched / (many / plain), 1),
        "batches": given,
        "first_fit": beside,
        "long_line": line,
    }
    await db.close()
    return report


def main() -> None:
    """Run the bench on a PostgreSQL of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--port", type=int, default=54_329)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shanhai-bench-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder), arguments.port)
        server.start()
        try:
            superuser = server.superuser_url()
            asyncio.run(provision(superuser, "lodging"))
            url = login_url(superuser, "lodging", "lodging")
            # As the service itself runs.
            gc.set_threshold(*GC_THRESHOLD)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                report = runner.run(
                    measure(url, at_database(superuser, "lodging"), arguments.requests)
                )
        finally:
            server.stop("immediate")
    print(json.dumps(report, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
