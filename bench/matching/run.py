"""Times matching rounds: seconds, memory, gap to the bound, and what first come first served gives.

The bound is the relaxation's: openings at their prices, groups together. A goal that isn't met is
named, and the exit code is 1.

`python -m bench.matching.run [--json FILE]`; each size runs in a process of its own, so that its
peak of memory is its own.
"""

import argparse
import hashlib
import json
import multiprocessing
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.matching.world import a_world
from services.recruitment.matching.problem import Problem, Solution
from services.recruitment.matching.solve import solve
from services.recruitment.matching.tables import Table

SIZES = ((5_000, 200, 0.0), (5_000, 200, 0.2), (25_000, 1_000, 0.0), (25_000, 1_000, 0.2))
SECONDS_MAX = {5_000: 1.0, 25_000: 10.0}
MEGABYTES_MAX = 1_000
GAP_MAX = 0.01


def first_come(problem: Problem) -> tuple[int, int]:
    """Give the placed and the total score when each takes the best that is free, in order, alone.

    It splits groups, which a round may not: so it has the easier task.
    """
    table = Table(problem)
    free = table.free.copy()
    placed = total = 0
    for start in range(0, len(problem.candidates), 500):
        rows = np.arange(start, min(start + 500, len(problem.candidates)), dtype=np.int32)
        fits = table.failed_counts(rows) == 0
        scores = table.scores(rows)
        for place in range(len(rows)):
            open_to = np.where(fits[place] & (free > 0), scores[place], -1)
            best = int(open_to.argmax())
            if open_to[best] >= 0:
                free[best] -= 1
                placed += 1
                total += int(open_to[best])
    return placed, total


def measure(people: int, vacancies: int, group_share: float) -> dict[str, Any]:
    """Solve one size and hold the result against its bound and against first come first served."""
    problem = a_world(people, vacancies, group_share=group_share)
    started, worked = time.perf_counter(), time.process_time()
    solution = solve(problem)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - worked
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    placed, total = first_come(problem)
    return {
        "people": people,
        "vacancies": vacancies,
        "groups": len({c.group_id for c in problem.candidates if c.group_id}),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "megabytes": round(megabytes),
        "placed": len(solution.matches),
        "score": solution.total,
        "gap_to_bound": round(1 - solution.total / solution.bound, 5),
        "digest": _digest(solution),
        "first_come_placed": placed,
        "first_come_score": total,
        "score_over_first_come": round(solution.total / total - 1, 4),
    }


def _digest(solution: Solution) -> str:
    """Tell by a few letters whether two runs decided the same, byte for byte."""
    return hashlib.sha256(repr(solution).encode()).hexdigest()[:16]


def goals_missed(found: dict[str, Any]) -> list[str]:
    """Name the figures of one size that exceed what they may be."""
    limits = {
        "seconds": SECONDS_MAX[found["people"]],
        "megabytes": MEGABYTES_MAX,
        "gap_to_bound": GAP_MAX,
    }
    return [f"{n} {found[n]} > {limit}" for n, limit in limits.items() if found[n] > limit]


def main() -> None:
    """Run all sizes, print a line each, and stop with 1 where a goal isn't met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = []
    for size in SIZES:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found.append(pool.apply(measure, size))
        print(json.dumps(found[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    missed = [f"{f['people']} x {f['vacancies']}: {m}" for f in found for m in goals_missed(f)]
    for text in missed:
        print(f"未达标  goal missed: {text}")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
