"""Solves a round: groups first at the prices of the relaxed problem, then everybody else at the optimum."""

import numpy as np

from services.recruitment.domain import rules
from services.recruitment.domain.rules import EXCLUDED, GROUP, NO_OPENING, OFFERED_BEFORE
from services.recruitment.matching.exact import seat_exactly
from services.recruitment.matching.flow import NOWHERE, assign, prices
from services.recruitment.matching.groups import Seated, groups_of, seat_groups
from services.recruitment.matching.problem import (
    NO_VACANCY,
    RULES,
    Match,
    Miss,
    Problem,
    Solution,
)
from services.recruitment.matching.tables import CHUNK, Arcs, Ints, Table

_LEFTOVER_PASSES_MAX = 20


def solve(problem: Problem) -> Solution:
    """Decide a round. The same problem gives the same solution, to the byte."""
    if not problem.candidates:
        return Solution((), (), 0, 0)
    table = Table(problem)
    count = len(problem.candidates)
    rows = np.arange(count, dtype=np.int32)
    arcs = table.arcs(rows, table.free)
    relaxed = assign(count, table.free, arcs)
    groups = groups_of(problem)
    seated = Seated(free=table.free.copy())
    chosen = relaxed
    if groups:
        exact = seat_exactly(table, groups, arcs)
        seated = exact or seat_groups(table, groups, prices(arcs, relaxed, table.free))
        members = {m for g in groups for m in g.members}
        chosen = _seat_singles(count, arcs, members, seated)
    chosen = _seat_leftovers(table, chosen, seated, {m for g in groups for m in g.members})
    total = _total(table, chosen)
    bound = max(total, _total(table, relaxed))
    matches = _matches(table, chosen)
    misses = _misses(table, chosen, {m for g in groups for m in g.members})
    return Solution(matches, misses, total, bound, tuple(seated.skipped), bool(seated.held))


def _seat_singles(count: int, arcs: Arcs, members: set[int], seated: Seated) -> Ints:
    is_single = np.ones(count, dtype=np.bool_)
    is_single[list(members)] = False
    chosen = assign(count, _free_for_singles(seated), arcs.of(is_single[arcs.person]))
    for member, vacancy in seated.chosen.items():
        chosen[member] = vacancy
    return chosen


def _free_for_singles(seated: Seated) -> Ints:
    free = seated.free.copy()
    free[list(seated.held)] = 0
    return free


def _seat_leftovers(table: Table, chosen: Ints, seated: Seated, members: set[int]) -> Ints:
    """Look beyond everybody's best vacancies, until nobody is left who fits one that is free."""
    if len(table.free) <= table.problem.policy.best_count:
        return chosen
    for _ in range(_LEFTOVER_PASSES_MAX):
        free = table.free - np.bincount(chosen[chosen != NOWHERE], minlength=len(table.free))
        free = free.astype(np.int32)
        free[list(seated.held)] = 0
        waiting = np.flatnonzero(chosen == NOWHERE).astype(np.int32)
        rows = waiting[[int(w) not in members for w in waiting]]
        arcs = table.arcs(rows, free)
        if not len(arcs.person):
            break
        more = assign(len(chosen), free, arcs)
        chosen = np.where(more == NOWHERE, chosen, more)
    return chosen


def _placed(chosen: Ints) -> Ints:
    return np.flatnonzero(chosen != NOWHERE).astype(np.int32)


def _scores(table: Table, chosen: Ints) -> Ints:
    rows = _placed(chosen)
    parts = [
        table.scores(part)[np.arange(len(part)), chosen[part]]
        for part in (rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK))
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


def _total(table: Table, chosen: Ints) -> int:
    return int(_scores(table, chosen).sum(dtype=np.int64))


def _matches(table: Table, chosen: Ints) -> tuple[Match, ...]:
    rows = _placed(chosen)
    found = zip(rows.tolist(), chosen[rows].tolist(), _scores(table, chosen).tolist(), strict=True)
    return tuple(Match(*one) for one in found)


def _misses(table: Table, chosen: Ints, members: set[int]) -> tuple[Miss, ...]:
    left = table.free - np.bincount(chosen[chosen != NOWHERE], minlength=len(table.free))
    waiting = np.flatnonzero(chosen == NOWHERE).astype(np.int32)
    if not len(table.free):
        return tuple(Miss(int(i), NO_VACANCY, None, ()) for i in waiting)
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
