"""Solves a round: groups at the prices of the relaxed problem, then singles at the optimum."""

import numpy as np

from services.recruitment.domain import rules
from services.recruitment.domain.rules import EXCLUDED, GROUP, NO_OPENING, OFFERED_BEFORE
from services.recruitment.matching.exact import seat_exactly
from services.recruitment.matching.flow import NOWHERE, assign
from services.recruitment.matching.groups import Seated, Together
from services.recruitment.matching.market import Market, Relaxed
from services.recruitment.matching.problem import (
    NO_VACANCY,
    RULES,
    Match,
    Miss,
    Problem,
    Solution,
)
from services.recruitment.matching.tables import CHUNK, Arcs, Bools, Ints, Table

_LEFTOVER_PASSES_MAX = 20


def solve(problem: Problem) -> Solution:
    """Decide a round. The same problem gives the same solution, to the byte."""
    if not problem.candidates or not problem.vacancies:
        nobody = (Miss(i, NO_VACANCY, None, ()) for i in range(len(problem.candidates)))
        return Solution((), tuple(nobody), 0, 0)
    table, policy = Table(problem), problem.policy
    together, market = Together(table), Market(table)
    together.keep_out(market)
    relaxed = market.relax(policy.best_count, policy.passes_max)
    seated = Seated(free=table.free.copy())
    singles = np.array(
        [i for i in range(len(problem.candidates)) if i not in together.members], dtype=np.int32
    )
    chosen = relaxed.chosen
    if together.groups:
        seated = seat_exactly(together, market) or together.seat(relaxed.price)
        chosen = _seat_singles(len(chosen), relaxed.arcs.of(_are_single(relaxed, together)), seated)
        chosen = _seat_skipped(together, chosen, seated)
    chosen = _seat_leftovers(market, table, chosen, (seated, singles))
    total = _total(table, chosen)
    return Solution(
        matches=_matches(table, chosen),
        misses=_misses(table, chosen, seated, together.members),
        total=total,
        bound=together.bound(relaxed.price, relaxed.bound),
        skipped=tuple(seated.skipped),
        held=bool(seated.held),
    )


def _are_single(relaxed: Relaxed, together: Together) -> Bools:
    is_single = np.ones(len(relaxed.chosen), dtype=np.bool_)
    is_single[list(together.members)] = False
    return is_single[relaxed.arcs.person]


def _seat_singles(count: int, arcs: Arcs, seated: Seated) -> Ints:
    chosen = assign(count, _free_for_singles(seated), arcs)
    for member, vacancy in seated.chosen.items():
        chosen[member] = vacancy
    return chosen


def _seat_skipped(together: Together, chosen: Ints, seated: Seated) -> Ints:
    added = together.seat_in_rest(seated, _left(together.table, chosen))
    for member, vacancy in added.items():
        chosen[member] = vacancy
    seated.skipped = [m for m in seated.skipped if m not in added]
    if not seated.skipped:
        seated.held.clear()
    return chosen


def _left(table: Table, chosen: Ints) -> Ints:
    """Count the openings that nobody was given."""
    used = np.bincount(chosen[chosen != NOWHERE], minlength=len(table.free))
    left: Ints = (table.free - used).astype(np.int32)
    return left


def _free_for_singles(seated: Seated) -> Ints:
    free = seated.free.copy()
    free[list(seated.held)] = 0
    return free


def _seat_leftovers(market: Market, table: Table, chosen: Ints, rest: tuple[Seated, Ints]) -> Ints:
    """Look beyond everybody's best vacancies, until nobody is left who fits one that is free."""
    seated, singles = rest
    count = table.problem.policy.best_count
    for _ in range(_LEFTOVER_PASSES_MAX):
        free = _left(table, chosen)
        free[list(seated.held)] = 0
        arcs = market.best(singles[chosen[singles] == NOWHERE], free > 0, count)
        if not len(arcs.person):
            break
        more = assign(len(chosen), free, arcs)
        chosen = np.where(more == NOWHERE, chosen, more)
    return chosen


def _placed(chosen: Ints) -> Ints:
    return np.flatnonzero(chosen != NOWHERE).astype(np.int32)


def _scores(table: Table, chosen: Ints) -> Ints:
    rows = _placed(chosen)
    return table.scores_of(rows, chosen[rows])


def _total(table: Table, chosen: Ints) -> int:
    return int(_scores(table, chosen).sum(dtype=np.int64))


def _matches(table: Table, chosen: Ints) -> tuple[Match, ...]:
    rows = _placed(chosen)
    found = zip(rows.tolist(), chosen[rows].tolist(), _scores(table, chosen).tolist(), strict=True)
    return tuple(Match(*one) for one in found)


def _misses(table: Table, chosen: Ints, seated: Seated, members: set[int]) -> tuple[Miss, ...]:
    left = _left(table, chosen)
    left[list(seated.held)] = 0
    waiting = np.flatnonzero(chosen == NOWHERE).astype(np.int32)
    misses: list[Miss] = []
    for start in range(0, len(waiting), CHUNK):
        rows = waiting[start : start + CHUNK]
        failed = table.failed_counts(rows).astype(np.int64) + (left <= 0)
        # The fewest rules first, then the best score, then the order of the vacancies.
        nearest = np.argmin(failed * 1_000_000 - table.scores(rows), axis=1)
        misses += [
            _miss(table.problem, int(i), int(j), (left <= 0, members))
            for i, j in zip(rows, nearest, strict=True)
        ]
    return tuple(misses)


def _miss(problem: Problem, person: int, vacancy: int, state: tuple[np.ndarray, set[int]]) -> Miss:
    is_full, members = state
    candidate, job = problem.candidates[person], problem.vacancies[vacancy]
    pair = (candidate.nomination_id, job.vacancy_id)
    failed = rules.judge(candidate, job, problem.today).failed
    barriers = {
        OFFERED_BEFORE: pair in problem.offered,
        EXCLUDED: pair in problem.excluded,
        NO_OPENING: bool(is_full[vacancy]),
    }
    stands = (*failed, *(code for code, yes in barriers.items() if yes))
    return Miss(person, _reason(failed, stands, person in members), vacancy, stands or (GROUP,))


def _reason(failed: tuple[str, ...], stands: tuple[str, ...], in_group: bool) -> str:  # noqa: FBT001
    if failed:
        return RULES
    if in_group:
        return GROUP
    return NO_OPENING if stands == (NO_OPENING,) else stands[0]
