"""Starts a stack in the background, waits for it, and ends it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stack import processes
from stack.plan import Plan
from stack.runstate import is_locked, running
from stack.services import PROJECT
from stack.trouble import StackError, tail

START_TIMEOUT_S: Final = 600.0
STOP_TIMEOUT_S: Final = 120.0
POLL_INTERVAL_S: Final = 0.05
RUNNER: Final = ("stack.runner",)


def start(
    plan: Plan, *, with_us: bool = False, program: Sequence[str] = RUNNER
) -> subprocess.Popen[bytes]:
    """Start a runner in the background and wait until all is ready; raises `StackError`.

    With `with_us` the kernel ends it in good order when this process ends, however that happens.
    `program` is the runner: a module and its first arguments.
    """
    log = plan.logs / "runner.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    argv = [sys.executable, "-m", *program, plan.to_json()]
    if with_us:
        runner = processes.start(
            processes.Program(argv, log, cwd=PROJECT, death_signal=signal.SIGTERM)
        )
    else:
        with log.open("ab") as out:
            runner = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=PROJECT,
                start_new_session=True,
            )  # fmt: skip
    _wait_ready(plan, runner, log)
    return runner


def stop(data_dir: Path) -> bool:
    """End the stack of a data folder in good order and wait; tell whether there was one."""
    plan = Plan(data_dir)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    if not is_locked(plan.lock_file):
        return False
    while is_locked(plan.lock_file):
        state = running(data_dir)
        if state is not None and state.phase != "stopping":
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.pid, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise StackError(
                f"系统未能在 {STOP_TIMEOUT_S:.0f} 秒内停止。",
                f"the stack did not stop within {STOP_TIMEOUT_S:.0f} s.",
            )
        time.sleep(POLL_INTERVAL_S)
    return True


def _wait_ready(plan: Plan, runner: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        state = running(plan.data_dir)
        if state is not None and state.pid == runner.pid and state.phase == "ready":
            return
        if runner.poll() is not None:
            said = tail(log, 40).strip().splitlines()
            raise StackError("\n".join(said[:-1]) or "系统未能启动。", said[-1] if said else "")
        time.sleep(POLL_INTERVAL_S)
    raise StackError("系统未能及时启动。", f"the stack did not start in time ({log}).")
