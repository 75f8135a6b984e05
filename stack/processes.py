"""Starts child processes that end with us, even when we are killed with -9."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from stack.reaper import MARKER_NAME

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """A child to start: its words, environment, log, and the signal that it gets when we die."""

    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path | None = None
    user: tuple[int, int] | None = None
    death_signal: signal.Signals = signal.SIGKILL


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start a child; call it from a thread that lives as long as the child shall.

    The kernel sends `death_signal` when that thread ends, however it ends.
    """
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        return subprocess.Popen(
            list(program.argv),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**program.env, **_marker()},
            cwd=program.cwd,
            # A group of its own: Ctrl-C reaches the runner alone, which stops things in order.
            process_group=0,
            preexec_fn=_child_setup(program, os.getpid()),  # noqa: PLW1509 (no threads of ours here)
        )


def _marker() -> dict[str, str]:
    """Give the mark by which the reaper finds whatever a killed runner left behind."""
    marker = os.environ.get(MARKER_NAME)
    return {MARKER_NAME: marker} if marker else {}


def _child_setup(program: Program, parent: int) -> Callable[[], None]:
    user, death_signal = program.user, int(program.death_signal)

    def setup() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])
            os.umask(0o077)
        # Only after the change of user, which clears it.
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return setup


def exited(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a child has ended; what it left in its process group is killed before that.

    As long as the child is not reaped, nobody else can have its number.
    """
    if process.returncode is not None:
        return True
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def stop(process: subprocess.Popen[bytes], first: signal.Signals, *, grace_s: float) -> int:
    """End a child: the given signal, and SIGKILL when it takes longer; give its exit code."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
