"""Matching rounds, one at a time: read a drive, solve, and offer what is still so."""

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any, Final
from uuid import UUID

from services.recruitment.domain.parties import Candidate
from services.recruitment.domain.score import equity_points
from services.recruitment.handlers.closing import shut_out
from services.recruitment.handlers.houserules import HouseRules
from services.recruitment.handlers.offers import Making, Pick, make_offers
from services.recruitment.handlers.speech import Because, because_of
from services.recruitment.handlers.unplaced import Unplaced, tell
from services.recruitment.matching.problem import Match, Miss, Problem, Solution
from services.recruitment.matching.solve import solve
from services.recruitment.store import (
    batches,
    drives,
    marks,
    nominations,
    rounds,
    unplaced,
    vacancies,
)
from services.recruitment.store.rows import Row
from shared.transaction import Tx

#: Real time in which a change is looked at although its batch isn't whole yet.
MATCH_WITHIN: Final = timedelta(seconds=3)
#: Real time after which openings that are kept for a group are looked at again.
HOLD_AGAIN: Final = timedelta(seconds=5)
#: Pairs up to which a round is solved in this process: some 50 ms in which nothing else runs.
PAIRS_INLINE_MAX: Final = 150_000
NO_DRIVE: Final = "no_drive"
DRIVE_NOT_OPEN: Final = "drive_not_open"


async def match_due(house_rules: HouseRules, tx: Tx) -> int:
    """Run the round that is due longest; 0 when none is."""
    due = await marks.take_due(tx)
    if due is None:
        return 0
    drive_id = due.drive_id
    whole = await batches.complete_batches(tx)
    await marks.mark_due(tx, [r["drive_id"] for r in whole], timedelta(0))
    if drive_id is None:
        await _find_drives(tx)
        return 1
    drive = await drives.find_drive(tx, drive_id)
    if drive is None or drive["state"] == "announced":
        waiting = await unplaced.list_waiting_for_update(tx, drive_id)
        reason = NO_DRIVE if drive is None else DRIVE_NOT_OPEN
        because = await _because(tx, waiting)
        await tell(tx, [Unplaced(n, reason) for n in waiting], 0, because)
    elif drive["state"] == "closed":
        waiting = await unplaced.list_waiting_for_update(tx, drive_id)
        await shut_out(tx, drive_id, waiting, await _because(tx, waiting))
    else:
        await _run(tx, drive, house_rules, due)
    return 1


async def _because(tx: Tx, waiting: Iterable[UUID], freed_by: UUID | None = None) -> Because:
    """Say why a round speaks: what was heard of a person last, else what opened the way."""
    return because_of(await nominations.take_causes(tx, waiting), freed_by)


async def _find_drives(tx: Tx) -> None:
    found, without = await unplaced.find_drives(tx)
    await marks.mark_due(tx, found, timedelta(0))
    because = await _because(tx, without)
    await tell(tx, [Unplaced(n, NO_DRIVE) for n in without], 0, because)


async def _run(tx: Tx, drive: Row, house_rules: HouseRules, due: marks.Due) -> None:
    problem = await read_problem(tx, drive["drive_id"], house_rules)
    if not problem.candidates:
        return
    # No row is locked while the solver works; what changes meanwhile is found out afterwards.
    solution = await _solved(problem)
    drive = await drives.get_drive_for_share(tx, drive["drive_id"])
    if drive["state"] != "open":
        await marks.mark_due(tx, [drive["drive_id"]], timedelta(0))
        return
    number = await _number(tx, drive["drive_id"])
    await _apply(tx, _Round(drive, number, problem, solution, due.cause_id), house_rules)


async def read_problem(tx: Tx, drive_id: UUID, house_rules: HouseRules) -> Problem:
    """Read who and what a round of a drive is about, as of now."""
    candidates = await rounds.load_candidates(tx, drive_id)
    pairs = await rounds.load_pairs(tx, [c.nomination_id for c in candidates])
    counts = await rounds.load_office_counts(tx, drive_id)
    return Problem(
        candidates=tuple(candidates),
        vacancies=tuple(await rounds.load_vacancies(tx, drive_id)),
        today=tx.today,
        offered=pairs.offered,
        excluded=pairs.excluded,
        preferred=pairs.preferred,
        equity={office: equity_points(*c) for office, c in counts.items()},
        policy=house_rules.policy,
    )


async def _number(tx: Tx, drive_id: UUID) -> int:
    last = await rounds.get_last_round(tx, drive_id)
    return 1 if last is None else last["round"] + 1


async def _solved(problem: Problem) -> Solution:
    """Solve a round; a large one in its own process, because the solver holds the interpreter."""
    if len(problem.candidates) * len(problem.vacancies) <= PAIRS_INLINE_MAX:
        return await asyncio.to_thread(solve, problem)
    return await asyncio.to_thread(_solved_apart, problem)


def _solved_apart(problem: Problem) -> Solution:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_solve_and_send, args=(theirs,), daemon=True)
    child.start()
    theirs.close()
    try:
        ours.send(problem)
        solution: Solution = ours.recv()
        return solution
    finally:
        ours.close()
        child.join()


