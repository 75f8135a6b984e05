"""Small rounds with groups, solved to the optimum (CP-SAT); larger ones go by prices."""

from typing import Any, Final

import numpy as np
from ortools.sat.python import cp_model

from services.recruitment.matching.groups import Group, Seated, Together
from services.recruitment.matching.market import Market
from services.recruitment.matching.tables import Arcs, Ints

#: Beyond these many pairs the search could take longer than a round may.
PAIRS_MAX: Final = 3_000
#: Of CP-SAT's own clock, which counts work and not seconds: the same on every machine.
DETERMINISTIC_LIMIT: Final = 1.0


def seat_exactly(together: Together, market: Market) -> Seated | None:
    """Seat groups as the best solution of the round does; None if too large or unproven.

    A group that was passed over too often isn't weighed against others any more: it is left to the
    heuristic.
    """
    table, groups = together.table, together.groups
    policy = table.problem.policy
    overdue = any(g.skip_count >= policy.skip_max for g in groups)
    if overdue or market.pair_count > PAIRS_MAX:
        return None
    model = _Model(together, market.everything())
    chosen = model.solve()
    if chosen is None:
        return None
    seated = Seated(free=table.free.copy(), chosen=chosen)
    np.subtract.at(seated.free, list(chosen.values()), 1)
    seated.skipped = [m for g in groups for m in g.members if m not in chosen]
    return seated


class _Model:
    """One variable a pair, one a group and cluster; the score is what they add up to."""

    def __init__(self, together: Together, arcs: Arcs) -> None:
        self._model = cp_model.CpModel()
        self._pairs: dict[tuple[int, int], Any] = {}
        self._members = together.members
        by_person: dict[int, list[Any]] = {}
        by_vacancy: dict[int, list[Any]] = {}
        worth = []
        columns = (arcs.person.tolist(), arcs.vacancy.tolist(), arcs.score.tolist())
        for person, vacancy, score in zip(*columns, strict=True):
            taken = self._model.new_bool_var("")
            self._pairs[person, vacancy] = taken
            by_person.setdefault(person, []).append(taken)
            by_vacancy.setdefault(vacancy, []).append(taken)
            worth.append(score * taken)
        for ways in by_person.values():
            self._model.add_at_most_one(ways)
        for vacancy, ways in by_vacancy.items():
            self._model.add(sum(ways) <= int(together.table.free[vacancy]))
        for group in together.groups:
            self._keep_together(group, together.clusters.members)
        self._model.maximize(sum(worth))

    def _keep_together(self, group: Group, clusters: list[Ints]) -> None:
        here = [self._model.new_bool_var("") for _ in clusters]
        self._model.add_at_most_one(here)
        for member in group.members:
            for cluster, is_here in zip(clusters, here, strict=True):
                ways = [
                    self._pairs[member, j] for j in cluster.tolist() if (member, j) in self._pairs
                ]
                self._model.add(sum(ways) == is_here)

    def solve(self) -> dict[int, int] | None:
        """Give the vacancy of each member of a group that is placed, or None without a proof."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        solver.parameters.max_deterministic_time = DETERMINISTIC_LIMIT
        if solver.solve(self._model) != cp_model.OPTIMAL:
            return None
        return {
            person: vacancy
            for (person, vacancy), taken in self._pairs.items()
            if person in self._members and solver.boolean_value(taken)
        }
