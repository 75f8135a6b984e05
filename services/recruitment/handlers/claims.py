"""What persons do about single offers: make, accept, decline, withdraw."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.recruitment.domain import rules
from services.recruitment.domain.offer import VACANCY_WITHDRAWN, Closing, Offer
from services.recruitment.domain.parties import LEGAL_AGE_MIN, Candidate, age_on
from services.recruitment.domain.states import NOMINATION, OFFER, VACANCY, IllegalStepError
from services.recruitment.handlers.offers import Making, Pick, accept, end_offers, make_offers
from services.recruitment.handlers.speech import Because
from services.recruitment.store import drives, nominations, offers, rounds, unplaced, vacancies
from services.recruitment.store.rows import Row
from shared.problem import Problem
from shared.transaction import Tx

_REFUSALS: Final = {
    "no_opening": "该岗位已无空缺。No opening of this vacancy is left.",
    "offer_open": "该岗位已有待答复的录用意向。An offer of this vacancy is open already.",
    "other_drive": "人员与岗位不在同一招聘活动。The vacancy is of another drive.",
    "drive_not_open": "招聘活动未开放。The drive is not open.",
    "offer_expired": "录用意向已过期。The offer has expired.",
    "under_age": "未满十六周岁不得录用。Nobody under 16 may be hired.",
}


def refused(code: str) -> Problem:
    """Give the refusal of a command that the state of things doesn't allow now."""
    return Problem(409, code, _REFUSALS[code])


@dataclass(frozen=True, slots=True)
class Claim:
    """A person's offer of a vacancy to a nomination; it stands that long (business time)."""

    nomination_id: UUID
    vacancy_id: UUID
    stands: timedelta


async def claim(tx: Tx, command: Claim, because: Because) -> tuple[Offer, tuple[str, ...]]:
    """Make an offer outside of the rounds; give it, and the rules that are overruled by it.

    The same openings are taken as by a round. Raises a `Problem` or `IllegalStepError`.
    """
    vacancy = await vacancies.get_vacancy(tx, command.vacancy_id)
    drive = await drives.get_drive_for_share(tx, vacancy["drive_id"])
    locked = await nominations.load_nominations_for_update(tx, [command.nomination_id])
    nomination = locked[command.nomination_id]
    await _check(tx, drive, nomination, vacancy)
    if not await vacancies.take_opening(tx, command.vacancy_id):
        raise refused("no_opening")
    if nomination["state"] == "waiting":
        # Whoever is offered something alone goes on alone.
        await nominations.leave_groups(tx, [command.nomination_id])
    await unplaced.forget_reasons(tx, [command.nomination_id])
    last = await rounds.get_last_round(tx, drive["drive_id"])
    making = Making(drive, 0 if last is None else last["round"], command.stands)
    made = await make_offers(tx, making, [Pick(nomination, vacancy)], because)
    overruled = await _overruled(tx, command)
    return made[0], overruled


async def _check(tx: Tx, drive: Row, nomination: Row, vacancy: Row) -> None:
    NOMINATION.after(nomination["state"], "offer")
    if vacancy["state"] == "withdrawn":
        raise IllegalStepError(VACANCY.noun, "withdrawn", "offer")
    if drive["state"] != "open":
        raise refused("drive_not_open")
    if nomination["drive_id"] not in {None, drive["drive_id"]}:
        raise refused("other_drive")
    if age_on(nomination["birth_year_month"], vacancy["starts_on"]) < LEGAL_AGE_MIN:
        raise refused("under_age")
    open_offers = await offers.list_open_offers(tx, [nomination["nomination_id"]])
    if any(o.vacancy_id == vacancy["vacancy_id"] for o in open_offers):
        raise refused("offer_open")
    if nomination["drive_id"] is None:
        await nominations.put_into_drive(tx, nomination["nomination_id"], drive["drive_id"])


async def _overruled(tx: Tx, command: Claim) -> tuple[str, ...]:
    candidate: Candidate = await rounds.get_candidate(tx, command.nomination_id)
    vacancy = await rounds.get_vacancy(tx, command.vacancy_id)
    return rules.judge(candidate, vacancy, tx.today).failed


async def _locked_offer(tx: Tx, offer_id: UUID, step: str) -> Offer:
    """Lock what an offer is about, and read it again: it allows the step, or is refused."""
    offer = await offers.get_offer(tx, offer_id)
    await nominations.load_nominations_for_update(tx, [offer.nomination_id])
    offer = await offers.get_offer(tx, offer_id)
    OFFER.after(offer.state, step)
    return offer


async def accept_offer(tx: Tx, offer_id: UUID, because: Because) -> Offer:
    """Accept a made offer. Raises `IllegalStepError`, or a `Problem` once its time is over."""
    offer = await _locked_offer(tx, offer_id, "accept")
    if offer.expires_at <= tx.now:
        raise refused("offer_expired")
    await accept(tx, [offer_id], because)
    return await offers.get_offer(tx, offer_id)


async def decline_offer(tx: Tx, offer_id: UUID, reason: str, because: Because) -> Offer:
    """Decline a made offer; the person leaves the group by it. Raises `IllegalStepError`."""
    return await _end(tx, offer_id, Closing("decline", reason, leaves=True), because)


async def withdraw_offer(tx: Tx, offer_id: UUID, reason: str, because: Because) -> Offer:
    """Withdraw a made offer; the person leaves the group by it. Raises `IllegalStepError`."""
    return await _end(tx, offer_id, Closing("withdraw", reason, leaves=True), because)


async def _end(tx: Tx, offer_id: UUID, closing: Closing, because: Because) -> Offer:
    offer = await _locked_offer(tx, offer_id, closing.step)
    await end_offers(tx, {offer_id: closing}, [offer], because)
    return await offers.get_offer(tx, offer_id)


async def withdraw_vacancy(tx: Tx, vacancy_id: UUID, because: Because) -> Row:
    """Take a vacancy back with its open offers; placements stay. Raises `IllegalStepError`."""
    vacancy = await vacancies.get_vacancy(tx, vacancy_id)
    # Offers are made under a shared lock of the drive: with this one nobody makes another.
    await drives.get_drive_for_update(tx, vacancy["drive_id"])
    found = await offers.list_open_offers_of_vacancy(tx, vacancy_id)
    await nominations.load_nominations_for_update(tx, [o.nomination_id for o in found])
    vacancy = (await vacancies.load_vacancies_for_update(tx, [vacancy_id]))[vacancy_id]
    state = VACANCY.after(vacancy["state"], "withdraw")
    await vacancies.update_vacancy_state(tx, vacancy_id, state)
    found = await offers.list_open_offers_of_vacancy(tx, vacancy_id)
    closing = Closing("take_back", VACANCY_WITHDRAWN)
    await end_offers(tx, {o.offer_id: closing for o in found}, found, because)
    return {**vacancy, "state": state}
