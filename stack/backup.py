"""A base backup with all write-ahead log after it, and one service's database out of both."""

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from stack import processes
from stack.databases import at_database
from stack.postgres import Postgres, binaries, in_command, server_user
from stack.sockets import free_ports
from stack.trouble import StackError, tail

ARCHIVE_TIMEOUT_S: Final = 60.0
RECOVERY_TIMEOUT_S: Final = 3600.0
POLL_INTERVAL_S: Final = 0.1
_LAGS: Final = "SELECT COALESCE(last_archived_wal < $1, true) FROM pg_stat_archiver"
_EVERYONE_OUT: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = $1 AND pid <> pg_backend_pid()
"""


class Backup:
    """The backup of a server's cluster, in a folder beside it that the server itself fills.

    While that folder is there, the server copies each finished piece of its log to it. Where it
    should outlive the disk, the folder is a mount of another one.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.folder = server.backup
        self._base = self.folder / "base"

    def take(self) -> None:
        """Begin to keep the log, and copy the cluster as it stands; raises `StackError`."""
        draft = self.folder / "base.new"
        for folder in (self.folder, self.folder / "wal"):
            folder.mkdir(0o700, exist_ok=True)
            _give(folder)
        shutil.rmtree(draft, ignore_errors=True)
        words = ["pg_basebackup", "-D", str(draft), "-d", self._server.superuser_url()]
        _run([*words, "--checkpoint=fast", "--no-password"], self.folder, _log(self.folder))
        shutil.rmtree(self._base, ignore_errors=True)
        draft.rename(self._base)
        self._forget_older()

    def recovered(self, until: datetime | None) -> Postgres:
        """Start a server of its own on the backup, with the log up to a moment (None: all of it).

        Raises `StackError`. Whoever asked stops it and calls `clear`.
        """
        if not self._base.exists():
            raise StackError(
                f"没有备份:{self.folder},请先执行 shanhai backup。",
                f"there is no backup in {self.folder}: `shanhai backup` makes one.",
            )
        self.clear()
        root = self._scratch / "postgres"
        root.mkdir(0o711, parents=True)
        _run(["cp", "-a", str(self._base), str(self.folder / "copy")], self.folder, None)
        (self.folder / "copy").rename(root / "cluster")
        shutil.copy(self._server.root / "superuser.password", root)
        (root / "cluster" / "recovery.signal").touch()
        _give(root / "cluster" / "recovery.signal")
        (port,) = free_ports(1)
        server = Postgres(self._scratch, port, settings=self._recovery(until))
        server.start(timeout_s=RECOVERY_TIMEOUT_S)
        return server

    def clear(self) -> None:
        """Remove what a recovery has left."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        shutil.rmtree(self.folder / "copy", ignore_errors=True)

    @property
    def _scratch(self) -> Path:
        return self.folder.resolve().parent / "recovery"

    def _recovery(self, until: datetime | None) -> dict[str, str]:
        settings = {
            "archive_mode": "off",
            "restore_command": f"cp {in_command(self.folder.resolve())}/wal/%f %p",
            "recovery_target_action": "promote",
        }
        return settings | ({"recovery_target_time": until.isoformat()} if until else {})

    def _forget_older(self) -> None:
        """Remove the log that was finished before this backup began."""
        told = (self._base / "backup_label").read_text("utf-8").partition("(file ")[2]
        first = told.partition(")")[0]
        for piece in (self.folder / "wal").iterdir():
            if piece.name[: len(first)] < first:
                piece.unlink()


async def close_log(server: Postgres) -> None:
    """Have the server put aside its log up to now; raises `StackError` when it doesn't."""
    conn = await asyncpg.connect(server.superuser_url())
    try:
        # A recovery to a moment goes on to the first commit after it: here is one.
        await conn.execute("SELECT pg_logical_emit_message(true, 'shanhai', 'restore')")
        name = await conn.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + ARCHIVE_TIMEOUT_S
        while await conn.fetchval(_LAGS, name):
            if time.monotonic() > deadline:
                raise StackError("日志未能归档。", "the write-ahead log could not be put aside.")
            await asyncio.sleep(POLL_INTERVAL_S)
    finally:
        await conn.close()


async def replace(server: Postgres, source: Postgres, service: str) -> str:
    """Put a service's database as it stands in `source` in place of the one here.

    Gives the name under which the old one is kept. Raises `StackError`.
    """
    kept, folder = f"{service}_lost", source.root.parent
    conn = await asyncpg.connect(server.superuser_url())
    try:
        await conn.execute(f"DROP DATABASE IF EXISTS {kept} WITH (FORCE)")
        if await conn.fetchval("SELECT true FROM pg_database WHERE datname = $1", service):
            await conn.fetch(_EVERYONE_OUT, service)
            await conn.execute(f"ALTER DATABASE {service} RENAME TO {kept}")
        await conn.execute(f"CREATE DATABASE {service} OWNER {service}_owner")
    finally:
        await conn.close()
    dump, log = folder / f"{service}.dump", folder / "restore.log"
    from_, to = (at_database(s.superuser_url(), service) for s in (source, server))
    _run(["pg_dump", "--format=custom", "-f", str(dump), "-d", from_], None, log)
    _run(["pg_restore", "--exit-on-error", "-d", to, str(dump)], None, log)
    return kept


def _give(path: Path) -> None:
    if user := server_user():
        os.chown(path, *user)


def _log(folder: Path) -> Path:
    return folder.resolve().parent / "backup.log"


def _run(words: Sequence[str], as_server_in: Path | None, log: Path | None) -> None:
    """Run a program of PostgreSQL, or another, as the server's user or as ours."""
    program = binaries() / words[0]
    argv = [str(program) if program.exists() else words[0], *(_told(w) for w in words[1:])]
    password = next((urlsplit(w).password for w in words if w.startswith("postgresql:")), None)
    told = log or Path(os.devnull)
    child = processes.start(
        processes.Program(
            argv,
            told,
            env={"LC_ALL": "C", "PATH": os.defpath, "PGPASSWORD": password or ""},
            cwd=Path("/"),
            user=server_user() if as_server_in else None,
        )
    )
    if child.wait():
        raise StackError(
            f"{words[0]} 失败:\n{tail(told)}", f"{words[0]} failed, see above ({told})."
        )


def _told(word: str) -> str:
    """Give a word as it may stand in a list of processes: without a password."""
    if not word.startswith("postgresql:"):
        return word
    parts = urlsplit(word)
    place = f"{parts.username}@{parts.hostname}:{parts.port}"
    return parts._replace(netloc=place).geturl()