def _solve_and_send(pipe: Connection) -> None:
    pipe.send(solve(pipe.recv()))


@dataclass(frozen=True, slots=True)
class _Round:
    drive: Row
    number: int
    problem: Problem
    solution: Solution
    freed_by: UUID | None

    def candidate(self, found: Match | Miss) -> Candidate:
        return self.problem.candidates[found.candidate]


async def _apply(tx: Tx, this: _Round, house_rules: HouseRules) -> None:
    drive_id = this.drive["drive_id"]
    unchanged = await rounds.lock_unchanged(tx, this.problem.candidates)
    picks = await _take_openings(tx, this, unchanged)
    because = await _because(tx, unchanged, this.freed_by)
    making = Making(this.drive, this.number, house_rules.offer_stands)
    if picks:
        await unplaced.forget_reasons(tx, [p.nomination["nomination_id"] for p in picks])
        await make_offers(tx, making, picks, because)
    misses = [m for m in this.solution.misses if this.candidate(m).nomination_id in unchanged]
    await tell(tx, [_told(this, m) for m in misses], this.number, because)
    await _note_skips(tx, this)
    await rounds.insert_round(tx, _record(this, len(picks), len(misses)))
    if len(picks) < len(this.solution.matches):
        # Somebody was quicker; those who lost their opening are looked at again at once.
        await marks.mark_due(tx, [drive_id], timedelta(0))


async def _take_openings(tx: Tx, this: _Round, unchanged: dict[UUID, Any]) -> list[Pick]:
    """Take the openings of all matches that still hold: a group's all or none, best first."""
    units = [
        u for u in _units(this) if all(this.candidate(m).nomination_id in unchanged for m in u)
    ]
    wanted = {this.problem.vacancies[m.vacancy].vacancy_id for unit in units for m in unit}
    locked = await vacancies.load_vacancies_for_update(tx, wanted)
    left = {v: _free(row) for v, row in locked.items()}
    picks: list[Pick] = []
    taken: Counter[UUID] = Counter()
    for unit in units:
        need = Counter(this.problem.vacancies[m.vacancy].vacancy_id for m in unit)
        if any(taken[v] + n > left[v] for v, n in need.items()):
            continue
        taken.update(need)
        picks += _picks(tx, this, unit, (unchanged, locked))
    await vacancies.add_taken(tx, taken)
    return picks


def _free(row: Row) -> int:
    free: int = row["openings"] - row["taken_count"]
    return free if row["state"] == "posted" else 0


def _units(this: _Round) -> list[list[Match]]:
    """Give the matches, those of a group together."""
    units: dict[UUID, list[Match]] = {}
    for match in this.solution.matches:
        candidate = this.candidate(match)
        units.setdefault(candidate.group_id or candidate.nomination_id, []).append(match)
    return sorted(units.values(), key=_first_served)


def _first_served(unit: Sequence[Match]) -> tuple[int, int, int]:
    return -len(unit), -max(m.score for m in unit), unit[0].candidate


def _picks(
    tx: Tx, this: _Round, unit: Sequence[Match], rows: tuple[dict[UUID, Any], dict[UUID, Any]]
) -> list[Pick]:
    nominations, locked = rows
    together = len(unit) > 1
    group_id = this.candidate(unit[0]).group_id if together else None
    set_id = tx.ids.uuid7() if together else None
    return [
        Pick(
            nominations[this.candidate(m).nomination_id],
            locked[this.problem.vacancies[m.vacancy].vacancy_id],
            group_id,
            set_id,
        )
        for m in unit
    ]


def _told(this: _Round, miss: Miss) -> Unplaced:
    nomination_id = this.candidate(miss).nomination_id
    if miss.vacancy is None:
        return Unplaced(nomination_id, miss.reason)
    vacancy_id = str(this.problem.vacancies[miss.vacancy].vacancy_id)
    return Unplaced(
        nomination_id, miss.reason, {"vacancy_id": vacancy_id, "rules": list(miss.rules)}
    )


async def _note_skips(tx: Tx, this: _Round) -> None:
    """Count for groups that others were preferred to them, or that openings were kept for them."""
    solution = this.solution
    if solution.skipped and (solution.matches or solution.held):
        passed_over = [this.problem.candidates[i].nomination_id for i in solution.skipped]
        await rounds.add_skips(tx, passed_over)
    if solution.held:
        await marks.mark_due(tx, [this.drive["drive_id"]], HOLD_AGAIN)


def _record(this: _Round, offered_count: int, unplaced_count: int) -> rounds.RoundRecord:
    return rounds.RoundRecord(
        drive_id=this.drive["drive_id"],
        round=this.number,
        candidate_count=len(this.problem.candidates),
        offered_count=offered_count,
        unplaced_count=unplaced_count,
        score_total=this.solution.total,
        score_bound=this.solution.bound,
        equity={str(office): points for office, points in this.problem.equity.items()},
    )
