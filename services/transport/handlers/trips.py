"""Commands of a trip: scheduled, opened, delayed, departed, arrived, cancelled, closed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.transport import (
    PassengerMissed,
    TripArrived,
    TripCancelled,
    TripChanged,
    TripClosed,
    TripDelayed,
    TripDeparted,
    TripOpened,
    TripScheduled,
)
from services.transport.domain.booking import Booking, BookingState, BookingStep
from services.transport.domain.demand import PlacementState
from services.transport.domain.trip import Trip, TripState, TripStep
from services.transport.handlers.desk import Desk
from services.transport.handlers.saying import say_passenger, say_trip
from services.transport.handlers.seats import fill
from services.transport.store import bookings as store
from services.transport.store import trips as trip_store
from services.transport.store.bookings import Waiting
from services.transport.store.due import note_cities
from services.transport.store.placements import load_demands
from shared.problem import Fault, Problem
from shared.transaction import Tx

#: The ticker that declares no-shows.
NO_SHOWS: Final = "no-shows"


async def schedule_trip(tx: Tx, trip: Trip) -> None:
    """Keep a new plan; the pool is asked at once whether it fills the minimum."""
    await trip_store.insert_trip(tx, trip)
    say_trip(tx, TripScheduled, trip, {})
    await note_cities(tx, [trip.city])


async def open_trip(tx: Tx, seen: Trip) -> Trip:
    """Open a trip by a coordinator's word, whatever the load, and book the pool in one step."""
    desk = await Desk.open(tx, [seen.trip_id], [seen.city])
    trip = desk.trips[seen.trip_id]
    trip.take(TripStep.OPEN)
    await fill(desk, [trip.city])
    await desk.flush()
    await trip_store.update_opened(tx, [trip.trip_id])
    await _say(tx, TripOpened, trip)
    return trip


async def depart(tx: Tx, trip_id: UUID, at: datetime | None) -> Trip:
    """Let a trip be on its way; nobody joins it any more."""
    trip = await lock_trip(tx, trip_id)
    trip.take(TripStep.DEPART)
    trip.departed_at = at or tx.now
    await trip_store.update_trip(tx, trip)
    await _say(tx, TripDeparted, trip)
    await note_cities(tx, [trip.city])
    tx.wake(NO_SHOWS)
    return trip


async def delay(tx: Tx, trip_id: UUID, minutes: int, reason: str | None) -> Trip:
    """Be later by `minutes` in all than planned; everyone with a seat hears of the new times."""
    desk = await Desk.open(tx, [trip_id])
    trip = desk.trips[trip_id]
    trip.delay(minutes, tx.now)
    trip.reason = reason
    await trip_store.update_trip(tx, trip)
    await _say(tx, TripDelayed, trip)
    for booking in await store.load_bookings_of_trips(tx, [trip_id]):
        if booking.may(BookingStep.CHANGE):
            desk.delay(booking, trip)
    # Other people may fit its window now.
    await note_cities(tx, [trip.city])
    return trip


async def arrive(tx: Tx, trip_id: UUID, at: datetime | None) -> Trip:
    """Be at the last stop; who isn't aboard by now is missed, until a scan says otherwise."""
    trip = await lock_trip(tx, trip_id)
    trip.take(TripStep.ARRIVE)
    trip.arrived_at = at or tx.now
    await trip_store.update_trip(tx, trip)
    await miss(tx, trip, range(len(trip.stops)))
    await _say(tx, TripArrived, trip)
    return trip


async def cancel_trip(tx: Tx, seen: Trip, reason: str | None) -> Trip:
    """Let a trip not run: sister trips take whom they can, the others are back in the pool."""
    desk = await Desk.open(tx, [seen.trip_id], [seen.city])
    trip = desk.trips[seen.trip_id]
    await _cancel(desk, [trip], reason)
    return trip


async def lapse(tx: Tx) -> int:
    """Cancel scheduled trips whose departure has passed without their opening; give how many.

    Who waited for their minimum load is told anew what there is to wait for.
    """
    seen = await trip_store.load_trips(tx, await trip_store.list_lapsed(tx, tx.now))
    if not seen:
        return 0
    desk = await Desk.open(tx, seen, {t.city for t in seen.values()})
    # Somebody may have opened, delayed or cancelled one before it was locked.
    lapsed = [t for i in seen if (t := desk.trips[i]).has_lapsed(tx.now)]
    if lapsed:
        await _cancel(desk, lapsed, "below_minimum")
    return len(lapsed)


