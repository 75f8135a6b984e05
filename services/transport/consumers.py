"""What transport hears: placements and their ends, and erased persons."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from contracts import Event
from contracts.recruitment import (
    PlacementCancelled,
    PlacementChanged,
    PlacementConfirmed,
    PlacementEnded,
    PlacementFact,
    PlacementFate,
    PlacementStarted,
)
from contracts.reference import city_of
from contracts.registry import WorkerErased
from services.transport.domain.demand import Demand, PlacementState
from services.transport.domain.origin import Origin
from services.transport.store import bookings as store
from services.transport.store.due import note_heard, note_workers
from services.transport.store.placements import (
    end_placements,
    insert_erased,
    upsert_placements,
)
from shared.handlers import Handlers, Received
from shared.transaction import Tx

HANDLERS: Final = Handlers("transport")
#: Changes after which somebody who missed a trip needs another one.
_ANOTHER_JOURNEY: Final = frozenset({"starts_on", "site"})


@HANDLERS.on(PlacementConfirmed)
async def on_placement_confirmed(tx: Tx, received: Sequence[Received[PlacementConfirmed]]) -> None:
    """Put who needs a seat into the pool of the destination."""
    await upsert_placements(tx, [_demand(r) for r in received])
    await store.insert_pooled(tx, _needs(received))
    await note_heard(tx, {city_of(r.event.site.division_code): _origin(r) for r in received})


@HANDLERS.on(PlacementChanged)
async def on_placement_changed(tx: Tx, received: Sequence[Received[PlacementChanged]]) -> None:
    """Keep the new whole; the seats' single writer finds another seat in one step, if it has to."""
    await upsert_placements(tx, [_demand(r) for r in received])
    await store.insert_pooled(tx, _needs(received))
    moved = [r for r in received if not _ANOTHER_JOURNEY.isdisjoint(r.event.changed)]
    await store.insert_pooled_again(tx, _needs(moved))
    await note_workers(tx, [r.event.worker_id for r in received], [_origin(r) for r in received])


@HANDLERS.on(PlacementCancelled)
async def on_placement_cancelled(tx: Tx, received: Sequence[Received[PlacementCancelled]]) -> None:
    """Give the seat back, also when the placement is heard of only later."""
    await _end(tx, received, PlacementState.CANCELLED)


@HANDLERS.on(PlacementStarted)
async def on_placement_started(tx: Tx, received: Sequence[Received[PlacementStarted]]) -> None:
    """Look for no seat any more: the person is there."""
    await _end(tx, received, PlacementState.STARTED)


@HANDLERS.on(PlacementEnded)
async def on_placement_ended(tx: Tx, received: Sequence[Received[PlacementEnded]]) -> None:
    """Give back what is left."""
    await _end(tx, received, PlacementState.ENDED)


@HANDLERS.on(WorkerErased)
async def on_worker_erased(tx: Tx, received: Sequence[Received[WorkerErased]]) -> None:
    """Keep a tombstone, and give the seat back unless the person is under way."""
    workers = [r.event.worker_id for r in received]
    await insert_erased(tx, workers)
    await note_workers(tx, workers, [_origin(r) for r in received])


async def _end(tx: Tx, received: Sequence[Received[PlacementFate]], state: PlacementState) -> None:
    await end_placements(tx, [r.event.placement_id for r in received], state)
    await note_workers(tx, [r.event.worker_id for r in received], [_origin(r) for r in received])


def _needs(received: Sequence[Received[PlacementFact]]) -> dict[UUID, Origin]:
    return {r.event.placement_id: _origin(r) for r in received}


def _origin(received: Received[Event]) -> Origin:
    return Origin(received.envelope.id, received.envelope.traceparent)


def _demand(received: Received[PlacementFact]) -> Demand:
    event = received.event
    return Demand(
        placement_id=event.placement_id,
        nomination_id=event.nomination_id,
        worker_id=event.worker_id,
        office_id=event.office_id,
        enterprise_id=event.enterprise_id,
        journey_id=received.envelope.correlation_id or event.nomination_id,
        state=PlacementState.CONFIRMED,
        needs_seat=event.needs_seat,
        city=city_of(event.site.division_code),
        site_division_code=event.site.division_code,
        origin_division_code=event.origin_division_code,
        boarding_place_code=event.boarding_place_code,
        available_from=event.available_from,
        starts_on=event.starts_on,
        group_id=event.group_id,
        group_placed_count=event.group_placed_count or 1,
        priority=event.priority,
    )
