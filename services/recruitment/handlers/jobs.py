"""What persons do about placements: change, cancel, start, end, and answer retention checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from contracts.recruitment import PlacementStarted, RetentionChecked
from services.recruitment.domain.offer import DRIVE_CLOSED
from services.recruitment.domain.states import PLACEMENT, RETENTION_CHECK
from services.recruitment.domain.terms import RETENTION_MILESTONES, months_after
from services.recruitment.handlers import openings, placing
from services.recruitment.handlers.claims import refused
from services.recruitment.handlers.speech import Because, say_of_nomination, say_placements
from services.recruitment.handlers.unplaced import Unplaced, tell
from services.recruitment.store import (
    drives,
    marks,
    nominations,
    placements,
    retention,
    rounds,
    vacancies,
)
from services.recruitment.store.rows import Row
from shared.problem import Fault, Problem
from shared.transaction import Tx

CANCELLED: Final = "cancelled"
#: What a placement takes from another vacancy it is moved to.
_OF_VACANCY: Final = ("vacancy_id", "enterprise_id", "site", "starts_on", "programme", "nights")


async def _locked(tx: Tx, placement_id: UUID, step: str) -> Row:
    """Lock what a placement is about, and read it again: it allows the step, or is refused."""
    placement = await placements.get_placement(tx, placement_id)
    await nominations.load_nominations_for_update(tx, [placement["nomination_id"]])
    placement = await placements.get_placement(tx, placement_id)
    PLACEMENT.after(placement["state"], step)
    return placement


async def cancel_placement(
    tx: Tx, placement_id: UUID, reason: str, because: Because, *, rematch: bool
) -> Row:
    """Cancel a confirmed placement: the opening goes to others, the person to rounds or aside."""
    placement: Row = await placements.get_placement(tx, placement_id)
    drive = await drives.get_drive_for_share(tx, placement["drive_id"])
    placement = await _locked(tx, placement_id, "cancel")
    is_open = drive["state"] != "closed"
    await placing.cancel(tx, {placement_id: reason}, because, rematch=rematch and is_open)
    await nominations.leave_groups(tx, [placement["nomination_id"]])
    await _free_person(tx, placement, because, (is_open, rematch))
    return await placements.get_placement(tx, placement_id)


async def _free_person(tx: Tx, placement: Row, because: Because, way: tuple[bool, bool]) -> None:
    is_open, rematch = way
    ids = [placement["nomination_id"]]
    if is_open and rematch:
        await nominations.step_nominations(tx, ids, "rematch")
        await marks.mark_due(tx, [placement["drive_id"]], timedelta(0))
        return
    step, reason = ("set_aside", CANCELLED) if is_open else ("close", DRIVE_CLOSED)
    if not await nominations.step_nominations(tx, ids, step):
        # The office no longer offers this person: nobody waits for a place.
        return
    last = await rounds.get_last_round(tx, placement["drive_id"])
    number = 0 if last is None else last["round"]
    await tell(tx, [Unplaced(placement["nomination_id"], reason)], number, because)


@dataclass(frozen=True, slots=True)
class Change:
    """What a person changes in a placement; None keeps what is."""

    vacancy_id: UUID | None = None
    site: Mapping[str, Any] | None = None
    starts_on: date | None = None


async def change_placement(tx: Tx, placement_id: UUID, wish: Change, because: Because) -> Row:
    """Change a confirmed placement; another vacancy of the drive needs an opening of its own."""
    placement: Row = await placements.get_placement(tx, placement_id)
    await drives.get_drive_for_share(tx, placement["drive_id"])
    placement = await _locked(tx, placement_id, "change")
    new: dict[str, Any] = {}
    if wish.vacancy_id is not None and wish.vacancy_id != placement["vacancy_id"]:
        new |= await _move(tx, placement, wish.vacancy_id)
    if wish.site is not None:
        new["site"] = wish.site
    if wish.starts_on is not None:
        new["starts_on"] = wish.starts_on
    if new.get("starts_on", placement["starts_on"]) < placement["hired_on"]:
        raise _before_hiring()
    await placing.change(tx, [(placement, new)], because)
    return await placements.get_placement(tx, placement_id)


async def _move(tx: Tx, placement: Row, vacancy_id: UUID) -> dict[str, Any]:
    vacancy = await vacancies.get_vacancy(tx, vacancy_id)
    if vacancy["drive_id"] != placement["drive_id"]:
        raise refused("other_drive")
    await vacancies.load_vacancies_for_update(tx, [vacancy_id, placement["vacancy_id"]])
    if not await vacancies.take_opening(tx, vacancy_id):
        raise refused("no_opening")
    await openings.settle(tx, [vacancy_id])
    await openings.vacate(tx, [placement["vacancy_id"]])
    return {name: vacancy[name] for name in _OF_VACANCY}


def _before_hiring() -> Problem:
    detail = "上岗日期不得早于录用日期。The start lies before the day of hiring."
    return Problem(422, "invalid", detail, [Fault("/starts_on", "before_hiring", detail)])


async def start_placement(tx: Tx, placement_id: UUID, on: date, because: Because) -> Row:
    """Let a person start; the checks whether they stay are due 3 and 6 months later."""
    placement = await _locked(tx, placement_id, "start")
    await placements.start_placement(tx, placement_id, because.by, on)
    checks = [
        retention.NewCheck(tx.ids.uuid7(), placement_id, months, months_after(on, months))
        for months in RETENTION_MILESTONES
    ]
    await retention.insert_checks(tx, checks)
    fact = PlacementStarted.model_validate({**placement, "by": because.by, "started_on": on})
    say_placements(tx, [fact], because)
    return await placements.get_placement(tx, placement_id)


async def end_placement(tx: Tx, placement_id: UUID, reason: str, because: Because) -> Row:
    """End a started placement today."""
    await _locked(tx, placement_id, "end")
    await placing.end(tx, [placement_id], reason, because)
    return await placements.get_placement(tx, placement_id)


async def answer_check(
    tx: Tx, retention_check_id: UUID, result: str, answered_on: date, because: Because
) -> Row:
    """Answer a check, or correct the answer it has; each answer keeps its date."""
    check = await retention.lock_check(tx, retention_check_id)
    RETENTION_CHECK.after(check["state"], "answer")
    placement = await placements.get_placement(tx, check["placement_id"])
    corrects = await retention.find_last_answer(tx, retention_check_id)
    event = RetentionChecked.model_validate(
        {
            **placement,
            "milestone_months": check["milestone_months"],
            "due_on": check["due_on"],
            "answered_on": answered_on,
            "result": result,
            "corrects": corrects,
        }
    )
    ids = (placement["office_id"], placement["nomination_id"])
    answer_id = say_of_nomination(tx, event, ids, because)
    await retention.insert_answer(
        tx,
        retention.NewAnswer(
            answer_id, retention_check_id, result, answered_on, because.by, corrects
        ),
    )
    return {**check, "state": "answered", "result": result, "answer_id": answer_id}