def ask(ahead: timedelta) -> Callable[[Tx], Awaitable[int]]:
    """Give the ticker that puts trips below their minimum before a coordinator, once each.

    So long before the departure (business time), which would cancel them: until then `open` takes
    whoever waits, whatever the load.
    """

    async def run(tx: Tx) -> int:
        ids = await trip_store.list_unasked(tx, tx.now + ahead)
        locked = await trip_store.load_trips_for_update(tx, ids)
        asked = {i: t for i, t in locked.items() if t.state is TripState.SCHEDULED}
        counts = await store.count_states(tx, list(asked)) if asked else {}
        for trip_id, trip in asked.items():
            about = replace(trip, reason="below_minimum")
            say_trip(tx, TripChanged, about, counts.get(trip_id, {}), changed=("minimum_load",))
        await trip_store.update_asked(tx, list(asked))
        return len(asked)

    return run


async def _cancel(desk: Desk, trips: Sequence[Trip], reason: str | None) -> None:
    for trip in trips:
        trip.take(TripStep.CANCEL)
        trip.reason = reason
    ids = [t.trip_id for t in trips]
    bookings = await store.load_bookings_of_trips(desk.tx, ids)
    passengers = [b for b in bookings if b.state not in _GONE]
    demands = await load_demands(desk.tx, [b.placement_id for b in passengers])
    pooled: list[Waiting] = []
    for booking in passengers:
        demand = demands[booking.placement_id]
        if demand.erased or demand.state is not PlacementState.CONFIRMED:
            desk.strand(booking, "erased" if demand.erased else "cancelled")
        else:
            pooled.append(Waiting(desk.replace(booking, demand, "cancelled"), demand))
    await fill(desk, sorted({t.city for t in trips}), pooled, stranded=True)
    await desk.flush()
    await trip_store.update_cancelled(desk.tx, ids, reason)
    counts = await store.count_states(desk.tx, ids)
    for trip in trips:
        say_trip(desk.tx, TripCancelled, trip, counts.get(trip.trip_id, {}))


_GONE: Final = (BookingState.MISSED, BookingState.HANDED_OVER)


async def close_trip(tx: Tx, trip_id: UUID) -> Trip:
    """Close a trip on which everybody aboard was handed over; else 409 `not_reconciled`."""
    trip = await lock_trip(tx, trip_id)
    trip.take(TripStep.CLOSE)
    counts = (await store.count_states(tx, [trip_id])).get(trip_id, {})
    open_count = counts.get(BookingState.BOARDED, 0) + counts.get(BookingState.BOOKED, 0)
    if open_count:
        detail = (
            f"还有 {open_count} 人未交接，差额归零后才能关闭。"
            f"{open_count} passengers aren't handed over yet; a trip closes at zero difference."
        )
        raise Problem(409, "not_reconciled", detail, [Fault("/", "not_reconciled", detail)])
    await trip_store.update_trip(tx, trip)
    say_trip(tx, TripClosed, trip, counts)
    return trip


async def lock_trip(tx: Tx, trip_id: UUID) -> Trip:
    """Lock one trip that is known to exist."""
    return (await trip_store.load_trips_for_update(tx, [trip_id]))[trip_id]


async def miss(tx: Tx, trip: Trip, ordinals: range | list[int]) -> int:
    """Declare who isn't aboard from these stops of a locked trip; give how many."""
    missed: list[Booking] = await store.load_unboarded(tx, trip.trip_id, list(ordinals))
    for booking in missed:
        booking.take(BookingStep.MISS)
        booking.missed_at = tx.now
        stop = trip.stops[booking.board_ordinal or 0].place_code
        say_passenger(tx, PassengerMissed, booking, (tx.now, stop))
    await store.update_bookings(tx, missed)
    return len(missed)


async def _say(
    tx: Tx,
    kind: type[TripOpened | TripDeparted | TripDelayed | TripArrived],
    trip: Trip,
) -> None:
    counts = await store.count_states(tx, [trip.trip_id])
    say_trip(tx, kind, trip, counts.get(trip.trip_id, {}))
