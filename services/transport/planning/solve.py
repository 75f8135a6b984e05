"""Plans with OR-Tools: capacitated routes from the counties to one place, few vehicles first."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from services.transport.domain.itinerary import BOARDING, drive_minutes, elapsed_minutes
from services.transport.planning.finish import finish
from services.transport.planning.model import Fleet, Party, Plan, Run, Task

# A vehicle more costs more than any detour, and a person left behind more than any vehicle.
VEHICLE_COST: Final = 100_000
LEFT_BEHIND_COST: Final = 10_000_000
DAYS_MAX: Final = 14


def solve(task: Task) -> Plan:
    """Plan within the task's seconds; always gives a plan, with the reason for each who is left."""
    parties = list(task.parties)
    if not parties or not task.vehicles:
        return finish(task, [], parties)
    runs = _Routes(task, parties).runs()
    aboard = {id(p) for r in runs for p in r.parties}
    return finish(task, runs, [p for p in parties if id(p) not in aboard])


class _Routes:
    """The model of a task: a node for each party, then one to start from, then the destination."""

    def __init__(self, task: Task, parties: Sequence[Party]) -> None:
        self.task = task
        self.parties = parties
        self.vehicles = task.vehicles
        count = len(self.vehicles)
        # Vehicles start anywhere: at a node without a place, from which every way is free.
        starts, ends = [len(parties)] * count, [len(parties) + 1] * count
        self.manager: Any = pywrapcp.RoutingIndexManager(len(parties) + 2, count, starts, ends)
        self.routing: Any = pywrapcp.RoutingModel(self.manager)
        self._add_time()
        self._add_load()
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
        transits: dict[Fleet, int] = {}
        for number, vehicle in enumerate(self.vehicles):
            if vehicle not in transits:
                transits[vehicle] = self.routing.RegisterTransitMatrix(self._minutes(vehicle))
            self.routing.SetArcCostEvaluatorOfVehicle(transits[vehicle], number)
            self.routing.SetFixedCostOfVehicle(VEHICLE_COST, number)
        self.routing.AddDimensionWithVehicleTransitAndCapacity(
            [transits[v] for v in self.vehicles],
            0,
            [_wheel_minutes_max(self.task, v) for v in self.vehicles],
            True,
            "minutes",
        )

    def _minutes(self, vehicle: Fleet) -> list[list[int]]:
        places = [p.place for p in self.parties]
        ways = {
            (a, b): drive_minutes(a[1], b[1], vehicle.kind) + int(BOARDING.total_seconds()) // 60
            for a in set(places)
            for b in {*places, self.task.destination}
        }
        ways |= {(a, a): 0 for a in places}
        rows = [[ways[a, b] for b in places] + [0, ways[a, self.task.destination]] for a in places]
        nothing = [0] * (len(places) + 2)
        return [*rows, nothing, nothing]

    def _add_load(self) -> None:
        sizes = [*(p.size for p in self.parties), 0, 0]
        demand = self.routing.RegisterUnaryTransitVector(sizes)
        capacities = [v.licensed_capacity for v in self.vehicles]
        self.routing.AddDimensionWithVehicleCapacity(demand, 0, capacities, True, "load")


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
