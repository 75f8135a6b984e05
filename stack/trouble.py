"""What goes wrong with a local stack, said in Chinese first and in English beside it."""

import errno
import shutil
import socket
from pathlib import Path
from typing import Final

FREE_BYTES_MIN: Final = 300 * 1024 * 1024


class StackError(Exception):
    """The local stack cannot do what was asked; `zh` and `en` say why and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en


class WrongUsageError(StackError):
    """A command was called with what cannot be: exit code 2."""


def port_in_use(port: int, what: str) -> StackError:
    """Say that a port that `what` needs is taken."""
    return StackError(
        f"端口 {port}({what})已被占用:请停止占用它的程序,或用 --http-port 等参数换一个端口。",
        f"port {port} ({what}) is in use: stop what uses it, or choose another with --http-port "
        "and its kin.",
    )


def disk_full(folder: Path) -> StackError:
    """Say that a data folder's disk has no room left."""
    return StackError(
        f"磁盘空间不足:{folder} 所在磁盘已满,请清理后重试。",
        f"the disk is full: there is no room left for {folder}; free some and try again.",
    )


def half_written(folder: Path, part: str) -> StackError:
    """Say that a data folder's part is incomplete and was not made or finished by us."""
    return StackError(
        f"数据目录不完整:{folder}({part})缺少必要文件。请从备份恢复,或删除该目录后重新开始。",
        f"the data folder is half-written: {folder} ({part}) lacks files it needs. "
        "Restore it from a backup, or delete it to start anew.",
    )


def ensure_port_free(port: int, what: str) -> None:
    """Raise `StackError` when somebody listens on this loopback port."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections merely linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as e:
            if e.errno in {errno.EADDRINUSE, errno.EACCES}:
                raise port_in_use(port, what) from e
            raise


def ensure_room(folder: Path) -> None:
    """Raise `StackError` when the disk of an existing folder is as good as full."""
    if shutil.disk_usage(folder).free < FREE_BYTES_MIN:
        raise disk_full(folder)


def tail(log: Path, lines: int = 15) -> str:
    """Give the last lines of a log, or nothing when there is none."""
    try:
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""
