"""Brings a service's database to the newest schema: shared files first, then the service's own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import asyncpg

SHARED_SQL = Path(__file__).parent / "sql"
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


def steps(service: str, folder: Path) -> list[Step]:
    """List a service's migrations in the order in which they apply."""
    files = [("shared", p) for p in sorted(SHARED_SQL.glob("*.sql"))]
    files += [(service, p) for p in sorted(folder.glob("*.sql"))]
    return [
        Step(f"{origin}/{p.name}", _filled(p.read_text("utf-8"), service)) for origin, p in files
    ]


async def migrate(url: str, service: str, folder: Path) -> list[str]:
    """Apply what is missing, each file in a transaction of its own; give the names applied.

    `url` is of a user who may become `<service>_owner`. Raises `ChangedMigrationError`.
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
    async with conn.transaction():
        await conn.execute(step.sql)
        await conn.execute(
            "INSERT INTO migration (name, digest) VALUES ($1, $2)", step.name, step.digest
        )
    return True


def _filled(sql: str, service: str) -> str:
    for role in ("owner", "api", "worker"):
        sql = sql.replace("{" + role + "}", f"{service}_{role}")
    return sql.replace("{service}", service)
