"""Drives announced, opened, closed, and vacancies posted in them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from contracts.recruitment import (
    DriveAnnounced,
    DriveClosed,
    DriveFact,
    DriveOpened,
    VacancyPosted,
    VacancyWithdrawn,
)
from services.recruitment.domain.states import DRIVE
from services.recruitment.handlers.claims import withdraw_vacancy
from services.recruitment.handlers.closing import close_drive
from services.recruitment.handlers.speech import SYSTEM, Because
from services.recruitment.store import drives, marks, vacancies
from services.recruitment.store.rows import Row
from shared.problem import Fault, Problem
from shared.transaction import Tx


async def announce(tx: Tx, event: DriveAnnounced) -> None:
    """Let a drive be known: it takes nominations from now on."""
    await drives.insert_drive(tx, event)
    tx.say(event, tenant_id=None)
    await marks.mark_due(tx, [event.drive_id], timedelta(0))


async def open_drive(tx: Tx, drive_id: UUID) -> Row:
    """Open a drive: it matches now, also those who named no drive. Raises `IllegalStepError`.

    What the calendar has opened is open: nothing is said twice, and nobody is refused for it.
    """
    drive: Row = await drives.get_drive_for_update(tx, drive_id)
    if drive["state"] == "open" and drive["by_calendar"]:
        return drive
    drive = await _step(tx, drive_id, "open", DriveOpened)
    await marks.mark_due(tx, [drive_id, None], timedelta(0))
    return drive


async def close(tx: Tx, drive_id: UUID, because: Because) -> Row:
    """Close a drive and tell everybody who has no place in it. Raises `IllegalStepError`.

    What the calendar has closed is closed, as in `open_drive`.
    """
    drive: Row = await drives.get_drive_for_update(tx, drive_id)
    if drive["state"] == "closed" and drive["by_calendar"]:
        return drive
    drive = await _step(tx, drive_id, "close", DriveClosed)
    await close_drive(tx, drive_id, because)
    # With one drive less, another may be an origin's only open one.
    await marks.mark_due(tx, [None], timedelta(0))
    return drive


async def follow_calendar(tx: Tx) -> int:
    """Open drives whose first day has come, and close one whose last day is over (Shanghai).

    One, because closing locks all nominations of a drive; the ticker comes again at once.
    """
    opened = await drives.open_those_due(tx)
    for drive in opened:
        tx.say(DriveOpened.model_validate(dict(drive)), tenant_id=None)
    if opened:
        await marks.mark_due(tx, [*(d["drive_id"] for d in opened), None], timedelta(0))
    over = await drives.find_over(tx)
    if over is not None:
        await _close_over(tx, over)
    return len(opened) + (over is not None)


async def _close_over(tx: Tx, drive_id: UUID) -> None:
    drive = await drives.get_drive_for_update(tx, drive_id)
    # A person may have closed it before the lock was had.
    if DRIVE.allows(drive["state"], "close"):
        await close(tx, drive_id, SYSTEM)
        await drives.note_calendar(tx, drive_id)


async def _step(tx: Tx, drive_id: UUID, step: str, kind: type[DriveFact]) -> Row:
    drive = await drives.get_drive_for_update(tx, drive_id)
    state = DRIVE.after(drive["state"], step)
    await drives.update_drive_state(tx, drive_id, state)
    tx.say(kind.model_validate(dict(drive)), tenant_id=None)
    return {**drive, "state": state}


async def post_vacancies(tx: Tx, events: Sequence[VacancyPosted]) -> None:
    """Post vacancies of one enterprise that takes part in a drive that isn't over: all or none."""
    first = events[0]
    drive = await drives.get_drive_for_share(tx, first.drive_id)
    if first.enterprise_id not in drive["enterprises"]:
        detail = "该企业未参加此招聘活动。The enterprise doesn't take part in this drive."
        raise Problem(422, "invalid", detail, [Fault("/enterprise_id", "not_in_drive", detail)])
    if drive["state"] == "closed":
        raise Problem(409, "wrong_state", "招聘活动已结束。The drive is closed.")
    await vacancies.insert_vacancies(tx, events)
    for event in events:
        tx.say(event, tenant_id=event.enterprise_id)
    await marks.mark_due(tx, [first.drive_id], timedelta(0))


async def take_vacancy_back(tx: Tx, vacancy_id: UUID, reason: str, because: Because) -> Row:
    """Withdraw a vacancy with its open offers. Raises `IllegalStepError`."""
    vacancy = await withdraw_vacancy(tx, vacancy_id, because)
    event = VacancyWithdrawn.model_validate({**vacancy, "reason": reason})
    tx.say(event, tenant_id=event.enterprise_id)
    return vacancy
