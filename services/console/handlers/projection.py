"""Folds everything that is heard into the feed, the facts, the journeys and the tasks."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from contracts import OWNER_TENANT_ID, Event
from contracts.recruitment import DriveFact
from services.console.domain.fact import STATES, Fact, Facts
from services.console.domain.journey import stand
from services.console.domain.task import due_at, tasks
from services.console.store import facts as fact_store
from services.console.store import feed
from services.console.store import journeys as journey_store
from services.console.store.deliveries import insert_deliveries
from shared.handlers import Received
from shared.transaction import Tx

FEED: Final = "feed"
JOURNEYS_DUE_MAX: Final = 500
# Things that pages speak of by name; the state is the participle of their last event.
_THINGS: Final = frozenset({"drive", "vacancy", "trip", "inn", "batch"})


async def project(tx: Tx, received: Sequence[Received[Event]]) -> None:
    """Take in a wave of events; no two of them are about the same thing by the same service."""
    entries = [entry_of(r) for r in received]
    first, last = await feed.insert_entries(tx, entries)
    touched = await fold(tx, entries)
    # After the fold: by now it is known who has somebody aboard which trip.
    await insert_deliveries(tx, first, last)
    if touched:
        await derive(tx, touched)
    tx.wake(FEED)


async def fold(tx: Tx, entries: Sequence[feed.Entry]) -> set[UUID]:
    """Fold a wave into things and facts; give the journeys that have to be derived anew."""
    await feed.insert_trip_tenants(tx, [pair for e in entries for pair in _trip_tenants(e)])
    await feed.upsert_things(tx, [(e, _participle(e)) for e in entries if _noun(e) in _THINGS])
    changes = [c for e in entries if (c := _change(e)) is not None]
    if changes:
        await fact_store.upsert_facts(tx, changes)
    return {c.journey_id for c in changes}


async def derive(tx: Tx, journey_ids: Iterable[UUID]) -> None:
    """Derive these journeys and their tasks anew from their facts."""
    found = await fact_store.load_facts(tx, journey_ids)
    folded = {journey_id: Facts.of(facts) for journey_id, facts in found.items()}
    journeys = [_journey(tx, i, f, found[i]) for i, f in sorted(folded.items())]
    if journeys:
        await journey_store.upsert_journeys(tx, journeys)
        await journey_store.replace_tasks(tx, {i: tasks(f, tx.now) for i, f in folded.items()})


async def derive_due(tx: Tx) -> int:
    """Derive the journeys at which time alone has brought something to do."""
    due = await journey_store.list_due_for_update(tx, JOURNEYS_DUE_MAX)
    if due:
        await derive(tx, due)
    return len(due)


def _journey(
    tx: Tx, journey_id: UUID, facts: Facts, found: Sequence[Fact]
) -> journey_store.Journey:
    placement, hire = facts.placement, facts.hires[-1] if facts.hires else None
    stays = [s for s in facts.stays if s.state not in {"released", "rejected"}] or list(facts.stays)
    of_all = [f for f in (facts.nomination, facts.unplaced, placement, hire, *stays) if f]
    return journey_store.Journey(
        journey_id,
        UUID(found[0].data["worker_id"]),
        _first(of_all, "office_id"),
        _first([f for f in (placement, hire, *stays) if f], "enterprise_id"),
        _first(of_all, "nomination_id"),
        hire.fact_id if hire else _first(of_all, "hire_id"),
        placement.fact_id if placement else None,
        _first([f for f in (placement, facts.nomination, facts.unplaced) if f], "drive_id"),
        _first(list(reversed(stays)), "inn_id"),
        stand(facts),
        max(f.since for f in found),
        due_at(facts, tx.now),
    )


def _first(facts: Iterable[Fact], name: str) -> UUID | None:
    return next((value for f in facts if (value := f.uuid(name))), None)


def entry_of(received: Received[Event]) -> feed.Entry:
    """Give what the feed keeps of an event."""
    event, envelope = received.event, received.envelope
    return feed.Entry(
        envelope.id,
        envelope.type,
        envelope.service,
        envelope.subject,
        envelope.sequence,
        envelope.tenant_id or OWNER_TENANT_ID,
        envelope.correlation_id,
        envelope.causation_id,
        envelope.time,
        _audience(event),
        list(getattr(event, "origins", ())),
        getattr(event, "trip_id", None),
        getattr(event, "inn_id", None),
        event.model_dump(mode="json", exclude_none=True),
    )


def _audience(event: Event) -> list[UUID]:
    """Give the tenants that are named in an event (events.md, Who sees it)."""
    named = {getattr(event, name, None) for name in ("office_id", "enterprise_id")}
    if event.service == "console":
        named.add(getattr(event, "tenant_id", None))
    if isinstance(event, DriveFact):
        named.update(event.enterprises)
    return sorted(i for i in named if i is not None)


def _trip_tenants(entry: feed.Entry) -> list[tuple[UUID, UUID]]:
    if entry.trip_id is None or _noun(entry) != "booking":
        return []
    return [(entry.trip_id, tenant_id) for tenant_id in entry.audience]


def _change(entry: feed.Entry) -> fact_store.Change | None:
    kind = entry.type.rpartition(".v")[0]
    if kind not in STATES or entry.journey_id is None:
        return None
    return fact_store.Change(
        entry.service, entry.subject, entry.journey_id, STATES[kind], entry.said_at, entry.body
    )


def _noun(entry: feed.Entry) -> str:
    return entry.subject.partition("/")[0]


def _participle(entry: feed.Entry) -> str:
    return entry.type.rpartition(".v")[0].rpartition("-")[2]
