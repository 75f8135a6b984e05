"""Brings a stack to rest after a storm, and says what is wrong with what it then holds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from stack import recount
from stack.demo.report import unbalanced
from stack.invariants import check
from stack.invariants.topics import Spoken, spoken
from stack.plan import Plan
from stack.status import database_urls
from stack.topics import HEARS
from stack.totals import totals
from stack.trouble import StackError
from tests.support.world import World, eventually

REST_DEADLINE_S = 180.0
UNFINISHED = {"moving", "stuck"}
Totals = dict[str, Any]


@dataclass
class Effects:
    """What the witnesses saw: how many effects, and what of them should not be."""

    found: int = 0
    lost: int = 0
    doubled: int = 0
    inverted: int = 0

    def wrong(self) -> list[str]:
        counts = {"lost": self.lost, "doubled": self.doubled, "inverted": self.inverted}
        return [f"{n} effects {name}" for name, n in counts.items() if n]


@dataclass
class Verdict:
    """The totals and effects at rest, and everything that should not be."""

    totals: Totals
    effects: Effects
    wrong: list[str] = field(default_factory=list)


async def verdict_of(world: World, expected: Totals) -> Verdict:
    """Wait for rest, then ask all invariants and compare with the totals that should be."""
    wrong = await _came_to_rest(world)
    counted = totals(await recount.from_databases(database_urls(world.plan)))
    effects = await witnessed(world.plan)
    wrong += unbalanced(counted) + effects.wrong()
    wrong += [
        f"{f.where}: {f.name}: {f.broken}, {f.examples[:3]}"
        for f in await check(world.plan)
        if f.broken
    ]
    letters = await world.all("console", "/v1/dead-letters")
    wrong += [f"parked at {x['service']}: {x['reason']} {x['detail']}" for x in letters]
    wrong += [f"{n}: {counted[n]} != {expected[n]}" for n in expected if counted[n] != expected[n]]
    return Verdict(counted, effects, wrong)


async def witnessed(plan: Plan) -> Effects:
    """Compare what took effect in each service with what lies in the topics that it hears."""
    said = await spoken(plan.ports.kafka(plan.brokers).bootstrap_servers)
    found = Effects()
    for service, url in database_urls(plan).items():
        conn = await asyncpg.connect(url)
        try:
            rows = await conn.fetch("SELECT * FROM witness ORDER BY n")
            late = await conn.fetch("SELECT event_id FROM dead_letter WHERE state = 'replayed'")
        finally:
            await conn.close()
        _add(found, service, rows, [r["event_id"] for r in late], said)
    return found


def _add(
    found: Effects,
    service: str,
    rows: Sequence[asyncpg.Record],
    late: Sequence[UUID],
    said: Spoken,
) -> None:
    """Add a service's effects; what was parked and fed in again (`late`) has no witness."""
    seen = Counter(r["event_id"] for r in rows) + Counter(late)
    to_hear = set().union(*(said.ids[source] for source in HEARS[service]))
    last: Counter[tuple[str, str]] = Counter()
    for row in rows:
        subject = row["source"], row["subject"]
        found.inverted += row["sequence"] < last[subject]
        last[subject] = row["sequence"]
    found.found += len(seen)
    found.lost += len(to_hear - set(seen))
    found.doubled += sum(n - 1 for n in seen.values())


async def _came_to_rest(world: World) -> list[str]:
    unfinished: list[Any] = []

    async def still() -> bool:
        journeys = await world.all("console", "/v1/journeys")
        unfinished[:] = [j for j in journeys if j["state"] in UNFINISHED]
        return not unfinished

    try:
        await world.rest()
        await eventually(still, "no journey moves", REST_DEADLINE_S)
        await world.rest()
    except (AssertionError, StackError) as e:
        told = ("journey_id", "placement_id", "state", "service", "since")
        return [f"no rest: {e} {[[j[name] for name in told] for j in unfinished]}"]
    return []


def times(count: int, one: Totals) -> Totals:
    """Give the totals of the same load done so often."""
    return {n: times(count, v) if isinstance(v, dict) else count * v for n, v in one.items()}
