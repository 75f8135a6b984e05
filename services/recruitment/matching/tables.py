"""Rules and scores of all pairs at once; a test holds them equal to the domain's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.recruitment.domain import rules, score
from services.recruitment.domain.parties import LEGAL_AGE_MIN, Candidate, Vacancy
from services.recruitment.matching.problem import Pair, Problem

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]
T = TypeVar("T")

#: Persons looked at together: bounds the memory of a chunk to some tens of megabytes.
CHUNK: Final = 2_000
_AGE_MAX_NONE: Final = 999
_GENDERS: Final = {None: 0, "male": 1, "female": 2}


@dataclass(frozen=True, slots=True)
class Arcs:
    """Pairs that fit, by person and then vacancy; indices and score of each."""

    person: Ints
    vacancy: Ints
    score: Ints

    def of(self, keep: Bools) -> "Arcs":
        """Give the arcs that a mask keeps."""
        return Arcs(self.person[keep], self.vacancy[keep], self.score[keep])


class Table:
    """A problem as arrays; results have one row a person and one column a vacancy."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        people, vacancies = problem.candidates, problem.vacancies
        self.free = _ints(v.free for v in vacancies)
        self._people = _People(people, problem)
        self._jobs = _Jobs(vacancies)
        starts_too_late = [v.starts_on >= problem.today for v in vacancies]
        self._not_past = np.array(starts_too_late, dtype=np.bool_)
        sets, self._certificates = _distinct([c.certificate_codes for c in people])
        self._holds = np.array(
            [[set(v.certificate_codes) <= set(own) for v in vacancies] for own in sets],
            dtype=np.bool_,
        ).reshape(len(sets), len(vacancies))
        wishes, self._wishes = _distinct([c.occupation_codes for c in people])
        self._occupation = _occupation_points(wishes, vacancies)
        pays, self._pay_wishes = _distinct([c.preferred_pay_min for c in people])
        self._pay = _pay_points(pays, vacancies)
        self._barred = _by_person(problem, problem.offered | problem.excluded)
        self._preferred = _by_person(problem, problem.preferred)

    def failed_counts(self, rows: Ints) -> NDArray[np.int8]:
        """Count the failed rules of each pair of these persons; a barred pair fails once more."""
        people, jobs = self._people, self._jobs
        age = jobs.year - people.year[rows, None] - (jobs.month <= people.month[rows, None])
        passed: list[Bools] = [
            np.broadcast_to(people.paired[rows, None], age.shape),
            (jobs.gender == 0) | (jobs.gender == people.gender[rows, None]),
            age >= jobs.age_min,
            age <= jobs.age_max,
            people.rank[rows, None] >= jobs.rank,
            self._holds[self._certificates[rows]],
            people.available[rows, None] < jobs.starts,
            np.broadcast_to(self._not_past, age.shape),
        ]
        failed = np.full(age.shape, len(passed), dtype=np.int8)
        for held in passed:
            failed -= held
        for place, row in enumerate(rows.tolist()):
            for column in self._barred.get(row, ()):
                failed[place, column] += 1
        return failed

    def scores(self, rows: Ints) -> Ints:
        """Give the score of each pair of these persons, whether it fits or not."""
        waiting = self._jobs.starts - self._people.available[rows, None]
        total: Ints = np.clip(score.START - waiting, 0, score.START).astype(np.int32)
        total += self._occupation[self._wishes[rows]]
        total += self._pay[self._pay_wishes[rows]]
        total += self._people.equity[rows, None] + np.int32(score.QUALIFIED)
        for place, row in enumerate(rows.tolist()):
            for column in self._preferred.get(row, ()):
                total[place, column] += score.PREFERRED
        return total

    def scores_of(self, rows: Ints, columns: Ints) -> Ints:
        """Give the score of each of these pairs: a person and the vacancy at the same place."""
        waiting = self._jobs.starts[columns] - self._people.available[rows]
        total: Ints = np.clip(score.START - waiting, 0, score.START).astype(np.int32)
        total += self._occupation[self._wishes[rows], columns]
        total += self._pay[self._pay_wishes[rows], columns]
        total += self._people.equity[rows] + np.int32(score.QUALIFIED)
        for place, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
            if column in self._preferred.get(row, ()):
                total[place] += score.PREFERRED
        return total


