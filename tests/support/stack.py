"""The whole system for tests of it: one local stack a folder of tests, on ports of its own."""

import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from stack import background, client
from stack.client import Client
from stack.plan import Plan
from stack.ports import PortPlan
from tests.support.ports import ports_in_a_row

PORTS_NEEDED = 100
#: So many half-seconds clients go on trying: who was killed needs long on a machine at work.
PATIENCE = 360
#: The runners of each folder, so that none is left as a zombie; other folders' may go on running.
RUNNERS: dict[Path, list[subprocess.Popen[bytes]]] = defaultdict(list)


def a_port_range() -> int:
    """Give a console port from which on the ports of a whole stack are free."""
    return ports_in_a_row(PORTS_NEEDED)


def restart(plan: Plan) -> None:
    """Stop a stack in good order and start it again on its folder."""
    background.stop(plan.data_dir)
    RUNNERS[plan.data_dir].append(background.start(plan, with_us=True))


@pytest.fixture(scope="package")
def stack() -> Iterator[Plan]:
    """A running local stack; it ends with its folder of tests, or when the process dies."""
    folder = Path(tempfile.mkdtemp(prefix="shanhai-stack-"))
    folder.chmod(0o755)
    plan = Plan(folder / "data", PortPlan(a_port_range()))
    RUNNERS[plan.data_dir].append(background.start(plan, with_us=True))
    yield plan
    background.stop(plan.data_dir)
    for runner in RUNNERS.pop(plan.data_dir):
        runner.wait()
    shutil.rmtree(folder, ignore_errors=True)


class People:
    """Clients of the stack's accounts, opened when they are asked for: `people["admin"]`."""

    def __init__(self, plan: Plan) -> None:
        client.TRIES = PATIENCE  # type: ignore[misc]
        self._plan = plan
        self._opened: dict[str, Client] = {}
        self.exits = AsyncExitStack()

    def __getitem__(self, name: str) -> Client:
        if name not in self._opened:
            self._opened[name] = Client.of(self._plan, name)
            self.exits.push_async_exit(self._opened[name])
        return self._opened[name]


@pytest_asyncio.fixture(scope="package")
async def people(stack: Plan) -> AsyncIterator[People]:
    """The accounts of the stack at work."""
    found = People(stack)
    async with found.exits:
        yield found
