"""What befalls a stack besides death: lines that hang, drag or break, moved clocks, refusing disks.

Each is a hit like a kill: `("line:lodging", "hang")`, `("clock:registry", "ahead")`,
`("disk:postgres", "torn")`; it lasts some seconds, then all is as before.
"""

import asyncio
import contextlib
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import psutil

from stack.plan import Plan
from stack.runstate import running
from tests.chaos.lines import Lines

LASTS_S: Final = (1.0, 7.0)
PAUSE_S: Final = (2.0, 15.0)
#: More than a token's life, and than any margin.
MOVED_S: Final = 600
#: A file on a torn disk ends somewhere here; what goes over that is cut off in the middle. Where
#: depends on how large files are: PostgreSQL's log comes in 16 MB, a partition of Kafka is small.
FILE_BYTES: Final = {"postgres": (4_096, 16 * 1024 * 1024), "kafka": (4_096, 200_000)}
LOOK_S: Final = 0.05
NO_LIMIT: Final = "unlimited"
#: Whose disk refuses may die of it, and then has to come back.
DISK: Final = "disk:"
Hit = tuple[str, str]


@dataclass
class Elements:
    """Hits with what is no kill; `seen` counts what was done, by kind and how."""

    plan: Plan
    lines: Lines
    seen: Counter[str] = field(default_factory=Counter)

    async def hit(self, name: str, how: str, chance: random.Random) -> None:
        """Do it, for as long as chance has it, and undo it."""
        kind, _, whom = name.partition(":")
        lasts = chance.uniform(*LASTS_S)
        match kind:
            case "line":
                await self._trouble(whom, how, lasts)
            case "clock":
                await self._move(whom, MOVED_S if how == "ahead" else -MOVED_S, lasts)
            case _:
                size = chance.randrange(*FILE_BYTES[whom.partition("-")[0]])
                await self._tear(whom, size, lasts)
        self.seen[f"{kind} {how}"] += 1

    async def _trouble(self, line: str, how: str, lasts: float) -> None:
        self.lines.trouble(line, how)
        try:
            await asyncio.sleep(lasts)
        finally:
            self.lines.mend(line)

    async def _move(self, service: str, seconds: int, lasts: float) -> None:
        told = self.plan.data_dir / "clocks" / service
        told.parent.mkdir(exist_ok=True)
        told.write_text(str(seconds), "ascii")
        try:
            await asyncio.sleep(lasts)
        finally:
            told.unlink()

    async def _tear(self, name: str, size: int, lasts: float) -> None:
        """Let no file of a server grow beyond this size: a write is cut off there, then refused.

        Who is started again meanwhile is hit, too. It needs no rights but those of its own user.
        """
        until, limited = time.monotonic() + lasts, None
        while time.monotonic() < until:
            pid = self._pid(name)
            if pid != limited:
                # What it starts from now on inherits the limit.
                _limit(pid, size)
                limited = pid
            await asyncio.sleep(LOOK_S)
        _limit(self._pid(name), NO_LIMIT)

    def _pid(self, name: str) -> int | None:
        state = running(self.plan.data_dir)
        return state.processes.get(name) if state else None


def _limit(pid: int | None, size: int | str) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if pid is not None:
            server = psutil.Process(pid)
            for process in (server, *server.children(recursive=True)):
                # As its own user: not every root may limit another's processes.
                subprocess.run(
                    ["prlimit", f"--pid={process.pid}", f"--fsize={size}:"],
                    user=process.uids().real,
                    group=process.gids().real,
                    extra_groups=[] if os.geteuid() == 0 else None,
                    stderr=subprocess.DEVNULL,
                    check=False,
                )


def elements(plan: Plan, each: int) -> Sequence[Hit]:
    """Give so many hits on each line, some moved clocks, and disks that refuse."""
    brokers = [f"kafka-{n}" for n in range(1, plan.brokers + 1)]
    hows = ("hang", "strand", "slow", "reset")
    lines = [(f"line:{n}", hows[i % 4]) for n in (*plan.services, *brokers) for i in range(each)]
    ways = ("ahead", "behind")
    clocks = [(f"clock:{n}", ways[i % 2]) for n in plan.services for i in range(each // 2)]
    disks = [(f"{DISK}{n}", "torn") for n in ("postgres", brokers[0]) for _ in range(each // 2)]
    return [*lines, *clocks, *disks]
