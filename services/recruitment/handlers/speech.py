"""How recruitment says what happened: events from rows, with their owner, journey and cause."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from contracts import Envelope, Event
from contracts.recruitment import OfferFact, PlacementFact, PlacementFate
from services.recruitment.domain.offer import Offer
from services.recruitment.store.rows import Row
from shared.transaction import Cause, Tx

_UNKNOWN_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Because:
    """Who or what made it happen: `by` is a tenant's kind or `system`; causes by nomination."""

    by: str = "system"
    causes: Mapping[UUID, Cause] = field(default_factory=dict)
    #: The cause of what is said of those who have none of their own.
    otherwise: Cause | None = None

    def of(self, nomination_id: UUID | None) -> Cause | None:
        """Give the cause of what is said of a nomination; None is the command, or time."""
        own = self.causes.get(nomination_id) if nomination_id else None
        return own or self.otherwise

    def ids(self) -> dict[UUID, UUID]:
        """Give the ids of the causes that nominations have of their own."""
        return {n: cause.envelope.id for n, cause in self.causes.items()}


SYSTEM = Because()


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An event of which only the id was kept."""

    envelope: Envelope


def because_of(cause_ids: Mapping[UUID, UUID], otherwise: UUID | None = None) -> Because:
    """Name events of which the ids were kept: by nomination, and one for the others."""
    return Because(
        causes={n: _earlier(c) for n, c in cause_ids.items()},
        otherwise=_earlier(otherwise) if otherwise else None,
    )


def _earlier(event_id: UUID) -> _Earlier:
    return _Earlier(Envelope(event_id, "", "", "", 0, None, None, None, _UNKNOWN_TIME))


def say_offers(
    tx: Tx, kind: type[OfferFact], rows: Iterable[Row], because: Because
) -> dict[UUID, UUID]:
    """Say something of offers, and give the events' ids by nomination.

    The office owns it, the nomination is the journey.
    """
    said = {}
    for row in rows:
        said[row["nomination_id"]] = _say(tx, kind.model_validate(dict(row)), because)
    return said


def say_placements(
    tx: Tx, facts: Iterable[PlacementFact | PlacementFate], because: Because
) -> dict[UUID, UUID]:
    """Say something of placements, and give the events' ids by placement."""
    return {fact.placement_id: _say(tx, fact, because) for fact in facts}


def _say(tx: Tx, event: OfferFact | PlacementFact | PlacementFate, because: Because) -> UUID:
    return say_of_nomination(tx, event, (event.office_id, event.nomination_id), because)


def say_of_nomination(
    tx: Tx, event: Event, ids: tuple[UUID, UUID | None], because: Because
) -> UUID:
    """Say something of a person's way: `ids` are the office that owns it and the nomination."""
    office_id, nomination_id = ids
    cause = because.of(nomination_id)
    return tx.say(event, tenant_id=office_id, journey_id=nomination_id, cause=cause)


def offer_row(offer: Offer) -> dict[str, Any]:
    """Give an offer as the fields of its events."""
    return {name: getattr(offer, name) for name in Offer.__slots__}
