"""What all storms so far came to: `python -m tests.chaos.sums`.

Each run is a file `.data/chaos/runs/<seed>.json`; a seed that lies there is not run again.
"""

import json
import os
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.chaos.weather import Weathered

RUNS = Path(os.environ.get("SHANHAI_CHAOS_RUNS", ".data/chaos/runs"))
#: What the issue of proof asks: a consumer is back within so long after one kill.
BACK_S_MAX = 15.0
_SUMMED = ("kills", "aimed", "acknowledged", "found", "lost", "doubled", "inverted", "seconds")
Run = dict[str, Any]


def told(after: Weathered, brokers: int, seconds: float) -> Run:
    """Give a storm as it is written down."""
    storm = after.storm
    return {
        "seed": storm.seed,
        "brokers": brokers,
        "kills": storm.killed.total(),
        "aimed": storm.aimed.total(),
        "killed": dict(sorted(storm.killed.items())),
        "acknowledged": after.acknowledged,
        **asdict(after.verdict.effects),
        "elements": dict(sorted(storm.elements.seen.items())) if storm.elements else {},
        "ready_s_max": round(max(storm.back_s.values()), 1),
        "heard_again_s": [round(s, 1) for s in after.away_s],
        "seconds": round(seconds),
        "wrong": after.verdict.wrong,
    }


def note(one: Run, runs: Path = RUNS) -> None:
    """Write a run down, so that it need not be run again."""
    runs.mkdir(parents=True, exist_ok=True)
    text = json.dumps(one, ensure_ascii=False, indent=1)
    (runs / f"{one['seed']}.json").write_text(text, "utf-8")


def known(runs: Path = RUNS) -> list[Run]:
    """Read the runs that there were, by seed."""
    found = [json.loads(path.read_text("utf-8")) for path in runs.glob("*.json")]
    return sorted(found, key=lambda one: int(one["seed"]))


def summed(runs: list[Run]) -> Run:
    """Sum runs up."""
    killed: Counter[str] = Counter()
    for one in runs:
        killed.update(one["killed"])
    away = sorted(s for one in runs for s in one["heard_again_s"])
    weather: Counter[str] = Counter()
    for one in runs:
        weather.update(one.get("elements", {}))
    return {
        "runs": len(runs),
        "seeds": [one["seed"] for one in runs],
        **{name: sum(one[name] for one in runs) for name in _SUMMED},
        "killed": dict(sorted(killed.items())),
        "elements": dict(sorted(weather.items())),
        "heard_again": {
            "kills": len(away),
            "later_than_15_s": sum(s > BACK_S_MAX for s in away),
            "median_s": away[len(away) // 2] if away else None,
            "max_s": away[-1] if away else None,
        },
        "seeds_with_something_wrong": [one["seed"] for one in runs if one["wrong"]],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(summed(known()), ensure_ascii=False, indent=1) + "\n")
