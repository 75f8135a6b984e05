"""Brings a service's database to the newest schema: shared files first, then the service's own.

It gives way to whoever reads and writes: a lock that isn't free soon is let go and asked for again,
because all who come later wait behind one that waits. A file that opens with `-- alone` has its
statements run one by one and outside a transaction, as indexes that are built beside writers must.
"""

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

SHARED_SQL = Path(__file__).parent / "sql"
ALONE: Final = "-- alone"
LOCK_TIMEOUT_MS: Final = 1_000
LOCK_PAUSE_S: Final = 0.5
LOCK_DEADLINE_S: Final = 120.0
_LOG = logging.getLogger("migrations")
# Any fixed number: it keeps two migrating processes apart.
_LOCK_KEY = 0x5348_414E


class ChangedMigrationError(Exception):
    """A migration that was applied here before has another text now."""


@dataclass(frozen=True)
class Step:
    """One SQL file with its placeholders filled in."""

    name: str
    sql: str

    @property
    def digest(self) -> str:
        """The text's SHA-256, by which a changed file is found out."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def is_alone(self) -> bool:
        """Tell whether its statements run outside a transaction."""
        return self.sql.startswith(ALONE)


def steps(service: str, folder: Path) -> list[Step]:
    """List a service's migrations in the order in which they apply."""
    files = [("shared", p) for p in sorted(SHARED_SQL.glob("*.sql"))]
    files += [(service, p) for p in sorted(folder.glob("*.sql"))]
    return [
        Step(f"{origin}/{p.name}", _filled(p.read_text("utf-8"), service)) for origin, p in files
    ]


async def migrate(url: str, service: str, folder: Path) -> list[str]:
    """Apply what is missing, each file in a transaction of its own; give the names applied.

    `url` is of a user who may become `<service>_owner`. Raises `ChangedMigrationError`, and
    asyncpg's `LockNotAvailableError` when somebody holds a lock for longer than the deadline.
    """
    conn = await asyncpg.connect(url)
    try:
        await conn.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
        await conn.execute(f"SET ROLE {service}_owner")
        await conn.execute(
            "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, digest text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        known = {
            r["name"]: r["digest"] for r in await conn.fetch("SELECT name, digest FROM migration")
        }
        return [s.name for s in steps(service, folder) if await _apply(conn, s, known)]
    finally:
        await conn.close()


async def _apply(conn: asyncpg.Connection, step: Step, known: dict[str, str]) -> bool:
    if step.name in known:
        if known[step.name] != step.digest:
            message = (
                f"{step.name} was changed after it had been applied; write a new migration instead"
            )
            raise ChangedMigrationError(message)
        return False
    await _giving_way(conn, step)
    return True


async def _giving_way(conn: asyncpg.Connection, step: Step) -> None:
    deadline = time.monotonic() + LOCK_DEADLINE_S
    await conn.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
    while True:
        try:
            return await (_run_alone(conn, step) if step.is_alone else _run(conn, step))
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if time.monotonic() > deadline:
                raise
            _LOG.info("%s gives way and tries again", step.name)
            await asyncio.sleep(LOCK_PAUSE_S)


async def _run(conn: asyncpg.Connection, step: Step) -> None:
    async with conn.transaction():
        await conn.execute(step.sql)
        await conn.execute(_NOTE, step.name, step.digest)


async def _run_alone(conn: asyncpg.Connection, step: Step) -> None:
    """Run each statement by itself; whoever writes such a file lets it be run twice."""
    # Building an index waits for old transactions without being in anybody's way.
    await conn.execute("SET lock_timeout = 0")
    for statement in step.sql.split(";\n"):
        if statement.strip():
            await conn.execute(statement)
    await conn.execute(_NOTE, step.name, step.digest)


_NOTE = "INSERT INTO migration (name, digest) VALUES ($1, $2)"


def _filled(sql: str, service: str) -> str:
    for role in ("owner", "api", "worker"):
        sql = sql.replace("{" + role + "}", f"{service}_{role}")
    return sql.replace("{service}", service)
