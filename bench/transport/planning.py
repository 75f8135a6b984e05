"""Plans 1,200 people over 8 counties with 40 coaches, beside the plan made county by county."""

import argparse
import json
import random
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta

from services.transport.planning import Fleet, Plan, Task
from services.transport.planning.demand import parties_of
from services.transport.planning.greedy import county_by_county
from services.transport.planning.solve import solve

COUNTIES = ("530902", "530921", "530922", "530923", "530924", "530925", "530926", "530927")
GROUP_SIZES = (1,) * 14 + (2, 3, 4)


def a_task(people: int, coaches: int, seconds: float) -> Task:
    """Give a pool from a seed: most travel alone, the others in groups of two to four."""
    dice = random.Random(5)
    rows = []
    while len(rows) < people:
        county = dice.choice(COUNTIES)
        size = min(dice.choice(GROUP_SIZES), people - len(rows))
        group = uuid.uuid4() if size > 1 else None
        rows += [(uuid.uuid4(), group, (f"{county}-00", county)) for _ in range(size)]
    start = datetime(2027, 2, 20, tzinfo=UTC)
    fleets = [Fleet("coach", 45, coaches, 2)]
    destination = ("310114-00", "310114")
    end = start + timedelta(days=6)
    return Task(parties_of(rows), fleets, destination, start, end, 20, seconds)


def figures(plan: Plan, seconds: float) -> dict[str, float]:
    """Give what a plan costs."""
    return {
        "coaches": len(plan.runs),
        "seated": sum(r.load for r in plan.runs),
        "left": len(plan.unserved),
        "least_load": min(r.load for r in plan.runs),
        "waiting_person_hours": round(plan.waiting_minutes / 60, 1),
        "broken_rules": sum(len(r.itinerary.breaches) for r in plan.runs if r.itinerary),
        "seconds": round(seconds, 2),
    }


def main() -> None:
    """Print both plans' figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_200)
    parser.add_argument("--coaches", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    task = a_task(options.people, options.coaches, options.seconds)
    found = {}
    for name, way in (("planned", solve), ("county_by_county", county_by_county)):
        started = time.perf_counter()
        plan = way(task)
        found[name] = figures(plan, time.perf_counter() - started)
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
