"""A migration gives way to whoever writes, and builds its indexes beside them."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from shared import migrations
from shared.migrations import migrate
from stack.databases import at_database
from tests.support.flow import eventually
from tests.support.postgres import Templates

FOLDER = Path("services/transport/migrations")
WRITE = """
INSERT INTO tenant (tenant_id, kind, name, division_code, active)
VALUES (gen_random_uuid(), 'inn', '一家', '310114', true)
"""


@dataclass
class Released:
    """A transport database of the last release, and the folder of its migrations."""

    url: str
    folder: Path

    def add(self, name: str, sql: str) -> None:
        (self.folder / f"{name}.sql").write_text(sql, "utf-8")

    def migrate(self) -> "asyncio.Task[list[str]]":
        return asyncio.create_task(migrate(self.url, "transport", self.folder))


@pytest_asyncio.fixture
async def released(templates: Templates, tmp_path: Path) -> AsyncIterator[Released]:
    name, _ = await templates.fresh("transport")
    copied = shutil.copytree(FOLDER, tmp_path / "migrations")
    yield Released(at_database(templates.server.superuser_url(), name), copied)
    await templates.run(f"DROP DATABASE {name} WITH (FORCE)")


async def test_writers_pass_a_migration_that_waits_for_a_long_transaction(
    released: Released, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INVARIANT: nobody stands longer than the lock timeout behind a migration that waits."""
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_MS", 200)
    released.add("9001_more", "ALTER TABLE tenant ADD COLUMN colour text;")
    long, writer = [await asyncpg.connect(released.url) for _ in range(2)]
    transaction = long.transaction()
    await transaction.start()
    await long.execute("SELECT count(*) FROM tenant")
    running = released.migrate()
    try:
        await eventually(lambda: _waits(writer), bool)
        # It would wait as long as the reader reads, if the migration did.
        async with asyncio.timeout(60):
            for _ in range(5):
                await writer.execute(WRITE)
        assert not running.done()
        await transaction.rollback()
        assert await running == ["transport/9001_more.sql"]
    finally:
        await long.close()
        await writer.close()


async def _waits(conn: asyncpg.Connection) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
    return bool(await conn.fetchval(waiting))


async def test_an_index_is_built_beside_a_writer_and_what_was_half_built_is_built_again(
    released: Released,
) -> None:
    """INVARIANT: a migration alone can be run again wherever it was cut off."""
    build = "CREATE INDEX CONCURRENTLY tenant_name ON tenant (name)"
    released.add(
        "9001_alone", f"-- alone\nDROP INDEX CONCURRENTLY IF EXISTS tenant_name;\n{build};\n"
    )
    conn = await asyncpg.connect(released.url)
    try:
        await conn.execute(build)
        await conn.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tenant_name'::regclass"
        )
        assert await released.migrate() == ["transport/9001_alone.sql"]
        assert await conn.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'tenant_name'::regclass"
        )
        assert await released.migrate() == []
    finally:
        await conn.close()


async def test_a_lock_that_never_comes_free_ends_the_migration_and_leaves_nothing_half_done(
    released: Released, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_MS", 50)
    monkeypatch.setattr(migrations, "LOCK_DEADLINE_S", 0.2)
    released.add(
        "9001_more", "CREATE TABLE more (a int); ALTER TABLE tenant ADD COLUMN colour text;"
    )
    conn = await asyncpg.connect(released.url)
    try:
        async with conn.transaction():
            await conn.execute("LOCK TABLE tenant")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await released.migrate()
        assert await conn.fetchval("SELECT to_regclass('more')") is None
    finally:
        await conn.close()
