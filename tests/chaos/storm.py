"""A seeded storm over a running stack: kills, crashes, zombies; what died must come back."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

from stack.plan import Plan
from stack.runstate import running
from stack.services import is_ready
from tests.chaos import elements
from tests.chaos.back import Kill
from tests.chaos.elements import Elements
from tests.support.world import eventually

#: Longer than a consumer's session: its group goes on without it, and then it wakes up.
ZOMBIE_S = 8.0
#: Whoever the others need lives a little longer: else nothing would ever be under way.
PAUSE_S = {"postgres": (0.5, 8.0), "kafka": (0.5, 12.0)}
PAUSE_OF_OTHERS_S = (0.1, 2.5)
BACK_DEADLINE_S = 300.0
AIM_DEADLINE_S = 60.0
#: So many of a process's kills find it still starting.
HASTE = 0.25
Hit = tuple[str, str]


@dataclass
class Storm:
    """What a storm does to whom, in which order: all of it follows from the seed.

    Each kind of process is hit again and again, by itself, so kills of several overlap.
    """

    plan: Plan
    seed: int
    hits: Sequence[Hit]
    aim_deadline_s: float = AIM_DEADLINE_S
    elements: Elements | None = None
    kills: list[Kill] = field(default_factory=list)
    aimed: Counter[str] = field(default_factory=Counter)
    back_s: dict[str, float] = field(default_factory=dict)
    _pids: dict[str, int] = field(default_factory=dict)

    @property
    def killed(self) -> Counter[str]:
        """How often each process was killed."""
        return Counter(kill.name for kill in self.kills)

    async def blow(self) -> None:
        """Hit everybody at the same time, and each again soon after it lives."""
        async with asyncio.TaskGroup() as all_of_them:
            for kind in sorted({_kind(name) for name, _ in self.hits}):
                all_of_them.create_task(self._blow_at(kind))

    async def _blow_at(self, kind: str) -> None:
        chance = random.Random(f"{self.seed} {kind}")
        hits = [hit for hit in self.hits if _kind(hit[0]) == kind]
        chance.shuffle(hits)
        for name, how in hits:
            if self.elements and ":" in name:
                await asyncio.sleep(chance.uniform(*elements.PAUSE_S))
                await self.elements.hit(name, how, chance)
                if name.startswith(elements.DISK):
                    await self.back(name.removeprefix(elements.DISK))
                continue
            await asyncio.sleep(chance.uniform(*PAUSE_S.get(kind, PAUSE_OF_OTHERS_S)))
            await self.hit(name, how)
            if chance.random() >= HASTE:
                await self.back(name)
        for name in sorted({name for name, _ in hits if ":" not in name}):
            await self.back(name)

    async def hit(self, name: str, how: str) -> None:
        """Hit somebody as soon as it lives; `restart` is no kill: it is asked to stop."""
        pid = await self._alive(name)
        if how == "restart":
            self._pids[name] = pid
            _send(pid, signal.SIGTERM)
            return
        if how == "zombie":
            _send(pid, signal.SIGSTOP)
            await asyncio.sleep(ZOMBIE_S)
            _send(pid, signal.SIGCONT)
            return
        if how == "aimed":
            await self._aim(name, pid)
        # SIGQUIT is PostgreSQL's immediate stop; nobody else is sent it.
        _send(pid, signal.SIGQUIT if how == "immediate" else signal.SIGKILL)
        self._pids[name] = pid
        self.kills.append(Kill(time.time(), name))

    async def back(self, name: str) -> None:
        """Wait until a service is ready, a broker or PostgreSQL can be called."""
        began = time.monotonic()
        await self._alive(name)
        service, ports = self._service(name), self.plan.ports

        def ready() -> bool:
            if service:
                return is_ready(ports.url(service))
            if name == "postgres":
                return _answers(ports.postgres)
            number = int(name.rpartition("-")[2])
            return _answers(ports.kafka(self.plan.brokers).brokers[number - 1])

        await eventually(lambda: asyncio.to_thread(ready), f"{name} is back", BACK_DEADLINE_S)
        self.back_s[name] = max(self.back_s.get(name, 0.0), time.monotonic() - began)

    async def _aim(self, name: str, pid: int) -> None:
        """Let a service die between effect and acknowledgement; else it is killed anyhow."""
        target = self.plan.data_dir / "aim" / str(self._service(name))
        target.touch()

        async def dead() -> bool:
            return not target.exists() or not psutil.pid_exists(pid)

        with contextlib.suppress(AssertionError):
            await eventually(dead, f"{name} hits the mark", self.aim_deadline_s)
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
            if pid is None or pid == self._pids.get(name):
                return None
            return pid if psutil.pid_exists(pid) else None

        pid: int = await eventually(alive, f"{name} lives", BACK_DEADLINE_S)
        return pid


def _kind(name: str) -> str:
    """Give whom a hit is for; all brokers are one, so that mostly not all of them are away."""
    return "kafka" if name.startswith("kafka-") else name


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def everybody(plan: Plan, each: int) -> list[Hit]:
    """Give so many kills of each service, of PostgreSQL and of each broker; and some of a kind."""
    services = [f"{name}-{n}" for name, n in plan.replicas_of()]
    brokers = [f"kafka-{n}" for n in range(1, plan.brokers + 1)]
    plain = 1 + each // 4
    hits = [(name, "kill") for name in services for _ in range(plain)]
    hits += [(name, "aimed") for name in services for _ in range(each - plain)]
    # Who is one of three needs longer to be back: their kills come one after the other, too.
    each_broker = each - 1 if plan.brokers == 1 else each // 2
    hits += [(name, "kill") for name in brokers for _ in range(each_broker)]
    hits += [("postgres", "kill"), ("postgres", "immediate")] * (each - 1)
    return [*hits, (services[each % len(services)], "zombie")]
