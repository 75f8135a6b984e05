"""Explains matching, pair by pair, and lets a person overrule it (PIPL art. 24)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from services.recruitment.domain import rules, score
from services.recruitment.domain.parties import Candidate, Vacancy
from services.recruitment.domain.rules import EXCLUDED, NO_OPENING, OFFERED_BEFORE
from services.recruitment.domain.score import equity_points
from services.recruitment.handlers.houserules import HouseRules
from services.recruitment.store import drives, explained, marks, nominations, rounds
from shared.paging import page
from shared.problem import NotFound
from shared.transaction import Tx

#: Vacancies shown of each person unless one is asked for.
SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which matches to explain: a page of a drive's persons, or one person, or one vacancy."""

    drive_id: UUID
    limit: int
    last: UUID | None
    nomination_id: UUID | None
    vacancy_id: UUID | None
    house_rules: HouseRules


async def explain(wanted: Wanted, tx: Tx) -> dict[str, object]:
    """Give each of the caller's persons with their candidates for a job: score, parts, rules."""
    await drives.get_drive(tx, wanted.drive_id)
    ids = await explained.list_nomination_ids(
        tx, wanted.drive_id, (wanted.nomination_id, wanted.last, wanted.limit + 1)
    )
    # Which persons are the caller's is decided; what they are matched against is everybody's
    # vacancies.
    await tx.as_worker()
    people = await explained.load_people(tx, ids)
    vacancies = [
        v
        for v in await rounds.load_vacancies(tx, wanted.drive_id)
        if wanted.vacancy_id in {None, v.vacancy_id}
    ]
    counts = await rounds.load_office_counts(tx, wanted.drive_id)
    last = await rounds.get_last_round(tx, wanted.drive_id)
    equity = {} if last is None else last["equity"]
    grounds = _Grounds(
        vacancies,
        await rounds.load_pairs(tx, ids),
        {o: equity.get(str(o), equity_points(*c)) for o, c in counts.items()},
        tx,
    )
    return page([_explained(row, grounds) for row in people], wanted.limit, "nomination_id")


@dataclass(frozen=True, slots=True)
class _Grounds:
    vacancies: Sequence[Vacancy]
    pairs: rounds.Pairs
    equity: dict[UUID, int]
    tx: Tx


def _explained(row: Any, grounds: _Grounds) -> dict[str, Any]:  # noqa: ANN401 (a row)
    candidate = rounds.candidate(row)
    pairs = [_pair(candidate, v, grounds) for v in grounds.vacancies]
    pairs.sort(key=lambda p: (len(p["failed"]), -p["score"], str(p["vacancy_id"])))
    unplaced = row["unplaced_reason"]
    return {
        "nomination_id": candidate.nomination_id,
        "worker_id": candidate.worker_id,
        "office_id": candidate.office_id,
        "group_id": candidate.group_id,
        "state": row["state"],
        "unplaced": None
        if unplaced is None
        else {"reason": unplaced, "nearest_miss": row["nearest_miss"]},
        "candidates": pairs[:SHOWN_MAX],
    }


def _pair(candidate: Candidate, vacancy: Vacancy, grounds: _Grounds) -> dict[str, Any]:
    pair = (candidate.nomination_id, vacancy.vacancy_id)
    verdict = rules.judge(candidate, vacancy, grounds.tx.today)
    parts = score.parts(
        candidate,
        vacancy,
        equity=grounds.equity.get(candidate.office_id, score.EQUITY),
        preferred=pair in grounds.pairs.preferred,
    )
    barriers = {
        OFFERED_BEFORE: pair in grounds.pairs.offered,
        EXCLUDED: pair in grounds.pairs.excluded,
        NO_OPENING: vacancy.free <= 0,
    }
    return {
        "vacancy_id": vacancy.vacancy_id,
        "score": sum(parts.values()),
        "parts": parts,
        "passed": verdict.passed,
        "failed": verdict.failed,
        "barriers": [code for code, stands in barriers.items() if stands],
    }


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A person's decision about a pair of a drive."""

    drive_id: UUID
    nomination_id: UUID
    vacancy_id: UUID
    decision: Literal["exclude", "prefer", "none"]


async def review(tx: Tx, reviewed: Reviewed) -> None:
    """Keep a caller's decision about one of their persons; the next round follows it."""
    nomination = await nominations.get_nomination(tx, reviewed.nomination_id)
    await tx.as_worker()
    if not await explained.is_pair_of(tx, reviewed.drive_id, nomination, reviewed.vacancy_id):
        raise NotFound
    await explained.put_review(tx, (reviewed.nomination_id, reviewed.vacancy_id), reviewed.decision)
    await marks.mark_due(tx, [reviewed.drive_id], timedelta(0))
