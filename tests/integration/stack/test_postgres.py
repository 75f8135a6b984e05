"""What the local PostgreSQL keeps, refuses and says."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from stack import trouble
from stack.postgres import Postgres, server_version
from stack.trouble import StackError
from tests.support.ports import free_port


@pytest.fixture
def server(open_dir: Path, tmp_path: Path) -> Iterator[Postgres]:
    """A server of its own, in a folder that its user can enter."""
    folder = open_dir / tmp_path.name
    folder.mkdir(mode=0o755)
    found = Postgres(folder, free_port())
    yield found
    found.stop("immediate")


async def execute(server: Postgres, sql: str) -> object:
    conn = await asyncpg.connect(server.superuser_url())
    try:
        return await conn.fetchval(sql)
    finally:
        await conn.close()


async def test_what_was_committed_survives_a_kill(server: Postgres) -> None:
    server.start()
    await execute(server, "CREATE TABLE kept AS SELECT 7 AS n")
    assert server.pid is not None
    psutil.Process(server.pid).kill()
    server.stop()
    server.start()
    assert await execute(server, "SELECT n FROM kept") == 7


async def test_it_is_the_version_that_we_say(server: Postgres) -> None:
    server.start()
    assert await execute(server, "SHOW server_version") == server_version()


def test_it_never_runs_as_root(server: Postgres) -> None:
    server.start()
    assert server.pid is not None
    uid = psutil.Process(server.pid).uids().effective
    assert uid != 0
    assert os.geteuid() in {0, uid}


def test_its_password_is_its_owners_alone(server: Postgres) -> None:
    server.start()
    secret = server.root / "superuser.password"
    assert secret.stat().st_mode & 0o077 == 0
    assert not (server.root.resolve() / "initial.password").exists()


def test_a_half_written_folder_is_refused_and_left_alone(server: Postgres) -> None:
    server.root.mkdir()
    (server.root / "precious").write_text("kept")
    with pytest.raises(StackError, match="half-written"):
        server.start()
    assert (server.root / "precious").read_text() == "kept"


def test_a_full_disk_is_named(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "FREE_BYTES_MIN", 1 << 62)
    with pytest.raises(StackError, match="disk is full"):
        server.start()
    assert not server.root.exists()


def test_a_port_in_use_is_named(server: Postgres) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        with pytest.raises(StackError, match=f"{server.port} .PostgreSQL. is in use"):
            server.start()


def test_a_folder_in_use_is_refused(server: Postgres) -> None:
    server.start()
    second = Postgres(server.root.parent, free_port())
    with pytest.raises(StackError, match="another PostgreSQL server is using"):
        second.start()
    assert server.pid is not None
