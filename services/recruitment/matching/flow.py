"""The assignment of single persons: a min-cost flow, optimal for the arcs it is given."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from services.recruitment.matching.tables import Arcs, Ints

NOWHERE: Final = -1
_PRICE_PASSES_MAX: Final = 200


class UnsolvedError(Exception):
    """The solver refused a network that always has a solution: a defect, not the data's fault."""


def assign(person_count: int, free: Ints, arcs: Arcs) -> Ints:
    """Give each person the index of a vacancy or `NOWHERE`, at the greatest total score.

    A network of whole numbers in a fixed order: the same input gives the same answer. Everybody
    has a way past all vacancies that costs nothing, so a flow always exists.
    """
    chosen = np.full(person_count, NOWHERE, dtype=np.int32)
    if not len(arcs.person):
        return chosen
    people = np.unique(arcs.person)
    vacancy_count = len(free)
    first_vacancy, sink = person_count, person_count + vacancy_count
    flow = SimpleMinCostFlow()
    taken = _add(flow, (arcs.person, first_vacancy + arcs.vacancy), _ones(arcs.person), -arcs.score)
    vacancies = np.arange(vacancy_count)
    _add(flow, (first_vacancy + vacancies, np.full(vacancy_count, sink)), free, vacancies * 0)
    _add(flow, (people, np.full(len(people), sink)), _ones(people), people * 0)
    flow.set_nodes_supplies(people, _ones(people))
    flow.set_node_supply(sink, -len(people))
    if flow.solve() != flow.OPTIMAL:
        raise UnsolvedError
    used = np.asarray(flow.flows(taken)) > 0
    chosen[arcs.person[used]] = arcs.vacancy[used]
    return chosen


def _add(flow: Any, ends: tuple[Any, Any], capacity: Any, cost: Any) -> Any:  # noqa: ANN401 (untyped library)
    tails, heads = ends
    return flow.add_arcs_with_capacity_and_unit_cost(
        tails.astype(np.int32),
        heads.astype(np.int32),
        capacity.astype(np.int64),
        cost.astype(np.int64),
    )


def _ones(like: NDArray[Any]) -> NDArray[np.int64]:
    return np.ones(len(like), dtype=np.int64)


def prices(arcs: Arcs, chosen: Ints, free: Ints) -> Ints:
    """Tell what one opening of each vacancy is worth in an optimal assignment; 0 if one is left.

    The shadow prices of the flow: shortest ways in its residual network, by Bellman and Ford over
    all arcs at once. Whoever would take an opening at this price displaces others at no less.
    """
    vacancy_count = len(free)
    used = np.bincount(chosen[chosen != NOWHERE], minlength=vacancy_count)
    full = used >= free
    is_chosen = chosen[arcs.person] == arcs.vacancy
    held, others = arcs.of(is_chosen), arcs.of(~is_chosen)
    top = int(arcs.score.max(initial=0)) + 1
    price = np.where(full, top, 0).astype(np.int32)
    for _ in range(_PRICE_PASSES_MAX):
        elsewhere = np.zeros(len(chosen), dtype=np.int32)
        np.maximum.at(elsewhere, others.person, others.score - price[others.vacancy])
        lowered = price.copy()
        np.minimum.at(lowered, held.vacancy, held.score - elsewhere[held.person])
        lowered = np.where(full, np.maximum(lowered, 0), 0).astype(np.int32)
        if np.array_equal(lowered, price):
            break
        price = lowered
    return price
