"""Makes runs out of routes: fills up to the minimum load, times and checks each run."""

from collections.abc import Sequence

from services.transport.domain.itinerary import itinerary
from services.transport.planning.model import Party, Plan, Run, Task


def finish(task: Task, runs: Sequence[Run], left: Sequence[Party]) -> Plan:
    """Level loads until no run is below the minimum, then time and check what remains."""
    kept = [r for r in runs if r.parties]
    left = _placed(kept, left)
    for run in sorted(kept, key=lambda r: r.load):
        if run.load < task.minimum_load:
            _fill_up(task, run, kept)
    plan = Plan()
    plan.leave(left, "no_vehicle")
    for run in list(kept):
        if run.load < task.minimum_load:
            kept.remove(run)
            plan.leave(_placed(kept, run.parties), "below_minimum")
    for run in kept:
        _time(task, run, plan)
    plan.runs.sort(key=lambda r: (r.places, -r.load))
    return plan


def _placed(runs: Sequence[Run], parties: Sequence[Party]) -> list[Party]:
    """Put parties on runs that pass by and have room; give the others."""
    left: list[Party] = []
    for party in sorted(parties, key=lambda p: -p.size):
        run = next((r for r in runs if party.place in r.places and r.holds(party)), None)
        if run is None:
            left.append(party)
        else:
            run.parties.append(party)
    return left


def _fill_up(task: Task, run: Run, runs: Sequence[Run]) -> None:
    """Take parties from fuller runs of the same places, as long as those keep their minimum."""
    for other in sorted(runs, key=lambda r: -r.load):
        for party in sorted(other.parties, key=lambda p: p.size):
            if run.load >= task.minimum_load:
                return
            spare = other is not run and other.load - party.size >= task.minimum_load
            if spare and party.place in run.places and run.holds(party):
                other.parties.remove(party)
                run.parties.append(party)


def _time(task: Task, run: Run, plan: Plan) -> None:
    run.tidy()
    way = [*run.places, task.destination]
    run.itinerary = itinerary(way, run.vehicle.kind, run.vehicle.drivers, task.arrive_by)
    plan.runs.append(run)
    first = run.itinerary.stops[0].departs_at
    if run.itinerary.breaches:
        plan.leave(run.parties, "rules")
    elif first is None or first < task.depart_from:
        plan.leave(run.parties, "too_late")
