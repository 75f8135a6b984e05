"""Builders of a round's two sides."""

from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from services.recruitment.domain.parties import Candidate, Vacancy
from services.recruitment.matching.problem import Policy, Problem

TODAY = date(2026, 2, 20)
ENTERPRISES = [UUID(int=900 + i) for i in range(4)]
OFFICES = [UUID(int=800 + i) for i in range(3)]
OCCUPATIONS = ("6-05-01-00", "6-05-01-01", "6-18-02-04", "4-03-02-01", "6-99-00-00")
CERTIFICATES = ("TZZY-11", "TZZY-21", "TZSB-N1")


def a_candidate(number: int, **overrides: Any) -> Candidate:
    fields: dict[str, Any] = {
        "nomination_id": UUID(int=10_000 + number),
        "worker_id": UUID(int=50_000 + number),
        "office_id": OFFICES[0],
        "gender": "female",
        "birth_year_month": "1995-03",
        "available_from": TODAY,
        "education_code": "70",
        "occupation_codes": (OCCUPATIONS[0],),
    }
    return Candidate(**fields | overrides)


def a_vacancy(number: int, **overrides: Any) -> Vacancy:
    fields: dict[str, Any] = {
        "vacancy_id": UUID(int=1_000 + number),
        "enterprise_id": ENTERPRISES[0],
        "town": "310114 南翔镇",
        "occupation_code": OCCUPATIONS[0],
        "starts_on": TODAY + timedelta(days=20),
        "pay_min": 6000,
        "pay_max": 8000,
        "free": 1,
        "openings": 1,
    }
    return Vacancy(**fields | overrides)


def a_problem(candidates: list[Candidate], vacancies: list[Vacancy], **overrides: Any) -> Problem:
    fields = {"candidates": tuple(candidates), "vacancies": tuple(vacancies), "today": TODAY}
    return Problem(**fields | overrides)


def a_random_problem(
    random: Random, people: int, vacancies: int, *, group_share: float = 0.0, **policy: int
) -> Problem:
    """Anybody and anything: some fit nowhere, some vacancies are full."""
    openings = max(1, 2 * people // max(vacancies, 1))
    problem = a_problem(
        [_anybody(random, i) for i in range(people)],
        [_anything(random, j, openings) for j in range(vacancies)],
        equity={office: random.randrange(101) for office in OFFICES},
        policy=Policy(**policy),
    )
    return _grouped(random, problem, group_share)


def _anybody(random: Random, number: int) -> Candidate:
    return a_candidate(
        number,
        office_id=random.choice(OFFICES),
        gender=random.choice(("male", "female")),
        birth_year_month=f"{random.randrange(1966, 2012)}-{random.randrange(1, 13):02}",
        available_from=TODAY + timedelta(days=random.randrange(-10, 30)),
        paired=random.random() < 0.95,
        education_code=random.choice((None, "80", "70", "60", "30")),
        certificate_codes=tuple(c for c in CERTIFICATES if random.random() < 0.4),
        occupation_codes=tuple(random.sample(OCCUPATIONS, random.randrange(3))),
        preferred_pay_min=random.choice((None, 5000, 6500, 7000, 9000)),
    )


def _anything(random: Random, number: int, openings: int) -> Vacancy:
    pay = random.randrange(4000, 8000, 500)
    taken = random.choice((0, 0, openings))
    return a_vacancy(
        number,
        enterprise_id=random.choice(ENTERPRISES),
        town=random.choice(("310114 南翔镇", "310151 长兴镇")),
        occupation_code=random.choice(OCCUPATIONS),
        starts_on=TODAY + timedelta(days=random.randrange(-2, 40)),
        pay_min=pay,
        pay_max=pay + random.choice((0, 1000, 2000)),
        free=openings - taken,
        openings=openings,
        gender=random.choice((None, None, None, "male", "female")),
        age_min=random.choice((None, 18, 20)),
        age_max=random.choice((None, 45, 55)),
        education_code=random.choice((None, None, "70", "60")),
        certificate_codes=random.choice(((), (), (), (CERTIFICATES[0],))),
    )


def _grouped(random: Random, problem: Problem, share: float) -> Problem:
    candidates = list(problem.candidates)
    place, group = 0, 0
    while place < len(candidates) * share:
        size = random.choice((2, 2, 3, 4, 8))
        group += 1
        for i in range(place, min(place + size, len(candidates))):
            fields = {n: getattr(candidates[i], n) for n in Candidate.__slots__}
            candidates[i] = Candidate(**fields | {"group_id": UUID(int=700_000 + group)})
        place += size
    fields = {n: getattr(problem, n) for n in Problem.__slots__}
    return Problem(**fields | {"candidates": tuple(candidates)})
