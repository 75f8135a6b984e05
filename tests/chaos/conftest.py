"""Stacks for storms: each on a folder and ports of its own, with switches for its services."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from stack import background
from stack.plan import Plan
from stack.ports import PortPlan
from tests.chaos.lines import Lines, lines_of
from tests.chaos.runner import LINES
from tests.support.stack import People, a_port_range
from tests.support.world import World

HERE = Path(__file__).parent
#: The logs of stacks whose storm ended badly.
LOGS = Path(".data/chaos")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what kills what it started."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.chaos)


@contextmanager
def a_stack(switches: Sequence[str] = (), *, brokers: int = 1) -> Iterator[Plan]:
    """Run a stack whose consumers are slow, and broken as the switches say."""
    with _a_plan(brokers) as plan, _running(plan, switches):
        yield plan


@contextmanager
def _a_plan(brokers: int) -> Iterator[Plan]:
    folder = Path(tempfile.mkdtemp(prefix="shanhai-storm-"))
    folder.chmod(0o755)
    try:
        yield Plan(folder / "data", PortPlan(a_port_range()), brokers)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(plan: Plan, switches: Sequence[str]) -> Iterator[None]:
    runner = background.start(plan, with_us=True, program=("tests.chaos.runner", *switches))
    try:
        yield
    except BaseException:
        shutil.copytree(plan.logs, LOGS / plan.data_dir.parent.name)
        raise
    finally:
        background.stop(plan.data_dir)
        runner.wait()


@contextmanager
def a_stack_over_lines(*, brokers: int = 1) -> Iterator[tuple[Plan, Lines]]:
    """Run a stack whose services reach PostgreSQL and Kafka over lines that can break."""
    with _a_plan(brokers) as plan, lines_of(plan) as lines, _running(plan, (LINES,)):
        yield plan, lines


@asynccontextmanager
async def a_world(plan: Plan) -> AsyncIterator[World]:
    """Open the house on a fresh stack."""
    people = People(plan)
    async with people.exits:
        world = World(plan, people)
        await world.open_house()
        yield world
