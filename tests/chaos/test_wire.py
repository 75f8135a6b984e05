"""The line to PostgreSQL breaks or hangs at the worst moment: a commit is done, nobody says so."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx2
import pytest

from shared import database
from shared.database import Database
from tests.support.desk import SERVICE, desk
from tests.support.http import an_office, app_client
from tests.support.postgres import Templates
from tests.support.proxy import Line, a_line

__all__ = ["desk"]

#: PostgreSQL's words that something is done, as they go over the line.
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
INSERTED = b"C\x00\x00\x00\x0fINSERT 0 1\x00"
CUTS = 20
#: So long a whole call on a line that hangs may take here; before there was a limit it was minutes.
HUNG_CALL_S_MAX = 15.0


@asynccontextmanager
async def over_a_line(desk: Database, templates: Templates) -> AsyncIterator[tuple[Database, Line]]:
    """Give the desk's database as one reaches it over a line that can break."""
    async with desk.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    parts = urlsplit(templates.url("lodging", name))
    async with a_line(parts.hostname or "", parts.port or 0) as line:
        place = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{line.port}"
        db = await Database.open(urlunsplit(parts._replace(netloc=place)), service="lodging")
        yield db, line
        db.pool.terminate()


async def write(client: httpx2.AsyncClient, number: int) -> httpx2.Response:
    """Give a command; each number is one command however often it is given."""
    key = {"Idempotency-Key": f"k{number}"}
    return await client.post("/v1/notes", json={"title": f"第{number}次"}, headers=key)


async def titles(desk: Database) -> list[str]:
    async with desk.transaction(role="worker") as tx:
        return [r["title"] for r in await tx.fetch("SELECT title FROM note ORDER BY note_id")]


@pytest.mark.parametrize(("cut_at", "was_done"), [(COMMITTED, True), (INSERTED, False)])
async def test_whose_line_is_cut_gets_the_answer_by_asking_again(
    desk: Database, templates: Templates, cut_at: bytes, *, was_done: bool
) -> None:
    """INVARIANT: cut just after COMMIT, or just before: one effect, and one answer to the retry."""
    async with (
        over_a_line(desk, templates) as (db, line),
        app_client(SERVICE, db, await an_office(desk)) as client,
    ):
        for number in range(CUTS):
            line.cut_at(cut_at)
            first, done = await write(client, number), len(await titles(desk))
            assert (first.status_code, first.headers["retry-after"]) == (503, "2")
            assert done == number + was_done
            again, third = [await write(client, number) for _ in range(2)]
            assert ("idempotency-replayed" in again.headers) == was_done
            assert (again.status_code, again.content) == (201, third.content)
    assert line.cut_count == CUTS
    assert await titles(desk) == [f"第{number}次" for number in range(CUTS)]


@pytest.mark.parametrize(("hang_at", "was_done"), [(COMMITTED, True), (INSERTED, False)])
async def test_a_line_that_hangs_in_the_middle_is_given_up_and_the_retry_gets_the_answer(
    desk: Database,
    templates: Templates,
    monkeypatch: pytest.MonkeyPatch,
    hang_at: bytes,
    *,
    was_done: bool,
) -> None:
    """INVARIANT: nobody waits for a server that says nothing; the effect is one."""
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_S", 0.5)
    async with (
        over_a_line(desk, templates) as (db, line),
        app_client(SERVICE, db, await an_office(desk)) as client,
    ):
        line.hang_at(hang_at)
        async with asyncio.timeout(HUNG_CALL_S_MAX):
            first = await write(client, 0)
        assert (first.status_code, first.headers["retry-after"]) == (503, "2")
        assert db.pool.get_size() == 0
        line.go_on()
        again = await write(client, 0)
        assert ("idempotency-replayed" in again.headers) == was_done
        assert again.status_code == 201
    assert await titles(desk) == ["第0次"]


async def test_a_consumers_transaction_on_a_line_that_hangs_ends(
    desk: Database, templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WORKER_ANSWER_TIMEOUT_S", 0.5)
    async with over_a_line(desk, templates) as (db, line):
        async with asyncio.timeout(HUNG_CALL_S_MAX):
            with pytest.raises(TimeoutError):
                await _ask_while_it_hangs(db, line)
        assert db.pool.get_size() == 0


async def _ask_while_it_hangs(db: Database, line: Line) -> None:
    async with db.transaction(role="worker") as tx:
        line.hang()
        await tx.fetchval("SELECT 1")


async def test_a_line_whose_other_end_is_gone_without_a_word_is_noticed_by_the_kernel(
    desk: Database,
) -> None:
    async with desk.transaction(role="worker") as tx:
        line = tx.conn._transport.get_extra_info("socket")
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            unheard_ms = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert 0 < unheard_ms <= 10_000


async def test_what_the_kernel_gave_up_is_told_as_such(desk: Database) -> None:
    """It says so by a TimeoutError, too, and then the connection is closed already."""
    with pytest.raises(TimeoutError):
        await _lose_the_line(desk)
    with pytest.raises(TimeoutError):
        await _lose_a_session(desk)
    assert await titles(desk) == []


async def _lose_the_line(db: Database) -> None:
    async with db.transaction(role="worker") as tx:
        tx.conn._con.terminate()
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")


async def _lose_a_session(db: Database) -> None:
    async with db.session() as conn:
        conn._con.terminate()
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")


async def test_what_a_silent_line_left_at_the_server_stands_in_nobodys_way(
    desk: Database, templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INVARIANT: locks of a connection that was given up are free, though the server has it yet."""
    monkeypatch.setattr(database, "WORKER_ANSWER_TIMEOUT_S", 0.5)
    async with over_a_line(desk, templates) as (db, line):
        with pytest.raises(TimeoutError):
            await _hold_locks_while_it_falls_silent(db, line)
        async with asyncio.timeout(HUNG_CALL_S_MAX):
            while True:
                async with db.transaction(role="worker") as tx:
                    free = [await tx.fetchval(_TRY, number) for number in (1, 2)]
                if all(free):
                    break


_TRY = "SELECT pg_try_advisory_xact_lock($1)"


async def _hold_locks_while_it_falls_silent(db: Database, line: Line) -> None:
    async with db.session() as conn:
        await conn.execute("SELECT pg_advisory_lock(1)")
        async with db.transaction(role="worker") as tx:
            await tx.execute("SELECT pg_advisory_xact_lock(2)")
            line.strand()
            await tx.fetchval("SELECT 1")
