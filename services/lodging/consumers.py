"""What lodging hears: it keeps facts and notes whose stays to look at; beds are given later."""

from collections.abc import Sequence
from typing import Any, Final

from contracts.recruitment import (
    PlacementCancelled,
    PlacementChanged,
    PlacementConfirmed,
    PlacementEnded,
    PlacementFact,
    PlacementFate,
)
from contracts.registry import WorkerErased, WorkerHired
from contracts.transport import (
    BookingFact,
    PassengerBoarded,
    PassengerHandedOver,
    PassengerMissed,
    SeatBooked,
    SeatChanged,
    SeatFact,
    SeatReleased,
    SeatWaitlisted,
)
from services.lodging.domain.journey import Booking, BookingState, Hire, Placement
from services.lodging.store import facts
from shared.handlers import Handlers, Received
from shared.transaction import Tx

HANDLERS: Final = Handlers("lodging")

_STATES: Final[dict[type[BookingFact], BookingState]] = {
    SeatFact: "booked",
    SeatWaitlisted: "pooled",
    SeatReleased: "released",
    PassengerBoarded: "boarded",
    PassengerMissed: "missed",
    PassengerHandedOver: "handed_over",
}


@HANDLERS.on(PlacementConfirmed, PlacementChanged)
async def on_placement(tx: Tx, received: Sequence[Received[PlacementFact]]) -> None:
    """Keep the new whole of placements."""
    await facts.put_placements(tx, [_placement(r.event) for r in received])
    await _note(tx, received)


@HANDLERS.on(PlacementCancelled, PlacementEnded)
async def on_placement_over(tx: Tx, received: Sequence[Received[PlacementFate]]) -> None:
    """Note that placements are over; a guest in house stays until the check-out."""
    await facts.insert_placement_ends(tx, [r.event.placement_id for r in received])
    await _note(tx, received)


@HANDLERS.on(
    SeatBooked, SeatChanged, SeatWaitlisted, SeatReleased,
    PassengerBoarded, PassengerMissed, PassengerHandedOver,
)  # fmt: skip
async def on_booking(tx: Tx, received: Sequence[Received[BookingFact]]) -> None:
    """Keep where bookings are."""
    await facts.put_bookings(tx, [(r.event.worker_id, _booking(r.event)) for r in received])
    await _note(tx, received)


@HANDLERS.on(WorkerHired)
async def on_worker_hired(tx: Tx, received: Sequence[Received[WorkerHired]]) -> None:
    """Keep who is an enterprise's new hire; a bed is asked for by the enterprise alone."""
    await facts.put_hires(tx, [_hire(r.event) for r in received])
    await _note(tx, received)


@HANDLERS.on(WorkerErased)
async def on_worker_erased(tx: Tx, received: Sequence[Received[WorkerErased]]) -> None:
    """Keep tombstones."""
    await facts.insert_erased(tx, [r.event.worker_id for r in received])
    await _note(tx, received)


async def _note(tx: Tx, received: Sequence[Received[Any]]) -> None:
    notes = [facts.Note(r.event.worker_id, r.envelope.id, r.envelope.traceparent) for r in received]
    await facts.insert_unsettled(tx, notes)
    tx.wake("settle")


def _placement(event: PlacementFact) -> Placement:
    return Placement(
        placement_id=event.placement_id,
        nomination_id=event.nomination_id,
        worker_id=event.worker_id,
        gender=event.gender,
        office_id=event.office_id,
        enterprise_id=event.enterprise_id,
        town=event.site.town,
        division_code=event.site.division_code,
        starts_on=event.starts_on,
        hired_on=event.hired_on,
        needs_seat=event.needs_seat,
        needs_bed=event.needs_bed,
        programme=event.programme,
        nights=event.nights,
        group_id=event.group_id,
        group_size=event.group_placed_count or 1,
        priority=event.priority,
    )


def _booking(event: BookingFact) -> Booking:
    arrives_at = event.arrives_at if isinstance(event, SeatFact) else None
    release = event if isinstance(event, SeatReleased) else None
    return Booking(
        event.booking_id,
        event.placement_id,
        _state(event),
        arrives_at,
        release.reason if release else None,
        release.rebooked_as if release else None,
    )


def _state(event: BookingFact) -> BookingState:
    for kind, state in _STATES.items():
        if isinstance(event, kind):
            return state
    message = f"{event.wire_type} says nothing about a seat"
    raise TypeError(message)


def _hire(event: WorkerHired) -> Hire:
    site = event.site
    return Hire(
        event.hire_id,
        event.worker_id,
        event.enterprise_id,
        event.hired_on,
        event.gender,
        site.town if site else None,
        site.division_code if site else None,
    )
