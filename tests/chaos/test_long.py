"""Storm after storm until a thousand processes were killed; `make chaos` goes on where it was.

Each run has a seed and a line in `.data/chaos/runs.jsonl`; what is written there is not run again.
`SHANHAI_KILLS=n` ends earlier, `SHANHAI_SEED=n` replays one run.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.conftest import a_stack, a_world
from tests.chaos.storm import Storm, everybody
from tests.chaos.test_storm import Weathered, weather

RUNS = Path(os.environ.get("SHANHAI_CHAOS_RUNS", ".data/chaos/runs.jsonl"))
KILLS = int(os.environ.get("SHANHAI_KILLS", "1000"))
KILLS_EACH = 8
#: Every so many runs have a cluster of three brokers.
CLUSTER_EVERY = 3
DAY_S = 86_400
Run = dict[str, Any]


@pytest.mark.slow
@pytest.mark.timeout(DAY_S)
async def test_a_thousand_kills_lose_nobody_and_double_nothing() -> None:
    """INVARIANT: summed over all runs nothing is lost, doubled or out of order."""
    if "SHANHAI_SEED" in os.environ:
        assert (await run(int(os.environ["SHANHAI_SEED"])))["wrong"] == []
        return
    for seed in seeds():
        note(await run(seed))
    known = runs()
    print(summary(known))  # noqa: T201 (what one runs it for)
    assert [r for r in known if r["wrong"]] == []
    assert sum(r["kills"] for r in known) >= KILLS


def runs() -> list[Run]:
    """Read the runs that there were."""
    lines = RUNS.read_text("utf-8").splitlines() if RUNS.exists() else []
    return [json.loads(line) for line in lines]


def note(one: Run) -> None:
    """Write a run down, so that it need not be run again."""
    RUNS.parent.mkdir(parents=True, exist_ok=True)
    with RUNS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(one, ensure_ascii=False) + "\n")


def seeds() -> Iterator[int]:
    """Give the next seed for as long as there are not enough kills."""
    known = runs()
    while sum(r["kills"] for r in known) < KILLS:
        yield 1 + max((r["seed"] for r in known), default=0)
        known = runs()


async def run(seed: int) -> Run:
    """Let one storm blow over a fresh stack."""
    began, brokers = time.monotonic(), 1 if seed % CLUSTER_EVERY else 3
    with a_stack(brokers=brokers) as plan:
        async with a_world(plan) as world:
            after = await weather(world, Storm(plan, seed, everybody(plan, KILLS_EACH)))
    return _told(after, brokers) | {"seconds": round(time.monotonic() - began)}


def _told(after: Weathered, brokers: int) -> Run:
    storm = after.storm
    return {
        "seed": storm.seed,
        "brokers": brokers,
        "kills": storm.killed.total(),
        "aimed": storm.aimed.total(),
        "killed": dict(storm.killed),
        "acknowledged": after.acknowledged,
        **asdict(after.verdict.effects),
        "back_s_max": round(max(storm.back_s.values()), 1),
        "wrong": after.verdict.wrong,
    }


def summary(known: list[Run]) -> str:
    """Sum the runs up, in one line."""
    total: Counter[str] = Counter()
    for one in known:
        total.update({n: v for n, v in one.items() if isinstance(v, int) and n != "seed"})
    slowest = max(r["back_s_max"] for r in known)
    return f"{len(known)} runs: {dict(total)}, back after {slowest} s at most"