def nearest_vacancies(problem: Problem, count: int) -> list[list[int]]:
    """List of each person the vacancies (indices) with the fewest failed rules, best first."""
    if not problem.candidates or not problem.vacancies:
        return [[] for _ in problem.candidates]
    table = Table(problem)
    rows = np.arange(len(problem.candidates), dtype=np.int32)
    order = table.failed_counts(rows).astype(np.int64) * 1_000_000 - table.scores(rows)
    nearest: list[list[int]] = np.argsort(order, axis=1, kind="stable")[:, :count].tolist()
    return nearest


def joined(parts: Iterable[Arcs]) -> Arcs:
    """Give all arcs of several lists as one."""
    lists = [Arcs(_NONE, _NONE, _NONE), *parts]
    return Arcs(
        np.concatenate([a.person for a in lists]),
        np.concatenate([a.vacancy for a in lists]),
        np.concatenate([a.score for a in lists]),
    )


_NONE: Final = np.empty(0, np.int32)


class _People:
    def __init__(self, people: Sequence[Candidate], problem: Problem) -> None:
        self.gender = _ints(_GENDERS[c.gender] for c in people)
        self.year = _ints(int(c.birth_year_month[:4]) for c in people)
        self.month = _ints(int(c.birth_year_month[5:7]) for c in people)
        self.rank = _ints(rules.rank_of(c.education_code) for c in people)
        self.available = _ints(c.available_from.toordinal() for c in people)
        self.paired = np.array([c.paired for c in people], dtype=np.bool_)
        self.equity = _ints(problem.equity.get(c.office_id, 0) for c in people)


class _Jobs:
    def __init__(self, vacancies: Sequence[Vacancy]) -> None:
        self.gender = _ints(_GENDERS[v.gender] for v in vacancies)
        self.year = _ints(v.starts_on.year for v in vacancies)
        self.month = _ints(v.starts_on.month for v in vacancies)
        self.age_min = _ints(max(v.age_min or 0, LEGAL_AGE_MIN) for v in vacancies)
        self.age_max = _ints(_AGE_MAX_NONE if v.age_max is None else v.age_max for v in vacancies)
        self.rank = _ints(
            -1 if v.education_code is None else max(rules.rank_of(v.education_code), 0)
            for v in vacancies
        )
        self.starts = _ints(v.starts_on.toordinal() for v in vacancies)


def _ints(values: Any) -> Ints:  # noqa: ANN401 (any iterable of whole numbers)
    return np.fromiter(values, dtype=np.int32)


def _distinct(values: Sequence[T]) -> tuple[list[T], Ints]:
    """Give the distinct values, and of each value its place among them."""
    places: dict[T, int] = {}
    indices = _ints(places.setdefault(v, len(places)) for v in values)
    return list(places), indices


def _occupation_points(wishes: Sequence[tuple[str, ...]], vacancies: Sequence[Vacancy]) -> Ints:
    codes, places = _distinct([v.occupation_code for v in vacancies])
    points = [[score.occupation_points(wish, code) for code in codes] for wish in wishes]
    table = np.array(points, dtype=np.int32).reshape(len(wishes), len(codes))
    return table[:, places]


def _pay_points(wishes: Sequence[int | None], vacancies: Sequence[Vacancy]) -> Ints:
    points = [[score.pay_points(w, v.pay_min, v.pay_max) for v in vacancies] for w in wishes]
    return np.array(points, dtype=np.int32).reshape(len(wishes), len(vacancies))


def _by_person(problem: Problem, pairs: frozenset[Pair]) -> dict[int, list[int]]:
    if not pairs:
        return {}
    people = {c.nomination_id: i for i, c in enumerate(problem.candidates)}
    vacancies = {v.vacancy_id: j for j, v in enumerate(problem.vacancies)}
    found: dict[int, list[int]] = {}
    for nomination_id, vacancy_id in pairs:
        person, vacancy = people.get(nomination_id), vacancies.get(vacancy_id)
        if person is not None and vacancy is not None:
            found.setdefault(person, []).append(vacancy)
    return found
