"""What the process runner starts, restarts, keeps, and never leaves behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from stack import background, reaper
from stack.plan import Plan
from stack.ports import PortPlan
from stack.runstate import running
from stack.status import superuser_url
from stack.trouble import StackError
from tests.support.ports import free_ports, ports_in_a_row

DEADLINE_S = 180.0

MakePlan = Callable[[str], Plan]


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


_RUNNERS: dict[Path, list[subprocess.Popen[bytes]]] = defaultdict(list)


def start(plan: Plan) -> subprocess.Popen[bytes]:
    runner = background.start(plan)
    _RUNNERS[plan.data_dir].append(runner)
    return runner


@pytest.fixture
def make_plan(open_dir: Path) -> Iterator[MakePlan]:
    """Plans of stacks without services on free ports; whatever they started is stopped after."""
    with making(open_dir) as make:
        yield make


@pytest.fixture(scope="module")
def lasting(open_dir: Path) -> Iterator[Plan]:
    """One such stack that runs, for those who leave it running."""
    with making(open_dir) as make:
        plan = make("lasting")
        start(plan)
        yield plan


@contextmanager
def making(open_dir: Path) -> Iterator[MakePlan]:
    plans: list[Plan] = []

    def make(name: str) -> Plan:
        postgres, http = free_ports(2)
        ports = PortPlan(http, {"postgres": postgres, "kafka": ports_in_a_row(6)})
        plan = Plan(open_dir / f"{name}-{postgres}", ports, services=())
        plans.append(plan)
        return plan

    try:
        yield make
    finally:
        for plan in plans:
            background.stop(plan.data_dir)
            for runner in _RUNNERS.pop(plan.data_dir, ()):
                runner.wait()


def pids(plan: Plan) -> dict[str, int]:
    state = running(plan.data_dir)
    assert state is not None
    return dict(state.processes)


def everything_below(pid: int) -> set[int]:
    return {one.pid for one in psutil.Process(pid).children(recursive=True)}


def alive(among: set[int]) -> set[int]:
    found = set()
    for pid in among:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.add(pid)
        except psutil.NoSuchProcess:
            continue
    return found


async def execute(plan: Plan, sql: str) -> object:
    conn = await asyncpg.connect(superuser_url(plan, "postgres"))
    try:
        return await conn.fetchval(sql)
    finally:
        await conn.close()


def test_a_killed_runner_leaves_no_process_behind(make_plan: MakePlan) -> None:
    plan = make_plan("killed")
    runner = start(plan)
    below = everything_below(runner.pid)
    assert len(below) > 3
    runner.kill()
    runner.wait()
    until(lambda: not alive(below), "something outlived the runner")


def test_a_stopped_runner_leaves_no_process_behind(make_plan: MakePlan) -> None:
    plan = make_plan("stopped")
    below = everything_below(start(plan).pid)
    assert background.stop(plan.data_dir)
    assert not alive(below)
    assert not background.stop(plan.data_dir)


def test_even_a_grandchild_that_left_its_group_is_reaped() -> None:
    marked = {**os.environ, reaper.MARKER_NAME: "of-this-test"}
    # Its own pipes: one that inherits ours would keep `run` waiting for their end.
    nested = (
        "import subprocess, sys; from subprocess import DEVNULL as nil;"
        "sleeper = [sys.executable, '-c', 'import time; time.sleep(600)'];"
        "child = subprocess.Popen(sleeper, stdout=nil, stderr=nil, start_new_session=True);"
        "print(child.pid)"
    )
    child = subprocess.run(
        [sys.executable, "-c", nested], env=marked, capture_output=True, check=True, timeout=30
    )
    grandchild = int(child.stdout)
    assert alive({grandchild})
    process = subprocess.Popen(
        [sys.executable, "-I", reaper.__file__, "of-this-test"], stdin=subprocess.PIPE
    )
    process.communicate(b"")
    assert process.returncode == 0
    until(lambda: not alive({grandchild}), "the grandchild outlived the reaper")


@pytest.mark.parametrize("name", ["postgres", "kafka-1"])
def test_what_dies_is_started_again(lasting: Plan, name: str) -> None:
    first = pids(lasting)[name]
    os.kill(first, signal.SIGKILL)
    until(lambda: pids(lasting).get(name, first) != first, f"{name} stayed dead")


async def test_state_survives_a_restart(make_plan: MakePlan) -> None:
    plan = make_plan("kept")
    start(plan)
    await execute(plan, "CREATE TABLE kept AS SELECT 7 AS n")
    accounts = plan.accounts_file.read_text()
    background.stop(plan.data_dir)
    start(plan)
    assert await execute(plan, "SELECT n FROM kept") == 7
    assert plan.accounts_file.read_text() == accounts


def test_two_stacks_run_side_by_side_and_end_apart(make_plan: MakePlan) -> None:
    one, other = make_plan("one"), make_plan("other")
    start(one)
    start(other)
    background.stop(one.data_dir)
    assert len(alive(set(pids(other).values()))) == 2


def test_a_second_runner_on_a_folder_is_refused(lasting: Plan) -> None:
    with pytest.raises(StackError, match="already runs"):
        start(lasting)
    assert len(alive(set(pids(lasting).values()))) == 2


def test_a_port_in_use_is_named_and_nothing_stays(make_plan: MakePlan) -> None:
    plan = make_plan("taken")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", plan.ports.postgres))
        taken.listen()
        with pytest.raises(StackError, match=f"{plan.ports.postgres} .PostgreSQL. is in use"):
            start(plan)
    assert running(plan.data_dir) is None


def test_secrets_are_their_owners_alone(lasting: Plan) -> None:
    for path in (lasting.accounts_file, lasting.master_key_file, lasting.state_file):
        assert path.stat().st_mode & 0o077 == 0, path
