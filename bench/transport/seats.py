"""How fast the seats' writer books a pool over many trips, and what an idle look costs."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from services.transport.consumers import HANDLERS
from services.transport.handlers.seats import run_seats
from services.transport.handlers.trips import schedule_trip
from shared.database import Database
from stack.databases import provision
from stack.postgres import Postgres
from tests.integration.transport.world import a_placement, a_trip
from tests.support.events import heard
from tests.support.ports import free_port

WAVE = 500


async def measure(url: str, people: int, trips: int) -> dict[str, float]:
    """Book `people` on `trips`; everyone finds a seat."""
    db = await Database.open(url, service="transport")
    capacity = -(-people // trips)
    async with db.transaction(role="worker") as tx:
        for _ in range(trips):
            await schedule_trip(tx, a_trip(capacity=capacity, minimum_load=1))
    placements = [a_placement() for _ in range(people)]
    started = time.perf_counter()
    for n in range(0, people, WAVE):
        await heard(db, HANDLERS, placements[n : n + WAVE])
    pooled = time.perf_counter()
    async with db.transaction(role="worker") as tx:
        await run_seats(tx)
    booked = time.perf_counter()
    async with db.transaction(role="worker") as tx:
        await run_seats(tx)
        count = await tx.fetchval("SELECT count(*) FROM booking WHERE state = 'booked'")
    idle = time.perf_counter()
    assert count == people, f"{count} of {people} have a seat"
    await db.close()
    return {
        "people": people,
        "trips": trips,
        "pooled_per_s": round(people / (pooled - started)),
        "booked_per_s": round(people / (booked - pooled)),
        "idle_ms": round((idle - booked) * 1000, 1),
    }


def main() -> None:
    """Run on a PostgreSQL of its own and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--trips", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shanhai-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postgres(folder, free_port())
        server.start()
        try:
            url = asyncio.run(provision(server.superuser_url(), "transport"))
            figures = asyncio.run(measure(url, options.people, options.trips))
        finally:
            server.stop("immediate")
    json.dump(figures, sys.stdout)
    print()


if __name__ == "__main__":
    main()
