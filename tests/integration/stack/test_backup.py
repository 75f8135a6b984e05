"""A database comes back as it was at a moment, from a copy of before and the log since."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from stack.backup import Backup, close_log, replace
from stack.databases import provision
from stack.postgres import Postgres
from stack.trouble import StackError
from tests.support.ports import free_port


@pytest.fixture
def server(open_dir: Path) -> Iterator[Postgres]:
    """A server of one's own, whose cluster may be copied."""
    folder = open_dir / f"it's 50% of $HOME {uuid4().hex[:8]}"
    one = Postgres(folder, free_port())
    one.start()
    yield one
    one.stop("immediate")


async def marked(server: Postgres, mark: UUID) -> datetime:
    """Leave a mark in lodging's database; give a moment just after it."""
    conn = await asyncpg.connect(server.superuser_url("lodging"))
    try:
        await conn.execute("INSERT INTO revocation VALUES ($1, $1, now())", mark)
        moment: datetime = await conn.fetchval("SELECT clock_timestamp()")
        return moment
    finally:
        await conn.close()


async def marks(server: Postgres) -> set[UUID]:
    conn = await asyncpg.connect(server.superuser_url("lodging"))
    try:
        return {r[0] for r in await conn.fetch("SELECT account_id FROM revocation")}
    finally:
        await conn.close()


async def restored(server: Postgres, until: datetime | None) -> set[UUID]:
    await close_log(server)
    stored = Backup(server)
    source = await asyncio.to_thread(stored.recovered, until)
    try:
        await replace(server, source, "lodging")
    finally:
        source.stop("immediate")
        stored.clear()
    return await marks(server)


async def test_each_moment_since_a_backup_can_be_had_again(server: Postgres) -> None:
    """INVARIANT: what was committed by then is there, and nothing later."""
    await provision(server.superuser_url(), "lodging")
    early, middle, late = uuid4(), uuid4(), uuid4()
    await marked(server, early)
    stored = Backup(server)
    stored.take()
    moment = await marked(server, middle)
    await marked(server, late)
    conn = await asyncpg.connect(server.superuser_url("lodging"))
    await conn.execute("DROP TABLE stay CASCADE")
    await conn.close()
    assert await restored(server, moment) == {early, middle}
    await provision(server.superuser_url(), "lodging")
    assert not (stored.folder.resolve().parent / "recovery").exists()


async def test_a_newer_backup_lets_go_of_the_log_before_it(server: Postgres) -> None:
    await provision(server.superuser_url(), "lodging")
    stored, log = Backup(server), Backup(server).folder / "wal"
    stored.take()
    await close_log(server)
    first = {piece.name for piece in log.iterdir()}
    stored.take()
    await marked(server, mark := uuid4())
    assert {piece.name for piece in log.iterdir()}.isdisjoint(first)
    assert await restored(server, None) == {mark}


async def test_without_a_backup_nothing_is_touched(server: Postgres) -> None:
    await provision(server.superuser_url(), "lodging")
    await marked(server, mark := uuid4())
    with pytest.raises(StackError, match="there is no backup"):
        await restored(server, None)
    assert await marks(server) == {mark}
