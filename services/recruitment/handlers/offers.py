"""Offers made, accepted and ended, one or a round at once; the caller locks nominations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.recruitment import (
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferFact,
    OfferMade,
    OfferWithdrawn,
)
from services.recruitment.domain.offer import OTHER_ACCEPTED, Closing, Offer, fall
from services.recruitment.handlers import openings
from services.recruitment.handlers.placing import confirm
from services.recruitment.handlers.speech import SYSTEM, Because, offer_row, say_offers
from services.recruitment.store import marks, nominations, offers, vacancies
from services.recruitment.store.rows import Row
from shared.transaction import Tx

EXPIRE_BATCH = 500
_SAID: Mapping[str, type[OfferFact]] = {
    "declined": OfferDeclined,
    "expired": OfferExpired,
    "withdrawn": OfferWithdrawn,
}


@dataclass(frozen=True, slots=True)
class Pick:
    """A nomination and a vacancy (rows) whose opening is taken; a group shares its `set_id`."""

    nomination: Row
    vacancy: Row
    group_id: UUID | None = None
    set_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """In which drive (row) and round offers are made, and how long they stand."""

    drive: Row
    round: int
    stands: timedelta


async def make_offers(
    tx: Tx, making: Making, picks: Sequence[Pick], because: Because = SYSTEM
) -> list[Offer]:
    """Make offers; where the office's word is enough (`on_nomination`), accept them at once."""
    made = [_offer(tx, making, pick) for pick in picks]
    terms = [_terms(pick.vacancy) for pick in picks]
    await offers.insert_offers(
        tx, [offers.NewOffer(o, t) for o, t in zip(made, terms, strict=True)]
    )
    await nominations.step_nominations(tx, [o.nomination_id for o in made], "offer")
    say_offers(tx, OfferMade, [offer_row(o) for o in made], because)
    if made and made[0].acceptance == "on_nomination":
        await accept(tx, [o.offer_id for o in made], because)
        return [replace(o, state="accepted") for o in made]
    return made


def _offer(tx: Tx, making: Making, pick: Pick) -> Offer:
    return Offer(
        offer_id=tx.ids.uuid7(),
        nomination_id=pick.nomination["nomination_id"],
        worker_id=pick.nomination["worker_id"],
        office_id=pick.nomination["office_id"],
        enterprise_id=pick.vacancy["enterprise_id"],
        drive_id=making.drive["drive_id"],
        vacancy_id=pick.vacancy["vacancy_id"],
        group_id=pick.group_id,
        set_id=pick.set_id,
        round=making.round,
        acceptance=making.drive["acceptance"],
        state="made",
        pending=False,
        expires_at=tx.now + making.stands,
    )


def _terms(vacancy: Row) -> Mapping[str, Any]:
    names = ("title", "site", "occupation_code", "monthly_pay_min", "monthly_pay_max")
    return {**{n: vacancy[n] for n in names}, "starts_on": vacancy["starts_on"].isoformat()}


async def accept(tx: Tx, offer_ids: Sequence[UUID], because: Because) -> None:
    """Accept made offers: the persons' other offers end, and who is alone or complete is placed."""
    # Openings of other offers go back, and those of these fill: locked together, in one order.
    await vacancies.lock_vacancies_of_offers(tx, offer_ids)
    rows = await offers.accept_offers(tx, offer_ids)
    persons = [r["nomination_id"] for r in rows]
    say_offers(tx, OfferAccepted, rows, because)
    await nominations.step_nominations(tx, persons, "accept")
    await _end_others(tx, {r["offer_id"] for r in rows}, persons, because)
    whole = await offers.take_whole_sets(tx, [r["offer_id"] for r in rows])
    await confirm(tx, whole, because)


async def _end_others(
    tx: Tx, accepted: set[UUID], persons: Sequence[UUID], because: Because
) -> None:
    others = [o for o in await offers.list_open_offers(tx, persons) if o.offer_id not in accepted]
    closing = Closing("take_back", OTHER_ACCEPTED, leaves=True)
    await end_offers(tx, {o.offer_id: closing for o in others}, others, because)


async def end_offers(
    tx: Tx, first: Mapping[UUID, Closing], known: Sequence[Offer], because: Because
) -> list[UUID]:
    """End offers, with one of a group all of its set; openings and persons are free again.

    `known` are the offers in `first`. Gives the ids of the offers that ended.
    """
    if not first:
        return []
    sets = {o.set_id for o in known if o.set_id}
    partners = await offers.list_open_offers_of_sets(tx, sets) if sets else []
    falling = fall({o.offer_id: o for o in [*known, *partners]}.values(), first)
    rows = await offers.close_offers(tx, falling.closings)
    said: dict[UUID, UUID] = {}
    for state, kind in _SAID.items():
        said |= say_offers(tx, kind, [r for r in rows if r["state"] == state], because)
    await nominations.leave_groups(tx, falling.leavers)
    await _back_into_rounds(tx, said)
    # What is made of the openings next is made because the first of these offers has ended.
    ended = next((said[o.nomination_id] for o in known if o.nomination_id in said), None)
    await openings.give_back(tx, [r["vacancy_id"] for r in rows], ended)
    return [r["offer_id"] for r in rows]


async def _back_into_rounds(tx: Tx, said: Mapping[UUID, UUID]) -> None:
    """Let those wait again who have no open offer left, because of what was said of theirs."""
    still = {o.nomination_id for o in await offers.list_open_offers(tx, said)}
    freed = await nominations.step_nominations(tx, set(said) - still, "lose")
    waiting = [r["nomination_id"] for r in freed]
    await nominations.note_causes(tx, {n: said[n] for n in waiting})
    await marks.mark_due(tx, {r["drive_id"] for r in freed}, timedelta(0))


async def expire_offers(tx: Tx) -> int:
    """Expire what nobody answered in time by business time: at most a batch at once."""
    due = await offers.list_expired(tx, EXPIRE_BATCH)
    if not due:
        return 0
    await nominations.load_nominations_for_update(tx, [o.nomination_id for o in due])
    # An answer that came in before the lock counts.
    late = [
        o for o in await offers.list_still_open(tx, [o.offer_id for o in due]) if o.state == "made"
    ]
    closing = Closing("expire", "expired", leaves=True)
    await end_offers(tx, {o.offer_id: closing for o in late}, late, SYSTEM)
    return len(due)
