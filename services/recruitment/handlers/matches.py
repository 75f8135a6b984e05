"""Explains matching, pair by pair, and lets a person overrule it (PIPL art. 24)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from services.recruitment.domain import rules, score
from services.recruitment.domain.parties import Candidate, Vacancy
from services.recruitment.domain.rules import EXCLUDED, NO_OPENING, OFFERED_BEFORE
from services.recruitment.domain.score import equity_points
from services.recruitment.matching.problem import Problem
from services.recruitment.matching.tables import nearest_vacancies
from services.recruitment.store import drives, explained, marks, nominations, rounds
from services.recruitment.store.rows import Row
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
    grounds = await _grounds(tx, wanted.drive_id, ids)
    shown = await asyncio.to_thread(_all_explained, people, vacancies, grounds)
    return page(shown, wanted.limit, "nomination_id")


@dataclass(frozen=True, slots=True)
class _Grounds:
    pairs: rounds.Pairs
    equity: dict[UUID, int]
    today: date


async def _grounds(tx: Tx, drive_id: UUID, nomination_ids: Sequence[UUID]) -> _Grounds:
    """Read on what grounds the last round stood; the equity of offices new since is today's."""
    counts = await rounds.load_office_counts(tx, drive_id)
    last = await rounds.get_last_round(tx, drive_id)
    told = {} if last is None else last["equity"]
    equity = {o: told.get(str(o), equity_points(*c)) for o, c in counts.items()}
    return _Grounds(await rounds.load_pairs(tx, nomination_ids), equity, tx.today)


def _all_explained(
    rows: Sequence[Row], vacancies: Sequence[Vacancy], grounds: _Grounds
) -> list[dict[str, Any]]:
    """Explain each person with the vacancies that come nearest: fewest rules failed, best score."""
    people = tuple(rounds.candidate(row) for row in rows)
    problem = Problem(
        people,
        tuple(vacancies),
        grounds.today,
        preferred=grounds.pairs.preferred,
        equity=grounds.equity,
    )
    nearest = nearest_vacancies(problem, SHOWN_MAX)
    return [
        _explained(row, (person, [vacancies[j] for j in places]), grounds)
        for row, person, places in zip(rows, people, nearest, strict=True)
    ]


def _explained(
    row: Row, match: tuple[Candidate, Sequence[Vacancy]], grounds: _Grounds
) -> dict[str, Any]:
    candidate, vacancies = match
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
        "candidates": [_pair(candidate, v, grounds) for v in vacancies],
    }


def _pair(candidate: Candidate, vacancy: Vacancy, grounds: _Grounds) -> dict[str, Any]:
    pair = (candidate.nomination_id, vacancy.vacancy_id)
    verdict = rules.judge(candidate, vacancy, grounds.today)
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


async def reserve(drive_id: UUID, vacancy_id: UUID, limit: int, tx: Tx) -> dict[str, object]:
    """Rank who waits and fits a vacancy, the best score first; shows the caller's own persons."""
    await drives.get_drive(tx, drive_id)
    own = set(await explained.list_waiting_ids(tx, drive_id))
    await tx.as_worker()
    candidates = await rounds.load_candidates(tx, drive_id)
    grounds = await _grounds(tx, drive_id, [c.nomination_id for c in candidates])
    offered = await rounds.load_vacancies(tx, drive_id)
    vacancy = next((v for v in offered if v.vacancy_id == vacancy_id), None)
    if vacancy is None:
        raise NotFound
    pairs = [(c, _pair(c, vacancy, grounds)) for c in candidates]
    fitting = [(c, p) for c, p in pairs if not p["failed"] and not {*p["barriers"]} - {NO_OPENING}]
    fitting.sort(key=lambda one: (-one[1]["score"], one[0].nomination_id))
    ranked = [
        {"rank": rank, "nomination_id": c.nomination_id, "worker_id": c.worker_id, **p}
        for rank, (c, p) in enumerate(fitting, start=1)
        if c.nomination_id in own
    ]
    return {"items": ranked[:limit], "next_cursor": None}


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
