"""The load of the matching bench: persons, vacancies and groups from a seed."""

from datetime import date, timedelta
from random import Random
from uuid import UUID

from services.recruitment.domain.parties import Candidate, Vacancy
from services.recruitment.matching.problem import Problem

TODAY = date(2026, 2, 20)
OCCUPATIONS = (
    "6-05-01-00", "6-05-01-01", "6-05-02-01", "6-18-02-04", "6-18-01-01", "6-20-01-01",
    "6-25-04-07", "6-29-03-01", "6-99-00-00", "4-03-02-01", "4-03-02-05", "4-07-05-01",
    "4-10-01-05", "4-99-00-00",
)  # fmt: skip
CERTIFICATES = ("TZZY-11", "TZZY-12", "TZZY-21", "TZSB-N1")
TOWNS = tuple(f"3101{i:02} town {i}" for i in range(12))


def a_world(people: int, vacancies: int, *, group_share: float, seed: int = 1) -> Problem:
    """Make a drive with about as many openings as persons: the good ones are scarce."""
    random = Random(seed)
    candidates = [_candidate(random, i) for i in range(people)]
    jobs = [_vacancy(random, j, people, vacancies) for j in range(vacancies)]
    offices = {c.office_id for c in candidates}
    return Problem(
        candidates=tuple(_grouped(random, candidates, group_share)),
        vacancies=tuple(jobs),
        today=TODAY,
        equity={office: random.randrange(101) for office in sorted(offices)},
    )


def _candidate(random: Random, number: int) -> Candidate:
    return Candidate(
        nomination_id=UUID(int=(7 << 64) + number),
        worker_id=UUID(int=(8 << 64) + number),
        office_id=UUID(int=(9 << 64) + random.randrange(40)),
        gender=random.choice(("male", "female")),
        birth_year_month=f"{random.randrange(1968, 2008)}-{random.randrange(1, 13):02}",
        available_from=TODAY + timedelta(days=random.randrange(0, 15)),
        education_code=random.choice(("80", "70", "70", "70", "60", "60", "30")),
        certificate_codes=tuple(c for c in CERTIFICATES if random.random() < 0.15),
        occupation_codes=tuple(random.sample(OCCUPATIONS, random.choice((0, 1, 1, 2)))),
        preferred_pay_min=random.choice((None, 5000, 5500, 6000, 6500, 7000, 8000)),
    )


def _vacancy(random: Random, number: int, people: int, vacancies: int) -> Vacancy:
    pay = random.randrange(4500, 8000, 250)
    openings = max(1, round(random.uniform(0.3, 1.7) * people / vacancies))
    enterprise = random.randrange(max(1, vacancies // 6))
    return Vacancy(
        vacancy_id=UUID(int=(5 << 64) + number),
        enterprise_id=UUID(int=(6 << 64) + enterprise),
        town=TOWNS[enterprise % len(TOWNS)],
        occupation_code=random.choice(OCCUPATIONS),
        starts_on=TODAY + timedelta(days=random.randrange(12, 40)),
        pay_min=pay,
        pay_max=pay + random.randrange(500, 3000, 250),
        free=openings,
        openings=openings,
        gender=random.choice((None, None, None, None, "male", "female")),
        age_min=random.choice((None, 18)),
        age_max=random.choice((None, 45, 50, 55)),
        education_code=random.choice((None, None, "70", "60")),
        certificate_codes=random.choice(((), (), (), (), (random.choice(CERTIFICATES),))),
    )


def _grouped(random: Random, people: list[Candidate], share: float) -> list[Candidate]:
    """Let a share of the persons go in groups of two to eight, as neighbours do."""
    found = list(people)
    place, group = 0, 0
    while place < len(people) * share:
        size, group = random.choice((2, 2, 2, 3, 4, 5, 8)), group + 1
        for i in range(place, min(place + size, len(people))):
            values = {name: getattr(people[i], name) for name in Candidate.__slots__}
            found[i] = Candidate(**values | {"group_id": UUID(int=(4 << 64) + group)})
        place += size
    return found
