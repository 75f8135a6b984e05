"""A real PostgreSQL for tests: one server a session, a fresh database a test."""

import itertools
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from shared.database import Database
from stack.databases import login_url, provision
from stack.postgres import Postgres
from tests.support.ports import free_port

ServiceDb = Callable[[str], Awaitable[Database]]


class Templates:
    """A migrated database per service, from which each test gets its own copy."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._provisioned: set[str] = set()
        self._numbers = itertools.count(1)

    async def fresh(self, service: str) -> tuple[str, str]:
        """Copy a service's migrated database; give the copy's name and the service's URL for it."""
        superuser = self.server.superuser_url()
        if service not in self._provisioned:
            await provision(superuser, service)
            self._provisioned.add(service)
        name = f"{service}_test_{next(self._numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {service} OWNER {service}_owner")
        return name, self.url(service, name)

    def url(self, service: str, name: str) -> str:
        """Give a service's URL for a copy."""
        return login_url(self.server.superuser_url(), service, name)

    async def run(self, sql: str) -> None:
        """Run one statement as the superuser."""
        conn = await asyncpg.connect(self.server.superuser_url())
        try:
            await conn.execute(sql)
        finally:
            await conn.close()


@pytest.fixture(scope="session")
def open_dir() -> Iterator[Path]:
    """A folder that PostgreSQL's user can enter when we are root; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="shanhai-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def postgres(open_dir: Path) -> Iterator[Postgres]:
    """A PostgreSQL server for the whole session."""
    # Nothing here has to outlive a power cut, so the tests need not wait for the disk.
    server = Postgres(open_dir, free_port(), settings={"fsync": "off", "full_page_writes": "off"})
    server.start()
    yield server
    server.stop("immediate")


@pytest.fixture(scope="session")
def templates(postgres: Postgres) -> Templates:
    """The migrated databases to copy from."""
    return Templates(postgres)


@pytest_asyncio.fixture
async def service_db(templates: Templates) -> AsyncIterator[ServiceDb]:
    """Fresh, migrated databases by a service's name; closed and dropped after the test."""
    opened: list[tuple[str, Database]] = []

    async def make(service: str) -> Database:
        name, url = await templates.fresh(service)
        db = await Database.open(url, service=service)
        opened.append((name, db))
        return db

    yield make
    for name, db in opened:
        db.pool.terminate()
        await templates.run(f"DROP DATABASE {name} WITH (FORCE)")
