"""Runs the solver in a process of its own: it would hold up everything else in this one."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

from services.transport.planning.greedy import county_by_county
from services.transport.planning.model import Plan, Task

# A plan takes a core for seconds; a second one waits for the first.
PROCESSES_MAX: Final = 1


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the one made county by county that it is measured by."""

    plan: Plan
    by_hand: Plan


class Planner:
    """Plans tasks one after the other; the process starts with the first."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(
            PROCESSES_MAX, mp_context=multiprocessing.get_context("spawn")
        )

    async def plan(self, task: Task) -> Planned:
        """Plan a task within its seconds."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, both, task)

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def both(task: Task) -> Planned:
    """Plan a task both ways."""
    # Only here: the solver's library is loaded by the process that plans, and by no other.
    from services.transport.planning.solve import solve  # noqa: PLC0415

    return Planned(solve(task), county_by_county(task))
