"""Makes runs out of routes: fills up to the minimum load, times and checks each run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from services.transport.domain.window import Miss
from services.transport.planning.model import Party, Plan, Run, Task

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_EVER: Final = datetime.max.replace(tzinfo=UTC)


def finish(task: Task, runs: Sequence[Run], left: Sequence[Party]) -> Plan:
    """Level loads until no run is below the minimum, then time and check what remains."""
    plan = Plan()
    kept = [r for r in runs if r.parties]
    eased = {id(p): miss for r in kept for p, miss in _eased(task, r)}
    kept = [r for r in kept if r.parties]
    left = _placed(task, kept, [*left, *(p for p in task.parties if id(p) in eased)])
    for run in sorted(kept, key=lambda r: r.load):
        if run.load < task.minimum_load:
            _fill_up(task, run, kept)
    for party in left:
        _leave(party, eased.get(id(party)) or hindered(task, party), plan)
    for run in list(kept):
        if run.load < task.minimum_load:
            kept.remove(run)
            plan.leave(_placed(task, kept, run.parties), "below_minimum")
    for run in kept:
        _time(task, run, plan)
    plan.runs.sort(key=lambda r: (r.places, -r.load))
    return plan


def hindered(task: Task, party: Party) -> Miss | None:
    """Give the limit that a party misses even alone, with whatever vehicle; None: it can be served.

    Without a vehicle nothing is missed.
    """
    found = None
    for fleet in task.fleets:
        missed = Run(fleet, [party], [party.place]).timed(task).misses
        if not missed:
            return None
        found = missed[0]
    return found


def _eased(task: Task, run: Run) -> list[tuple[Party, Miss]]:
    """Take those from a run whose own days it cannot keep with the others; give them."""
    found = []
    while run.parties and (missed := run.timed(task).misses):
        party = _hindrance(run, missed[0])
        run.parties.remove(party)
        found.append((party, missed[0]))
        run.tidy()
    return found


def _hindrance(run: Run, miss: Miss) -> Party:
    """Give the party with the tightest days: of the stop that is missed, or of the arrival."""
    here = [p for p in run.parties if p.place[0] == miss.stop]
    if here:
        return max(here, key=lambda p: (p.days[0] or _NEVER, p.size))
    return min(run.parties, key=lambda p: (p.days[1] or _EVER, p.size))


def _placed(task: Task, runs: Sequence[Run], parties: Sequence[Party]) -> list[Party]:
    """Put parties on runs that pass by and have room; give the others."""
    left: list[Party] = []
    for party in sorted(parties, key=lambda p: -p.size):
        run = next((r for r in runs if r.takes(task, party)), None)
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
            if spare and run.takes(task, party):
                other.parties.remove(party)
                run.parties.append(party)


def _time(task: Task, run: Run, plan: Plan) -> None:
    run.tidy()
    run.itinerary = run.timed(task)
    plan.runs.append(run)
    if run.itinerary.breaches:
        plan.leave(run.parties, "rules")


def _leave(party: Party, miss: Miss | None, plan: Plan) -> None:
    if miss is None:
        plan.leave([party], "no_vehicle")
    else:
        plan.leave_late([party], miss)
