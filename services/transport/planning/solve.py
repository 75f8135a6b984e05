"""Plans with OR-Tools: capacitated routes from the counties to one place, few vehicles first."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from services.transport.domain.itinerary import BOARDING, drive_minutes, elapsed_minutes
from services.transport.planning.finish import finish, hindered
from services.transport.planning.model import Fleet, Party, Place, Plan, Run, Task

# A vehicle more costs more than any detour, and a person left behind more than any vehicle.
VEHICLE_COST: Final = 100_000
LEFT_BEHIND_COST: Final = 10_000_000
_BOARDING_MINUTES: Final = int(BOARDING.total_seconds()) // 60
DAYS_MAX: Final = 14
# So much driving before a leg is made up for when the search promised too much: up to a halt's.
MARGIN_MINUTES: Final = 239
Way = Callable[[Fleet, Place, Place], int]


def solve(task: Task) -> Plan:
    """Plan within the task's seconds; always gives a plan, with the reason for each who is left.

    With windows it may take those seconds twice.
    """
    parties = [p for p in task.parties if not hindered(task, p)]
    if not parties or not task.vehicles:
        return finish(task, [], task.parties)
    plan = _solved(task, parties, 0)
    if task.is_windowed and not plan.late.isdisjoint(b for p in parties for b in p.booking_ids):
        # The search counts each leg's rests by itself, so it may be short of one.
        plan = min(plan, _solved(task, parties, MARGIN_MINUTES), key=_badness)
    return plan


def _solved(task: Task, parties: Sequence[Party], margin: int) -> Plan:
    runs = _Routes(task, parties, margin).runs()
    aboard = {id(p) for r in runs for p in r.parties}
    return finish(task, runs, [p for p in task.parties if id(p) not in aboard])


def _badness(plan: Plan) -> tuple[int, int, int]:
    return len(plan.unserved), len(plan.runs), plan.waiting_minutes


class _Routes:
    """The model of a task: a node for each party, then one to start from, then the destination.

    `margin` is how much driving before a leg its rests are counted for.
    """

    def __init__(self, task: Task, parties: Sequence[Party], margin: int) -> None:
        self.task = task
        self.margin = margin
        self.parties = parties
        self.vehicles = task.vehicles
        count = len(self.vehicles)
        # Vehicles start anywhere: at a node without a place, from which every way is free.
        starts, ends = [len(parties)] * count, [len(parties) + 1] * count
        self.manager: Any = pywrapcp.RoutingIndexManager(len(parties) + 2, count, starts, ends)
        self.routing: Any = pywrapcp.RoutingModel(self.manager)
        self._add_time()
        self._add_load()
        if task.is_windowed:
            self._add_clock()
        for n, party in enumerate(parties):
            node = [self.manager.NodeToIndex(n)]
            self.routing.AddDisjunction(node, LEFT_BEHIND_COST * party.size)

    def runs(self) -> list[Run]:
        """Search; give a run for each vehicle, also empty ones, or nothing."""
        found = self.routing.SolveWithParameters(_parameters(self.task.seconds_max))
        if found is None:
            return []
        return [self._run(found, n, vehicle) for n, vehicle in enumerate(self.vehicles)]

    def _run(self, found: Any, number: int, vehicle: Fleet) -> Run:  # noqa: ANN401 (no types)
        aboard: list[Party] = []
        index = found.Value(self.routing.NextVar(self.routing.Start(number)))
        while not self.routing.IsEnd(index):
            aboard.append(self.parties[self.manager.IndexToNode(index)])
            index = found.Value(self.routing.NextVar(index))
        return Run(vehicle, aboard, list(dict.fromkeys(p.place for p in aboard)))

    def _add_time(self) -> None:
        """Minutes at the wheel, and of boarding at each new place, are cost and have a limit."""
        transits = self._transits(_wheel)
        for number, transit in enumerate(transits):
            self.routing.SetArcCostEvaluatorOfVehicle(transit, number)
            self.routing.SetFixedCostOfVehicle(VEHICLE_COST, number)
        limits = [_wheel_minutes_max(self.task, v) for v in self.vehicles]
        self.routing.AddDimensionWithVehicleTransitAndCapacity(transits, 0, limits, True, "minutes")

    def _add_clock(self) -> None:
        """The minute of each departure, and of the arrival, within what stops and people allow."""
        horizon = _minute(self.task, self.task.arrive_by)
        transits = self._transits(partial(_clock, self.task, self.margin))
        limits = [horizon] * len(self.vehicles)
        self.routing.AddDimensionWithVehicleTransitAndCapacity(
            transits, horizon, limits, False, "clock"
        )
        # The first arrival that somebody aboard needs: nothing changes it on the way.
        unchanged = self.routing.RegisterUnaryTransitVector([0] * (len(self.parties) + 2))
        self.routing.AddDimension(unchanged, 0, horizon, False, "deadline")
        clock, deadline = (self.routing.GetDimensionOrDie(n) for n in ("clock", "deadline"))
        for n, party in enumerate(self.parties):
            index = self.manager.NodeToIndex(n)
            span = self.task.span(party.place, [party])
            clock.CumulVar(index).SetMin(_minute(self.task, span.earliest))
            clock.CumulVar(index).SetMax(min(horizon, _minute(self.task, span.latest, horizon)))
            arrive_by = self.task.limits([], [party]).arrive_by
            deadline.CumulVar(index).SetMax(_minute(self.task, arrive_by))
        for number in range(len(self.vehicles)):
            end = self.routing.End(number)
            self.routing.solver().Add(clock.CumulVar(end) <= deadline.CumulVar(end))

    def _transits(self, minutes: Way) -> list[int]:
        """Register the ways between all nodes for each vehicle; vehicles alike share theirs."""
        known = {v: self._transit(v, minutes) for v in dict.fromkeys(self.vehicles)}
        return [known[v] for v in self.vehicles]

    def _transit(self, vehicle: Fleet, minutes: Way) -> int:
        places = [p.place for p in self.parties]
        ways = {
            (a, b): minutes(vehicle, a, b)
            for a in set(places)
            for b in {*places, self.task.destination}
        }
        ways |= {(a, a): 0 for a in places}
        rows = [[ways[a, b] for b in places] + [0, ways[a, self.task.destination]] for a in places]
        nothing = [0] * (len(places) + 2)
        return int(self.routing.RegisterTransitMatrix([*rows, nothing, nothing]))

    def _add_load(self) -> None:
        sizes = [*(p.size for p in self.parties), 0, 0]
        demand = self.routing.RegisterUnaryTransitVector(sizes)
        capacities = [v.licensed_capacity for v in self.vehicles]
        self.routing.AddDimensionWithVehicleCapacity(demand, 0, capacities, True, "load")


def _wheel(vehicle: Fleet, a: Place, b: Place) -> int:
    return drive_minutes(a[1], b[1], vehicle.kind) + _BOARDING_MINUTES


def _clock(task: Task, margin: int, vehicle: Fleet, a: Place, b: Place) -> int:
    driven = margin + drive_minutes(a[1], b[1], vehicle.kind)
    boarding = 0 if b == task.destination else _BOARDING_MINUTES
    return elapsed_minutes(driven, vehicle.kind, vehicle.drivers) - margin + boarding


def _minute(task: Task, moment: datetime | None, unlimited: int = 0) -> int:
    """Give the whole minutes from the plan's first moment on."""
    if moment is None:
        return unlimited
    return int((moment - task.depart_from) / timedelta(minutes=1))


def _wheel_minutes_max(task: Task, vehicle: Fleet) -> int:
    """Give the most driving that with its rests fits between the first and the last moment."""
    horizon = min(task.arrive_by - task.depart_from, timedelta(days=DAYS_MAX))
    minutes = int(horizon.total_seconds()) // 60
    low, high = 0, max(minutes, 0)
    while low < high:
        middle = (low + high + 1) // 2
        if elapsed_minutes(middle, vehicle.kind, vehicle.drivers) <= minutes:
            low = middle
        else:
            high = middle - 1
    return low


def _parameters(seconds_max: float) -> Any:  # noqa: ANN401 (no types)
    found = pywrapcp.DefaultRoutingSearchParameters()
    first, local = (
        routing_enums_pb2.FirstSolutionStrategy,
        routing_enums_pb2.LocalSearchMetaheuristic,
    )
    found.first_solution_strategy = first.PARALLEL_CHEAPEST_INSERTION
    found.local_search_metaheuristic = local.GUIDED_LOCAL_SEARCH
    found.time_limit.FromMilliseconds(int(seconds_max * 1000))
    return found
