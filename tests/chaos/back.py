"""How long a consumer is away that was killed: until it says that it has its partitions again."""

import json
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stack.plan import Plan


@dataclass(frozen=True, order=True)
class Kill:
    """When (real time, seconds) a process was killed."""

    at: float
    name: str


def away_s(plan: Plan, kills: Sequence[Kill]) -> list[float]:
    """Give how long consumers were away, for kills during which nothing it needs died as well.

    What it needs is itself, PostgreSQL and the brokers: else the time is not that of one kill.
    """
    found = []
    for kill in sorted(kills):
        if kill.name.rpartition("-")[0] in plan.services:
            log = plan.logs / f"{kill.name}.log"
            back = next(iter(_heard_again(log, kill.at)), None)
            if back and not any(_disturbs(kill, other, back) for other in kills):
                found.append(back - kill.at)
    return found


def _disturbs(kill: Kill, other: Kill, until: float) -> bool:
    if other.name == kill.name:
        # Who was killed while it started or joined counts: its heir waits for both that died.
        return kill.at < other.at < until
    # A broker that died just before is still starting.
    servers = other.name.startswith(("postgres", "kafka"))
    return servers and kill.at - STARTING_S < other.at < until


#: So long does who died shortly before still disturb the others.
STARTING_S = 10.0


def _heard_again(log: Path, after: float) -> Sequence[float]:
    times = [
        datetime.fromisoformat(line["time"]).timestamp()
        for line in map(_json, log.read_text("utf-8", "replace").splitlines())
        if line and " hears " in line["event"]
    ]
    return times[bisect(times, after) :]


def _json(line: str) -> dict[str, str] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "event" in found and "time" in found else None
