"""A seeded storm over a running stack: kills, crashes, zombies; what died must come back."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

from stack.plan import Plan
from stack.runstate import running
from stack.services import is_ready
from tests.support.world import eventually

#: Longer than a consumer's session: its group goes on without it, and then it wakes up.
ZOMBIE_S = 12.0
PAUSE_S = (0.2, 2.5)
BACK_DEADLINE_S = 120.0
AIM_DEADLINE_S = 60.0
Hit = tuple[str, str]


@dataclass
class Storm:
    """What a storm does to whom, in which order: all of it follows from the seed."""

    plan: Plan
    seed: int
    hits: Sequence[Hit]
    killed: Counter[str] = field(default_factory=Counter)
    aimed: Counter[str] = field(default_factory=Counter)
    back_s: dict[str, float] = field(default_factory=dict)
    _pids: dict[str, int] = field(default_factory=dict)

    async def blow(self) -> None:
        """Hit everybody in turn, each as soon as it lives again."""
        chance = random.Random(self.seed)
        order = list(self.hits)
        chance.shuffle(order)
        async with asyncio.TaskGroup() as aftermath:
            for name, how in order:
                await asyncio.sleep(chance.uniform(*PAUSE_S))
                pid = await self._alive(name)
                self.killed[name] += how != "zombie"
                aftermath.create_task(self._hit(name, pid, how))

    async def _hit(self, name: str, pid: int, how: str) -> None:
        if how == "zombie":
            _send(pid, signal.SIGSTOP)
            await asyncio.sleep(ZOMBIE_S)
            _send(pid, signal.SIGCONT)
            return
        self._pids[name] = pid
        if how == "aimed":
            await self._aim(name, pid)
        began = time.monotonic()
        # SIGQUIT is PostgreSQL's immediate stop; nobody else is sent it.
        _send(pid, signal.SIGQUIT if how == "immediate" else signal.SIGKILL)
        await self._alive(name)
        if service := self._service(name):
            await eventually(
                lambda: asyncio.to_thread(is_ready, self.plan.ports.url(service)),
                f"{name} is ready again",
                BACK_DEADLINE_S,
            )
            self.back_s[name] = max(self.back_s.get(name, 0.0), time.monotonic() - began)

    async def _aim(self, name: str, pid: int) -> None:
        """Let a service die between effect and acknowledgement; else it is killed anyhow."""
        target = self.plan.data_dir / "aim" / str(self._service(name))
        target.touch()

        async def dead() -> bool:
            return not target.exists() or not psutil.pid_exists(pid)

        with contextlib.suppress(AssertionError):
            await eventually(dead, f"{name} hits the mark", AIM_DEADLINE_S)
        self.aimed[name] += not target.exists()
        target.unlink(missing_ok=True)

    def _service(self, name: str) -> str | None:
        service = name.rpartition("-")[0]
        return service if service in self.plan.services else None

    async def _alive(self, name: str) -> int:
        """Give the process id of somebody who lives, and not the life that we have ended."""

        async def alive() -> int | None:
            state = running(self.plan.data_dir)
            pid = state.processes.get(name) if state else None
            is_new = pid is not None and pid != self._pids.get(name)
            return pid if is_new and psutil.pid_exists(pid) else None

        pid: int = await eventually(alive, f"{name} lives", BACK_DEADLINE_S)
        return pid


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def everybody(plan: Plan, each: int) -> list[Hit]:
    """Give so many kills of each service, of PostgreSQL and of each broker; and some of a kind."""
    services = [f"{name}-{n}" for name, n in plan.replicas_of()]
    brokers = [f"kafka-{n}" for n in range(1, plan.brokers + 1)]
    hits = [(name, "kill") for name in services]
    hits += [(name, "aimed") for name in services for _ in range(each - 1)]
    hits += [(name, "kill") for name in brokers for _ in range(each - 1)]
    hits += [("postgres", "kill"), ("postgres", "immediate")] * (each - 1)
    return [*hits, (services[each % len(services)], "zombie")]
