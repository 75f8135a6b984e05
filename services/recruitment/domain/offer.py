"""An offer, and what the end of one means for the others of its group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

GROUP_INCOMPLETE: Final = "group_incomplete"
OTHER_ACCEPTED: Final = "other_accepted"
DRIVE_CLOSED: Final = "drive_closed"
VACANCY_WITHDRAWN: Final = "vacancy_withdrawn"

Acceptance = Literal["on_nomination", "by_office", "by_worker"]


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer of one opening; the offers of a group in one round share `set_id`.

    `pending`: accepted, and waiting for the rest of its group.
    """

    offer_id: UUID
    nomination_id: UUID
    worker_id: UUID
    office_id: UUID
    enterprise_id: UUID
    drive_id: UUID
    vacancy_id: UUID
    group_id: UUID | None
    set_id: UUID | None
    round: int
    acceptance: Acceptance
    state: str
    pending: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Closing:
    """How an offer ends: step and reason; `leaves`: the person leaves the group by it."""

    step: str
    reason: str | None = None
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Fall:
    """All offers that end together, and the nominations that leave their group."""

    closings: Mapping[UUID, Closing]
    leavers: frozenset[UUID]


def fall(open_offers: Iterable[Offer], first: Mapping[UUID, Closing]) -> Fall:
    """Tell what ends when the offers in `first` end: with one of a set, the whole set.

    `open_offers` are those in `first` and all open ones of their sets. Who ended it leaves the
    group; when everyone did at once (all offers of a group expired), nobody stays behind and the
    group stays whole.
    """
    offers = list(open_offers)
    broken = {o.set_id for o in offers if o.offer_id in first and o.set_id}
    closings = dict(first)
    for offer in offers:
        if offer.set_id in broken and offer.offer_id not in closings:
            closings[offer.offer_id] = Closing("take_back", GROUP_INCOMPLETE)
    staying = {o.set_id for o in offers if o.set_id in broken and not closings[o.offer_id].leaves}
    leavers = {
        o.nomination_id
        for o in offers
        if o.set_id in staying and o.offer_id in closings and closings[o.offer_id].leaves
    }
    return Fall(closings, frozenset(leavers))
