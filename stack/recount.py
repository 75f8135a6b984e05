"""Counts the totals anew, once from the services' databases and once from the topics alone."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord

from contracts import BrokenEnvelopeError, DecodeError, Envelope, Event, decode
from contracts.lodging import GuestFact, StayFact
from contracts.recruitment import NominationUnplaced, OfferFact, PlacementFact, PlacementFate
from contracts.registry import NominationEnded, WorkerNominated
from contracts.transport import BookingFact
from stack.reading import records
from stack.totals import Nomination, Placement, Standing

OPEN_OFFERS: Final = frozenset({"offer-made", "offer-accepted"})

_NOMINATIONS: Final = "SELECT nomination_id, reason FROM nomination"
_UNPLACED: Final = """
SELECT nomination_id, unplaced_reason,
       EXISTS (SELECT FROM offer o WHERE o.nomination_id = n.nomination_id
               AND (o.state = 'made' OR o.pending)) AS has_open_offer
FROM nomination n
"""
_PLACEMENTS: Final = (
    "SELECT placement_id, nomination_id, state, needs_seat, needs_bed FROM placement"
)
_BOOKINGS: Final = "SELECT placement_id, state FROM booking ORDER BY booking_id"
_STAYS: Final = """
SELECT placement_id, stay_request_id, state FROM stay WHERE announced ORDER BY stay_id
"""


async def from_databases(urls: Mapping[str, str]) -> Standing:
    """Read where everything stands from the databases of four services (superuser's URLs)."""
    nominations, unplaced, placements, bookings, stays = await asyncio.gather(
        _rows(urls["registry"], _NOMINATIONS),
        _rows(urls["recruitment"], _UNPLACED),
        _rows(urls["recruitment"], _PLACEMENTS),
        _rows(urls["transport"], _BOOKINGS),
        _rows(urls["lodging"], _STAYS),
    )
    standing = Standing({str(n): Nomination(reason) for n, reason in nominations})
    for nomination_id, reason, has_open_offer in unplaced:
        known = standing.nominations.setdefault(str(nomination_id), Nomination())
        known.unplaced_for, known.has_open_offer = reason, has_open_offer
    for placement_id, *fields in placements:
        nomination_id, *rest = fields
        standing.placements[str(placement_id)] = Placement(str(nomination_id), *rest)
    for placement_id, state in bookings:
        standing.bookings.append(state)
        # Whose placement is not known is told by an invariant of its own.
        if placement := standing.placements.get(str(placement_id)):
            placement.booking = state
    for placement_id, stay_request_id, state in stays:
        standing.stays.append(state)
        if stay_request_id is not None:
            standing.direct.append(state)
        elif str(placement_id) in standing.placements:
            standing.placements[str(placement_id)].stay = state
    return standing


async def _rows(url: str, sql: str) -> Sequence[asyncpg.Record]:
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetch(sql)
    finally:
        await conn.close()


@dataclass
class _Stay:
    placement_id: str
    is_direct: bool
    state: str = "requested"


@dataclass
class Heard:
    """What the topics say, folded event by event; `counts` are records by topic.

    `garbage` are those that are no events, `repeats` those of events that came before.
    """

    counts: Counter[str] = field(default_factory=Counter)
    garbage: int = 0
    repeats: int = 0
    _seen: set[UUID] = field(default_factory=set)
    _nominations: dict[str, Nomination] = field(default_factory=dict)
    _offers: dict[str, tuple[str, str]] = field(default_factory=dict)
    _placements: dict[str, Placement] = field(default_factory=dict)
    _bookings: dict[str, tuple[str, str]] = field(default_factory=dict)
    _stays: dict[str, _Stay] = field(default_factory=dict)

    def take(self, record: ConsumerRecord) -> None:
        """Fold one record, but for what was heard before."""
        self.counts[record.topic] += 1
        try:
            envelope = Envelope.from_headers(record.headers)
            event = decode(envelope, record.value)
        except (BrokenEnvelopeError, DecodeError):
            self.garbage += 1
            return
        if envelope.id in self._seen:
            self.repeats += 1
            return
        self._seen.add(envelope.id)
        self._fold(event, event.wire_type.split(".")[1])

    def standing(self) -> Standing:
        """Give where everything stands after all that was heard."""
        for nomination_id, said in self._offers.values():
            if said in OPEN_OFFERS:
                self._known(nomination_id).has_open_offer = True
        for placement in self._placements.values():
            # Its offer was accepted, and that is done with.
            self._known(placement.nomination_id).has_open_offer = False
        # Ids rise with time: the newest of a placement comes last.
        for _, (placement_id, said) in sorted(self._bookings.items()):
            if placement_id in self._placements:
                self._placements[placement_id].booking = said
        for _, stay in sorted(self._stays.items()):
            if stay.placement_id in self._placements and not stay.is_direct:
                self._placements[stay.placement_id].stay = stay.state
        return Standing(
            self._nominations,
            self._placements,
            [said for _, said in self._bookings.values()],
            [stay.state for stay in self._stays.values()],
            [stay.state for stay in self._stays.values() if stay.is_direct],
        )

    def _known(self, nomination_id: object) -> Nomination:
        return self._nominations.setdefault(str(nomination_id), Nomination())

    def _fold(self, event: Event, said: str) -> None:
        match event:
            case WorkerNominated() | NominationEnded() | NominationUnplaced():
                self._fold_nomination(event)
            case OfferFact():
                self._offers[str(event.offer_id)] = str(event.nomination_id), said
            case PlacementFact() | PlacementFate():
                self._fold_placement(event, said)
            case BookingFact():
                before = self._bookings.get(str(event.booking_id), ("", "pooled"))[1]
                state = _BOOKING_STATES.get(said, before)
                self._bookings[str(event.booking_id)] = str(event.placement_id), state
            case StayFact() | GuestFact():
                self._fold_stay(event, said)
            case _:
                pass

    def _fold_nomination(
        self, event: WorkerNominated | NominationEnded | NominationUnplaced
    ) -> None:
        known = self._known(event.nomination_id)
        match event:
            case NominationEnded():
                known.ended_for = event.reason
            case NominationUnplaced():
                known.unplaced_for = event.reason
            case WorkerNominated():
                pass

    def _fold_placement(self, event: PlacementFact | PlacementFate, said: str) -> None:
        placement_id = str(event.placement_id)
        match event:
            case PlacementFact():
                state = self._placements.get(placement_id)
                self._placements[placement_id] = Placement(
                    str(event.nomination_id),
                    state.state if state else "confirmed",
                    event.needs_seat,
                    event.needs_bed,
                )
            case PlacementFate() if placement_id in self._placements:
                self._placements[placement_id].state = said.removeprefix("placement-")
            case PlacementFate():
                # What it ends was never said: a gap, which is told as such.
                pass

    def _fold_stay(self, event: StayFact | GuestFact, said: str) -> None:
        known = self._stays.setdefault(str(event.stay_id), _Stay("", is_direct=False))
        known.placement_id = str(event.placement_id or known.placement_id)
        if isinstance(event, StayFact):
            known.is_direct = event.stay_request_id is not None
        known.state = _STAY_STATES.get(said, known.state)


_BOOKING_STATES: Final[Mapping[str, str]] = {
    "seat-booked": "booked",
    "seat-waitlisted": "waitlisted",
    "seat-released": "released",
    "passenger-boarded": "boarded",
    "passenger-missed": "missed",
    "passenger-handed-over": "handed_over",
}
_STAY_STATES: Final[Mapping[str, str]] = {
    "stay-requested": "requested",
    "stay-held": "held",
    "stay-confirmed": "confirmed",
    "stay-waitlisted": "waitlisted",
    "stay-rejected": "rejected",
    "stay-released": "released",
    "guest-checked-in": "checked_in",
    "guest-checked-out": "checked_out",
    "guest-missed": "missed",
}


async def from_topics(bootstrap_servers: str) -> Heard:
    """Read all event topics from their start and fold what they say."""
    heard = Heard()
    async for record in records(bootstrap_servers):
        heard.take(record)
    return heard
