"""`schema.sql` is the database that the migrations make: nothing more, nothing less."""

import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from stack.databases import SERVICES, at_database
from stack.postgres import binaries
from stack.schema import document, schema_file
from tests.support.postgres import Templates

Migrated = Callable[[str], Awaitable[str]]


@pytest_asyncio.fixture
async def migrated(templates: Templates) -> AsyncIterator[Migrated]:
    """Copies of a service's migrated database, by the superuser's URL; dropped after the test."""
    names: list[str] = []

    async def copy(service: str) -> str:
        name, _ = await templates.fresh(service)
        names.append(name)
        return at_database(templates.server.superuser_url(), name)

    yield copy
    for name in names:
        await templates.run(f"DROP DATABASE {name} WITH (FORCE)")


async def execute(url: str, sql: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(sql)
    finally:
        await conn.close()


def dump(url: str, service: str) -> list[str]:
    """Let PostgreSQL's own tool write the schema down; the months' partitions left out."""
    where = urlsplit(url)
    words = [
        str(binaries() / "pg_dump"), "--schema-only", "--restrict-key=x", "--no-comments",
        "--exclude-table=event_log_2*", "-h", where.hostname or "", "-p", str(where.port),
        "-U", where.username or "", where.path[1:],
    ]  # fmt: skip
    env = {**os.environ, "PGPASSWORD": where.password or ""}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    # Whose the schema itself is follows from who made the database.
    lines = [line for line in done.stdout.splitlines() if not line.startswith("ALTER SCHEMA")]
    assert any(f"OWNER TO {service}_owner" in line for line in lines)
    return lines


@pytest.mark.parametrize("service", SERVICES)
async def test_the_document_is_what_the_migrations_make(service: str, migrated: Migrated) -> None:
    found = await document(await migrated(service), service)
    stale = "the schema is stale: run `python -m stack.schema`"
    assert schema_file(service).read_text("utf-8") == found, stale


@pytest.mark.parametrize("service", SERVICES)
async def test_the_document_makes_the_same_database(
    service: str, migrated: Migrated, templates: Templates
) -> None:
    there = await migrated(service)
    await templates.run(f"CREATE DATABASE documented OWNER {service}_owner TEMPLATE template0")
    try:
        here = at_database(there, "documented")
        await execute(here, schema_file(service).read_text("utf-8"))
        assert dump(here, service) == dump(there, service)
    finally:
        await templates.run("DROP DATABASE documented WITH (FORCE)")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE trip ADD COLUMN colour text",
        "ALTER TABLE trip ALTER COLUMN escort DROP NOT NULL",
        "ALTER TABLE trip DROP CONSTRAINT trip_minimum_load_check",
        "CREATE INDEX trip_plate ON trip (plate)",
        "DROP POLICY escort ON trip",
        "ALTER TABLE trip NO FORCE ROW LEVEL SECURITY",
        "GRANT DELETE ON trip TO transport_api",
        "CREATE OR REPLACE FUNCTION app_sees_all() RETURNS boolean LANGUAGE sql RETURN true",
        "GRANT EXECUTE ON FUNCTION make_event_log_partitions() TO PUBLIC",
    ],
)
async def test_a_change_without_a_new_document_would_be_noticed(
    change: str, migrated: Migrated
) -> None:
    url = await migrated("transport")
    await execute(url, change)
    assert await document(url, "transport") != schema_file("transport").read_text("utf-8")


async def test_the_calendar_changes_nothing(migrated: Migrated) -> None:
    url = await migrated("transport")
    before = await document(url, "transport")
    await execute(
        url,
        "SET ROLE transport_owner; CREATE TABLE event_log_2031_07 PARTITION OF event_log"
        " FOR VALUES FROM ('2031-07-01') TO ('2031-08-01')",
    )
    assert await document(url, "transport") == before
