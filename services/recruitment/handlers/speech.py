"""How recruitment says what happened: events from rows, with their owner, journey and cause."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts import Event
from contracts.recruitment import OfferFact, PlacementFact, PlacementFate
from services.recruitment.domain.offer import Offer
from services.recruitment.store.rows import Row
from shared.transaction import Cause, Tx


@dataclass(frozen=True, slots=True)
class Because:
    """Who or what made it happen: `by` is a tenant's kind or `system`; causes by nomination."""

    by: str = "system"
    causes: Mapping[UUID, Cause] = field(default_factory=dict)


SYSTEM = Because()


def say_offers(tx: Tx, kind: type[OfferFact], rows: Iterable[Row], because: Because) -> None:
    """Say something of offers; the office owns it, the nomination is the journey."""
    for row in rows:
        _say(tx, kind.model_validate(dict(row)), because)


def say_placements(
    tx: Tx, facts: Iterable[PlacementFact | PlacementFate], because: Because
) -> None:
    """Say something of placements."""
    for fact in facts:
        _say(tx, fact, because)


def _say(tx: Tx, event: OfferFact | PlacementFact | PlacementFate, because: Because) -> None:
    say_of_nomination(tx, event, (event.office_id, event.nomination_id), because)


def say_of_nomination(
    tx: Tx, event: Event, ids: tuple[UUID, UUID | None], because: Because
) -> UUID:
    """Say something of a person's way: `ids` are the office that owns it and the nomination."""
    office_id, nomination_id = ids
    cause = because.causes.get(nomination_id) if nomination_id else None
    return tx.say(event, tenant_id=office_id, journey_id=nomination_id, cause=cause)


def offer_row(offer: Offer) -> dict[str, Any]:
    """Give an offer as the fields of its events."""
    return {name: getattr(offer, name) for name in Offer.__slots__}
