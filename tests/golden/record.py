"""Freezes a version's event log at its release: `python -m tests.golden.record 1.1`.

The log: whole journeys of invented persons through four services, some cancelled, delayed, erased;
then an example of every event there is, so that none is missing. As long as a version is not out it
is frozen anew with what still changes; afterwards never.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contracts import EVENTS
from contracts.samples import envelope_of, sample
from shared.database import Database
from shared.inbox import Record
from shared.migrations import SHARED_SQL
from stack.databases import SERVICES, at_database
from stack.postgres import Postgres
from stack.topics import HEARS
from tests.chaos.shuffled import Shuffled
from tests.golden.release import HERE, Release, Rows, replay
from tests.support.ports import free_port
from tests.support.postgres import Templates

#: What happens, and to whom it happens first.
STORY = [("nominate", 3), ("nominate", 2), ("nominate", 1), ("rest", 0)]
STORY += [("cancel", 1), ("erase", 2), ("rest", 0), ("delay", 1), ("rest", 0)]
STORY += [("nominate", 3), ("cancel", 2), ("rest", 0)]


@contextmanager
def a_server() -> Iterator[Templates]:
    """Run a PostgreSQL of our own for as long as it takes."""
    with tempfile.TemporaryDirectory(prefix="shanhai-golden-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postgres(folder, free_port(), settings={"fsync": "off"})
        server.start()
        try:
            yield Templates(server)
        finally:
            server.stop("immediate")


@asynccontextmanager
async def a_database(templates: Templates, service: str) -> AsyncIterator[tuple[Database, str]]:
    """Give a fresh database, and the superuser's URL for it."""
    name, url = await templates.fresh(service)
    db = await Database.open(url, service=service)
    try:
        yield db, at_database(templates.server.superuser_url(), name)
    finally:
        db.pool.terminate()
        await templates.run(f"DROP DATABASE {name} WITH (FORCE)")


async def replayed(templates: Templates, records: Sequence[Record]) -> dict[str, Rows]:
    """Replay a log into a fresh database of each service."""
    found = {}
    for service in HEARS:
        async with a_database(templates, service) as (db, superuser_url):
            found[service] = await replay(service, db, superuser_url, records)
    return found


async def history(templates: Templates) -> list[Record]:
    """Let journeys be gone, and give what was said."""
    opened: list[Database] = []

    async def fresh(service: str) -> Database:
        _, url = await templates.fresh(service)
        opened.append(await Database.open(url, service=service))
        return opened[-1]

    world = await Shuffled.open(fresh)
    for kind, pick in STORY:
        await (world.rest() if kind == "rest" else world.step(kind, pick))
    for db in opened:
        db.pool.terminate()
    return world.broker.told


def examples() -> list[Record]:
    """Give every event once with all its fields, in sequence where they are about one thing."""
    sequences: Counter[tuple[str, str]] = Counter()
    found = []
    for event in EVENTS.values():
        one = sample(event)
        subject = event.service, one.subject
        sequences[subject] += 1
        now = datetime.now(UTC)
        envelope = envelope_of(one)._replace(sequence=sequences[subject], time=now)
        headers = list(envelope.to_headers())
        key = one.aggregate_id.encode()
        found.append(Record(f"{event.service}.events", 0, 0, key, headers, one.to_body()))
    return found


def migrations() -> list[str]:
    """List the migrations that there are, as `<service>/<file>`."""
    folders = [(s, Path("services", s, "migrations")) for s in SERVICES]
    own = [f"{s}/{path.name}" for s, folder in folders for path in folder.glob("*.sql")]
    return sorted([*(f"shared/{p.name}" for p in SHARED_SQL.glob("*.sql")), *own])


async def record(version: str) -> Release:
    """Write a version's folder."""
    release = Release(HERE / version)
    release.folder.mkdir(exist_ok=True)
    with a_server() as templates:
        records = [*await history(templates), *examples()]
        release.write(records, {})
        release.write(records, await replayed(templates, release.records()))
    (release.folder / "migrations.txt").write_text("\n".join([*migrations(), ""]), "utf-8")
    return release


if __name__ == "__main__":
    made = asyncio.run(record(sys.argv[1]))
    sys.stdout.write(f"{made.folder}: {len(made.records())} records\n")
