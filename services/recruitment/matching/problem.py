"""A round as data: what goes in and what comes out, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from services.recruitment.domain.parties import Candidate, Vacancy

Pair = tuple[UUID, UUID]

NO_VACANCY: Final = "no_vacancy"
RULES: Final = "rules"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a round is solved.

    `best_count`: how many vacancies of each person are looked at first, `passes_max`: how often
    those are added that the prices call for. Skipping of
    groups: a group may be passed over in `skip_max` rounds because its openings are worth more to
    others; then it goes first whatever that costs, and if its openings aren't all free yet, those
    that are are kept from single persons for at most `hold_max` further rounds.
    """

    best_count: int = 16
    passes_max: int = 4
    skip_max: int = 3
    hold_max: int = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """Candidates and vacancies, sorted by id; pairs (nomination, vacancy); equity by office."""

    candidates: tuple[Candidate, ...]
    vacancies: tuple[Vacancy, ...]
    today: date
    offered: frozenset[Pair] = frozenset()
    excluded: frozenset[Pair] = frozenset()
    preferred: frozenset[Pair] = frozenset()
    equity: Mapping[UUID, int] = field(default_factory=dict)
    policy: Policy = Policy()


@dataclass(frozen=True, slots=True)
class Match:
    """A person and the vacancy that the round gives them; indices into the problem."""

    candidate: int
    vacancy: int
    score: int


@dataclass(frozen=True, slots=True)
class Miss:
    """A person without a vacancy: why, and the vacancy (index) missed by the fewest rules."""

    candidate: int
    reason: str
    vacancy: int | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Solution:
    """What a round decides; `bound` is a score that no assignment exceeds that parts no group.

    `skipped` are members of groups that were passed over, `held` tells that openings are kept for
    one.
    """

    matches: tuple[Match, ...]
    misses: tuple[Miss, ...]
    total: int
    bound: int
    skipped: tuple[int, ...] = ()
    held: bool = False
