"""The hard rules of a match, each with a code; all are job-related (PIPL art. 24)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.reference import education_rank
from services.recruitment.domain.parties import LEGAL_AGE_MIN, Candidate, Vacancy, age_on


def rank_of(education_code: str | None) -> int:
    """Give the rank of a level of education; unknown and absent ones have none (-1)."""
    rank = None if education_code is None else education_rank(education_code)
    return -1 if rank is None else rank


def _gender(c: Candidate, v: Vacancy, _: date) -> bool:
    return v.gender is None or v.gender == c.gender


def _age_min(c: Candidate, v: Vacancy, _: date) -> bool:
    return age_on(c.birth_year_month, v.starts_on) >= max(v.age_min or 0, LEGAL_AGE_MIN)


def _age_max(c: Candidate, v: Vacancy, _: date) -> bool:
    return v.age_max is None or age_on(c.birth_year_month, v.starts_on) <= v.age_max


def _education(c: Candidate, v: Vacancy, _: date) -> bool:
    return v.education_code is None or rank_of(c.education_code) >= max(
        rank_of(v.education_code), 0
    )


def _certificates(c: Candidate, v: Vacancy, _: date) -> bool:
    return set(v.certificate_codes) <= set(c.certificate_codes)


def _available_from(c: Candidate, v: Vacancy, _: date) -> bool:
    # Whoever travels is there the day before the start, so must be free by then.
    return c.available_from < v.starts_on


def _starts_on(_: Candidate, v: Vacancy, today: date) -> bool:
    return v.starts_on >= today


def _origin(c: Candidate, _: Vacancy, __: date) -> bool:
    return c.paired


Rule = Callable[[Candidate, Vacancy, date], bool]
#: In the order in which they are printed.
RULES: Final[Mapping[str, Rule]] = {
    "origin": _origin,
    "gender": _gender,
    "age_min": _age_min,
    "age_max": _age_max,
    "education": _education,
    "certificates": _certificates,
    "available_from": _available_from,
    "starts_on": _starts_on,
}
# What stands between a fitting person and an opening; matching finds out about them, not the rules.
OFFERED_BEFORE: Final = "offered_before"
EXCLUDED: Final = "excluded"
NO_OPENING: Final = "no_opening"
GROUP: Final = "group"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The codes of the rules that a pair passes and fails."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]


def judge(candidate: Candidate, vacancy: Vacancy, today: date) -> Verdict:
    """Hold every rule against a pair; `today` is the civil date of the judgement."""
    held = {code: rule(candidate, vacancy, today) for code, rule in RULES.items()}
    return Verdict(
        tuple(code for code, passed in held.items() if passed),
        tuple(code for code, passed in held.items() if not passed),
    )
