"""One assignment a round: the best there is, the same each time, groups together or not at all."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from random import Random

import numpy as np
import pytest

from services.recruitment.domain import rules, score
from services.recruitment.matching import exact
from services.recruitment.matching import solve as solving
from services.recruitment.matching.problem import Policy, Problem, Solution
from services.recruitment.matching.solve import solve
from services.recruitment.matching.tables import Table
from tests.unit.recruitment.people import (
    ENTERPRISES,
    OCCUPATIONS,
    OFFICES,
    a_candidate,
    a_problem,
    a_random_problem,
    a_vacancy,
)


def score_of(problem: Problem, person: int, vacancy: int) -> int:
    candidate, job = problem.candidates[person], problem.vacancies[vacancy]
    pair = (candidate.nomination_id, job.vacancy_id)
    equity = problem.equity.get(candidate.office_id, 0)
    parts = score.parts(candidate, job, equity=equity, preferred=pair in problem.preferred)
    return sum(parts.values())


def fits(problem: Problem, person: int, vacancy: int) -> bool:
    candidate, job = problem.candidates[person], problem.vacancies[vacancy]
    pair = (candidate.nomination_id, job.vacancy_id)
    barred = pair in problem.offered or pair in problem.excluded
    return not barred and not rules.judge(candidate, job, problem.today).failed


def assignments(problem: Problem) -> Iterator[tuple[int | None, ...]]:
    people, count = len(problem.candidates), len(problem.vacancies)
    ways: list[list[int | None]] = [
        [None, *(j for j in range(count) if fits(problem, i, j))] for i in range(people)
    ]
    return itertools.product(*ways)


def is_allowed(problem: Problem, chosen: tuple[int | None, ...]) -> bool:
    used = Counter(j for j in chosen if j is not None)
    if any(n > problem.vacancies[j].free for j, n in used.items()):
        return False
    groups: dict[object, set[object]] = {}
    for person, j in enumerate(chosen):
        group = problem.candidates[person].group_id
        if group is not None:
            cluster = None if j is None else problem.vacancies[j].cluster
            groups.setdefault(group, set()).add(cluster)
    return all(len(where) == 1 for where in groups.values())


def best_by_force(problem: Problem) -> int:
    return max(
        sum(score_of(problem, i, j) for i, j in enumerate(chosen) if j is not None)
        for chosen in assignments(problem)
        if is_allowed(problem, chosen)
    )


def chosen_of(problem: Problem, solution: Solution) -> tuple[int | None, ...]:
    chosen: list[int | None] = [None] * len(problem.candidates)
    for match in solution.matches:
        chosen[match.candidate] = match.vacancy
    return tuple(chosen)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("group_share", [0.0, 0.7])
def test_small_rounds_are_solved_to_the_optimum_that_trying_everything_finds(
    seed: int, group_share: float
) -> None:
    problem = a_random_problem(Random(seed), 6, 4, group_share=group_share)
    solution = solve(problem)
    assert is_allowed(problem, chosen_of(problem, solution))
    assert all(fits(problem, m.candidate, m.vacancy) for m in solution.matches)
    assert solution.total == sum(m.score for m in solution.matches) == best_by_force(problem)
    assert solution.bound >= solution.total


@pytest.mark.parametrize("seed", range(30))
def test_the_bound_is_one_that_no_assignment_exceeds_also_where_groups_go_by_prices(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "PAIRS_MAX", 0)
    problem = a_random_problem(Random(seed), 6, 4, group_share=0.7)
    solution = solve(problem)
    assert is_allowed(problem, chosen_of(problem, solution))
    assert solution.total <= best_by_force(problem) <= solution.bound


@pytest.mark.parametrize("seed", range(10))
def test_every_score_and_every_rule_recomputes_to_the_same_from_the_printed_parts(
    seed: int,
) -> None:
    problem = a_random_problem(Random(seed), 40, 12)
    pairs = [(c.nomination_id, v.vacancy_id) for c in problem.candidates for v in problem.vacancies]
    random = Random(seed)
    problem = a_problem(
        list(problem.candidates),
        list(problem.vacancies),
        equity=problem.equity,
        preferred=frozenset(random.sample(pairs, 20)),
        offered=frozenset(random.sample(pairs, 20)),
    )
    table = Table(problem)
    rows = np.arange(40, dtype=np.int32)
    scores, failed = table.scores(rows), table.failed_counts(rows)
    for i, j in itertools.product(range(40), range(12)):
        candidate, job = problem.candidates[i], problem.vacancies[j]
        barred = (candidate.nomination_id, job.vacancy_id) in problem.offered
        verdict = rules.judge(candidate, job, problem.today)
        assert set(verdict.passed) | set(verdict.failed) == set(rules.RULES)
        assert failed[i, j] == len(verdict.failed) + barred
        assert scores[i, j] == score_of(problem, i, j)


@pytest.mark.parametrize("group_share", [0.0, 0.4])
def test_the_same_input_gives_the_same_bytes(group_share: float) -> None:
    def bytes_of() -> bytes:
        problem = a_random_problem(Random(7), 300, 120, group_share=group_share, best_count=40)
        return json.dumps(asdict(solve(problem)), default=str).encode()

    assert bytes_of() == bytes_of()


@pytest.mark.parametrize("seed", range(5))
def test_larger_rounds_never_part_a_group_nor_exceed_openings_and_come_near_the_bound(
    seed: int,
) -> None:
    problem = a_random_problem(Random(seed), 400, 60, group_share=0.4)
    solution = solve(problem)
    assert is_allowed(problem, chosen_of(problem, solution))
    assert all(fits(problem, m.candidate, m.vacancy) for m in solution.matches)
    assert solution.total >= 0.97 * solution.bound
    assert {m.candidate for m in solution.matches} | {m.candidate for m in solution.misses} == set(
        range(400)
    )


def test_not_whoever_came_first_but_who_suits_best_gets_the_opening() -> None:
    welder = a_candidate(1, occupation_codes=(OCCUPATIONS[2],))
    sewer = a_candidate(2)
    solution = solve(a_problem([welder, sewer], [a_vacancy(1)]))
    assert [(m.candidate, m.vacancy) for m in solution.matches] == [(1, 0)]
    (miss,) = solution.misses
    assert (miss.candidate, miss.reason, miss.rules) == (0, "no_opening", ("no_opening",))


def test_everybody_who_fits_something_free_is_placed_although_all_look_alike() -> None:
    """Only the best few vacancies of each are looked at; the same few for all would starve many."""
    people = [a_candidate(i) for i in range(300)]
    jobs = [a_vacancy(j, free=3, openings=3) for j in range(100)]
    solution = solve(a_problem(people, jobs, policy=Policy(best_count=10)))
    assert len(solution.matches) == 300


def test_the_nearest_miss_is_the_vacancy_that_fewest_rules_stand_against() -> None:
    problem = a_problem(
        [a_candidate(1, gender="female", birth_year_month="1960-01")],
        [
            a_vacancy(1, gender="male", age_max=45),
            a_vacancy(2, age_max=45),
            a_vacancy(3, gender="male", age_max=45, certificate_codes=("TZZY-11",)),
        ],
    )
    (miss,) = solve(problem).misses
    assert (miss.reason, miss.vacancy, miss.rules) == ("rules", 1, ("age_max",))


def test_an_office_of_which_fewer_are_placed_comes_first_among_equals() -> None:
    people = [a_candidate(1, office_id=OFFICES[0]), a_candidate(2, office_id=OFFICES[1])]
    equity = {OFFICES[0]: 10, OFFICES[1]: 90}
    (match,) = solve(a_problem(people, [a_vacancy(1)], equity=equity)).matches
    assert match.candidate == 1


def test_what_was_offered_or_excluded_before_is_left_out_and_what_is_preferred_wins() -> None:
    person, jobs = a_candidate(1), [a_vacancy(1), a_vacancy(2, pay_min=4000, pay_max=4500)]
    first, second = ((person.nomination_id, job.vacancy_id) for job in jobs)
    problem = a_problem([person], jobs, preferred=frozenset({second}))
    assert [m.vacancy for m in solve(problem).matches] == [1]
    problem = a_problem([person], jobs, offered=frozenset({first}))
    assert [m.vacancy for m in solve(problem).matches] == [1]
    barred = {"offered": frozenset({first}), "excluded": frozenset({second})}
    (miss,) = solve(a_problem([person], jobs, **barred)).misses
    assert (miss.reason, miss.rules) == ("offered_before", ("offered_before",))


def a_group_of(size: int, **overrides: object) -> list[object]:
    group_id = ENTERPRISES[3]
    return [a_candidate(100 + i, group_id=group_id, **overrides) for i in range(size)]


@pytest.mark.parametrize("exactly", [True, False])
def test_a_group_goes_to_one_enterprise_and_town_or_nowhere(
    *, exactly: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exactly:
        monkeypatch.setattr(solving, "seat_exactly", lambda *_: None)
    scattered = [
        a_vacancy(1, free=2, openings=2),
        a_vacancy(2, free=2, openings=2, town="310151 长兴镇"),
        a_vacancy(3, free=2, openings=2, enterprise_id=ENTERPRISES[1]),
    ]
    solution = solve(a_problem(a_group_of(3), scattered))
    assert not solution.matches
    assert {m.reason for m in solution.misses} == {"group"}
    assert solution.skipped == (0, 1, 2)
    together = [*scattered, a_vacancy(4, free=1, openings=1)]
    solution = solve(a_problem(a_group_of(3), together))
    assert sorted(m.vacancy for m in solution.matches) == [0, 0, 3]


def test_a_group_that_was_passed_over_too_often_goes_first_whatever_it_costs() -> None:
    """Six single persons are worth more here than a group of four that suits less."""
    singles = [a_candidate(i) for i in range(4)]
    jobs = [a_vacancy(1, free=4, openings=4)]
    unlike = {"occupation_codes": (OCCUPATIONS[3],)}
    fresh = solve(a_problem([*singles, *a_group_of(4, **unlike)], jobs))
    assert {m.candidate for m in fresh.matches} == {0, 1, 2, 3}
    overdue = solve(a_problem([*singles, *a_group_of(4, **unlike, skip_count=3)], jobs))
    assert {m.candidate for m in overdue.matches} == {4, 5, 6, 7}


def test_openings_are_kept_for_a_group_overdue_but_not_for_ever() -> None:
    """Five of eight openings are free: singles wait for some rounds, then they get them."""
    singles = [a_candidate(i) for i in range(5)]
    jobs = [a_vacancy(1, free=5, openings=8)]
    policy = Policy(skip_max=3, hold_max=2)
    for skip_count, is_kept in [(0, False), (2, False), (3, True), (4, True), (5, False)]:
        group = a_group_of(8, skip_count=skip_count)
        solution = solve(a_problem([*singles, *group], jobs, policy=policy))
        assert solution.held is is_kept
        assert len(solution.matches) == (0 if is_kept else 5)


def test_without_persons_or_vacancies_a_round_has_little_to_say() -> None:
    assert solve(a_problem([], [a_vacancy(1)])) == Solution((), (), 0, 0)
    solution = solve(a_problem([a_candidate(1), *a_group_of(2)], []))
    assert [m.reason for m in solution.misses] == ["no_vacancy"] * 3
    full = solve(a_problem([a_candidate(1), *a_group_of(2)], [a_vacancy(1, free=0)]))
    assert [m.reason for m in full.misses] == ["no_opening", "group", "group"]


def test_who_is_left_alone_of_a_group_is_a_single_person() -> None:
    (alone,) = a_group_of(1)
    assert len(solve(a_problem([alone], [a_vacancy(1)])).matches) == 1
