"""Offers in the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.recruitment.domain.offer import Closing, Offer
from services.recruitment.domain.states import OFFER
from shared.problem import NotFound
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

_NAMES = tuple(f.name for f in fields(Offer))
_OTHERS = {
    "round": "int",
    "acceptance": "text",
    "state": "text",
    "pending": "bool",
    "expires_at": "timestamptz",
}
_TYPES = {name: _OTHERS.get(name, "uuid") for name in _NAMES}
_COLUMNS = ", ".join(f"o.{name}" for name in _NAMES)


def _offer(row: "Record") -> Offer:
    return Offer(**{name: row[name] for name in _NAMES})


async def get_offer(tx: Tx, offer_id: UUID) -> Offer:
    """Give an offer that the caller may see; raises `NotFound`."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM offer o WHERE offer_id = $1", offer_id)
    if row is None:
        raise NotFound
    return _offer(row)


@dataclass(frozen=True, slots=True)
class NewOffer:
    """An offer that is to be inserted, with its terms as they are offered."""

    offer: Offer
    terms: Mapping[str, Any]


async def insert_offers(tx: Tx, offers: Sequence[NewOffer]) -> None:
    """Insert made offers; the caller has their nominations locked and their openings taken."""
    records = [(*asdict(o.offer).values(), dict(o.terms)) for o in offers]
    await tx.insert("offer", _TYPES | {"terms": "jsonb"}, records, {"made_at": tx.now})


async def list_open_offers(tx: Tx, nomination_ids: Iterable[UUID]) -> list[Offer]:
    """List the open offers of these nominations: made, or accepted and waiting for the group."""
    return [_offer(r) for r in await tx.fetch(_OPEN, list(nomination_ids))]


_OPEN = f"""
SELECT {_COLUMNS} FROM offer o
WHERE o.nomination_id = ANY ($1) AND (o.state = 'made' OR o.pending) ORDER BY o.offer_id
"""


async def list_open_offers_of_sets(tx: Tx, set_ids: Iterable[UUID]) -> list[Offer]:
    """List the open offers of these groups' rounds."""
    return [_offer(r) for r in await tx.fetch(_OF_SETS, list(set_ids))]


_OF_SETS = f"""
SELECT {_COLUMNS} FROM offer o
WHERE o.set_id = ANY ($1) AND (o.state = 'made' OR o.pending) ORDER BY o.offer_id
"""


async def list_open_offers_of_vacancy(tx: Tx, vacancy_id: UUID) -> list[Offer]:
    """List the open offers of a vacancy."""
    return [_offer(r) for r in await tx.fetch(_OF_VACANCY, vacancy_id)]


_OF_VACANCY = f"""
SELECT {_COLUMNS} FROM offer o WHERE o.vacancy_id = $1 AND (o.state = 'made' OR o.pending)
"""


async def list_still_open(tx: Tx, offer_ids: Iterable[UUID]) -> list[Offer]:
    """List those of these offers that are open; asked again once their nominations are locked."""
    return [_offer(r) for r in await tx.fetch(_STILL_OPEN, list(offer_ids))]


_STILL_OPEN = f"""
SELECT {_COLUMNS} FROM offer o
WHERE o.offer_id = ANY ($1) AND (o.state = 'made' OR o.pending) ORDER BY o.offer_id
"""


async def list_expired(tx: Tx, limit: int) -> list[Offer]:
    """List offers that nobody answered in time (business time), oldest first."""
    return [_offer(r) for r in await tx.fetch(_EXPIRED, tx.now, limit)]


_EXPIRED = f"""
SELECT {_COLUMNS} FROM offer o WHERE o.state = 'made' AND o.expires_at <= $1 ORDER BY o.expires_at
    LIMIT $2
"""


async def close_offers(tx: Tx, closings: Mapping[UUID, Closing]) -> "list[Record]":
    """Close offers of locked nominations, each by its step; give those that were open."""
    steps = sorted({c.step for c in closings.values()})
    pairs = [(s, step, OFFER.after(s, step)) for step in steps for s in OFFER.sources(step)]
    ids = list(closings)
    return await tx.fetch(
        _CLOSE,
        ids,
        [closings[i].step for i in ids],
        [closings[i].reason for i in ids],
        *(list(column) for column in zip(*pairs, strict=True)),
        tx.now,
    )


_CLOSE = """
UPDATE offer o SET state = s.after, pending = false, reason = u.reason, answered_at = $7
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (offer_id, step, reason),
     unnest($4::text[], $5::text[], $6::text[]) AS s (before, step, after)
WHERE o.offer_id = u.offer_id AND s.step = u.step AND o.state = s.before AND (o.state = 'made' OR
    o.pending)
RETURNING o.*
"""


async def accept_offers(tx: Tx, offer_ids: Iterable[UUID]) -> "list[Record]":
    """Accept made offers of locked nominations; those of a group wait for the rest of it."""
    return await tx.fetch(_ACCEPT, list(offer_ids), tx.now)


_ACCEPT = """
UPDATE offer o SET state = 'accepted', pending = true, answered_at = $2
WHERE o.offer_id = ANY ($1) AND o.state = 'made' RETURNING o.*
"""


async def take_whole_sets(tx: Tx, offer_ids: Iterable[UUID]) -> "list[Record]":
    """Take the accepted offers out of waiting that are single, or whose whole group has accepted.

    Gives them with `placed_count`, the members of the group that are placed together.
    """
    return await tx.fetch(_WHOLE, list(offer_ids))


_WHOLE = """
WITH involved AS (
    SELECT o.offer_id, o.set_id FROM offer o
    WHERE o.offer_id = ANY ($1) OR o.set_id IN (SELECT set_id FROM offer WHERE offer_id = ANY ($1))
), whole AS (
    SELECT i.set_id, count(*) AS placed_count FROM involved i JOIN offer o USING (offer_id)
    WHERE i.set_id IS NOT NULL GROUP BY i.set_id HAVING bool_and(o.pending)
)
UPDATE offer o SET pending = false
FROM involved i LEFT JOIN whole w USING (set_id)
WHERE o.offer_id = i.offer_id AND o.pending AND (i.set_id IS NULL OR w.set_id IS NOT NULL)
RETURNING o.offer_id, o.vacancy_id, o.nomination_id, o.group_id, w.placed_count
"""
