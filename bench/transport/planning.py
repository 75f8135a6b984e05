"""Plans 1,200 people over 8 counties with 40 coaches, beside the plan made county by county.

And once more with windows: stops open from 8 to 20 o'clock of two days, and one in three people
starts a day earlier, one in four can leave a day later.
"""

import argparse
import json
import random
import sys
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.transport.domain.window import Window, misses
from services.transport.planning import Fleet, Plan, Rider, Task
from services.transport.planning.demand import parties_of
from services.transport.planning.greedy import county_by_county
from services.transport.planning.model import Days
from services.transport.planning.solve import solve

COUNTIES = ("530902", "530921", "530922", "530923", "530924", "530925", "530926", "530927")
GROUP_SIZES = (1,) * 14 + (2, 3, 4)


START, END = datetime(2027, 2, 20, tzinfo=UTC), datetime(2027, 2, 26, tzinfo=UTC)
EARLY_SHARE, LATE_SHARE = 1 / 3, 1 / 4


def a_task(people: int, coaches: int, seconds: float, *, windowed: bool = False) -> Task:
    """Give a pool from a seed: most travel alone, the others in groups of two to four."""
    dice, days = random.Random(5), random.Random(6)
    riders: list[Rider] = []
    while len(riders) < people:
        county = dice.choice(COUNTIES)
        size = min(dice.choice(GROUP_SIZES), people - len(riders))
        group = uuid.uuid4() if size > 1 else None
        theirs = their_days(days) if windowed else (None, None)
        place = (f"{county}-00", county)
        riders += [Rider(uuid.uuid4(), group, place, theirs) for _ in range(size)]
    fleets = [Fleet("coach", 45, coaches, 2)]
    task = Task(parties_of(riders), fleets, ("310114-00", "310114"), START, END, 20, seconds)
    return replace(task, windows=some_windows(days)) if windowed else task


def their_days(dice: random.Random) -> Days:
    """Give from when on somebody may leave, and before when to arrive."""
    late, early = dice.random() < LATE_SHARE, dice.random() < EARLY_SHARE
    leaves = START + timedelta(days=1) if late else None
    return leaves, END - timedelta(days=1) if early else None


def some_windows(dice: random.Random) -> dict[str, Window]:
    """Let each county's stop be open on one of the days on which one has to leave."""
    found = {}
    for county in COUNTIES:
        opens = START + timedelta(days=dice.randint(1, 2))
        found[f"{county}-00"] = Window(opens, opens + timedelta(hours=12))
    return found


def broken_windows(task: Task, plan: Plan) -> int:
    """Count the runs that miss a stop's window or somebody's days, by the checker's own look."""
    return sum(
        bool(run.itinerary is None or misses(run.itinerary.stops, limits))
        for run in plan.runs
        for limits in [task.limits(run.places, run.parties)]
    )


def figures(task: Task, plan: Plan, seconds: float) -> dict[str, float]:
    """Give what a plan costs."""
    return {
        "coaches": len(plan.runs),
        "seated": sum(r.load for r in plan.runs),
        "left": len(plan.unserved),
        "least_load": min(r.load for r in plan.runs),
        "waiting_person_hours": round(plan.waiting_minutes / 60, 1),
        "broken_windows": broken_windows(task, plan),
        "broken_rules": sum(len(r.itinerary.breaches) for r in plan.runs if r.itinerary),
        "seconds": round(seconds, 2),
    }


def main() -> None:
    """Print both plans' figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=1_200)
    parser.add_argument("--coaches", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    found = {}
    for windowed in (False, True):
        task = a_task(options.people, options.coaches, options.seconds, windowed=windowed)
        for name, way in (("planned", solve), ("county_by_county", county_by_county)):
            started = time.perf_counter()
            plan = way(task)
            named = f"{name}_with_windows" if windowed else name
            found[named] = figures(task, plan, time.perf_counter() - started)
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
