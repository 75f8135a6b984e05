"""Boarding and hand-over: scans from the stops, no-shows, and who was received."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from contracts.transport import PassengerBoarded, PassengerHandedOver
from services.transport.domain.boarding import GOOD, Scan, ScanResult, is_over, judge
from services.transport.domain.booking import Booking, BookingState, BookingStep, Outcome
from services.transport.domain.trip import Trip, TripState
from services.transport.handlers.desk import Desk
from services.transport.handlers.saying import say_passenger
from services.transport.handlers.trips import NO_SHOWS, lock_trip, miss
from services.transport.store import bookings as store
from services.transport.store import trips as trip_store
from services.transport.store.due import note_cities
from services.transport.store.scans import KeptScan, insert_scans, load_scans
from shared.problem import Fault, NotFound, Problem
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Answered:
    """A scan's answer, and where the passenger belongs if not here."""

    scan: Scan
    result: ScanResult
    expected_trip_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RollCall:
    """An escort's list of a stop: when it was called, and who wasn't there."""

    list_id: UUID
    at: datetime
    but: frozenset[UUID]


async def board(tx: Tx, trip_id: UUID, scans: Sequence[Scan]) -> list[Answered]:
    """Take in scans, in any order and as often as they come; each person boards once.

    Every scan gets an answer of its own, in the order given: a good one always the same, a refused
    one is judged anew when it comes again.
    """
    trip = await lock_trip(tx, trip_id)
    known = await load_scans(tx, trip_id, [s.scan_id for s in scans])
    bookings = await store.load_bookings_for_update(tx, {s.booking_id for s in scans})
    fresh: dict[UUID, KeptScan] = {}
    late: list[Booking] = []
    touched: dict[UUID, Booking] = {}
    for scan in sorted(scans, key=lambda s: (s.scanned_at, s.scan_id)):
        first = fresh.get(scan.scan_id) or known.get(scan.scan_id)
        if first is not None and not _again(first, scan):
            continue
        booking = bookings.get(scan.booking_id)
        result = judge(trip, scan, booking)
        fresh[scan.scan_id] = _kept(trip, scan, result)
        if booking is not None and result in GOOD:
            late += [booking] if booking.state is BookingState.MISSED else []
            _board(tx, booking, scan)
            touched[booking.booking_id] = booking
    await _drop_rebookings(tx, late)
    await store.update_bookings(tx, list(touched.values()))
    await insert_scans(tx, list(fresh.values()))
    return [_answer(s, known | fresh, bookings.get(s.booking_id)) for s in scans]


async def board_all(tx: Tx, trip_id: UUID, place_code: str, called: RollCall) -> list[Answered]:
    """Board everyone booked from a stop but the excepted: a scan each, as if read one by one."""
    trip = await lock_trip(tx, trip_id)
    index = trip.index_of(place_code)
    if index is None:
        raise NotFound
    booked = await store.load_unboarded(tx, trip_id, [index])
    scans = [
        Scan(uuid5(called.list_id, str(b.booking_id)), b.booking_id, called.at, place_code)
        for b in booked
        if b.booking_id not in called.but
    ]
    return await board(tx, trip_id, scans)


def _board(tx: Tx, booking: Booking, scan: Scan) -> None:
    if booking.may(BookingStep.BOARD):
        booking.take(BookingStep.BOARD)
        booking.boarded_at, booking.boarded_stop = scan.scanned_at, scan.stop
        say_passenger(tx, PassengerBoarded, booking, (scan.scanned_at, scan.stop))
    elif booking.boarded_at is not None and scan.scanned_at < booking.boarded_at:
        # An earlier scan that came later: when somebody boarded is when they were seen first.
        booking.boarded_at, booking.boarded_stop = scan.scanned_at, scan.stop


async def _drop_rebookings(tx: Tx, late: Sequence[Booking]) -> None:
    """Give back what was booked for people who, as a late scan says, were aboard all the time."""
    if not late:
        return
    others = await store.load_bookings_of_placements(tx, [b.placement_id for b in late])
    desk = Desk(tx, {}, {})
    for other in others:
        if other.may(BookingStep.RELEASE):
            desk.release(other, "changed")
    await desk.flush()
    trips = await trip_store.load_trips(tx, {o.trip_id for o in others if o.trip_id})
    await note_cities(tx, {t.city for t in trips.values()})


def _again(first: KeptScan, scan: Scan) -> bool:
    """Tell whether a scan that came before was refused then, and may be judged anew."""
    return first.result not in GOOD and _same(first, scan)


def _same(first: KeptScan, scan: Scan) -> bool:
    came = (first.booking_id, first.scanned_at, first.stop)
    return came == (scan.booking_id, scan.scanned_at, scan.stop)


def _kept(trip: Trip, scan: Scan, result: ScanResult) -> KeptScan:
    return KeptScan(scan.scan_id, trip.trip_id, scan.booking_id, scan.scanned_at, scan.stop, result)


def _answer(scan: Scan, kept: dict[UUID, KeptScan], booking: Booking | None) -> Answered:
    first = kept[scan.scan_id]
    result = first.result if _same(first, scan) else ScanResult.SCAN_ID_REUSED
    elsewhere = booking.trip_id if booking and result is ScanResult.WRONG_TRIP else None
    return Answered(scan, result, elsewhere)


async def sync_stop(tx: Tx, trip_id: UUID, place_code: str) -> Trip:
    """Note that the escort's list of a stop is in: who isn't on it by then has missed the trip."""
    trip = await lock_trip(tx, trip_id)
    index = trip.index_of(place_code)
    if index is None:
        raise NotFound
    if trip.stops[index].synced_at is None:
        stops = list(trip.stops)
        stops[index] = replace(stops[index], synced_at=tx.now)
        trip.stops = tuple(stops)
        await trip_store.update_trip(tx, trip)
        tx.wake(NO_SHOWS)
    return trip


def no_shows(grace: timedelta) -> Callable[[Tx], Awaitable[int]]:
    """Give the ticker that declares no-shows this long (business time) after the departure."""

    async def run(tx: Tx) -> int:
        ids = await trip_store.list_trips_with_no_shows(tx, tx.now - grace)
        count = 0
        for trip in (await trip_store.load_trips_for_update(tx, ids)).values():
            over = [i for i, s in enumerate(trip.stops) if is_over(trip, s, grace, tx.now)]
            count += await miss(tx, trip, over)
        return count

    return run


async def hand_over(
    tx: Tx, trip_id: UUID, outcomes: dict[UUID, Outcome], visible: Iterable[UUID]
) -> list[Booking]:
    """Say how passengers were received: all of these, or none when one of them can't be.

    404 for a booking that isn't the caller's or of another trip; 409 `not_boarded` for who isn't
    aboard, `not_arrived_yet` before the trip's arrival (but for who left early), and
    `already_handed_over` for another outcome than before.
    """
    trip = await lock_trip(tx, trip_id)
    if not set(outcomes) <= set(visible):
        raise NotFound
    bookings = await store.load_bookings_for_update(tx, outcomes)
    faults = [
        Fault(f"/{n}/booking_id", code, code)
        for n, (i, outcome) in enumerate(outcomes.items())
        if (code := _hindrance(trip, bookings[i], outcome))
    ]
    if faults:
        detail = "有人不能交接。Some passengers can't be handed over."
        raise Problem(409, faults[0].code, detail, faults)
    received = [b for b in bookings.values() if b.may(BookingStep.HAND_OVER)]
    last = trip.stops[-1].place_code
    for booking in received:
        booking.take(BookingStep.HAND_OVER)
        booking.handed_over_at = tx.now
        booking.outcome = outcomes[booking.booking_id]
        stop = trip.stops[booking.alight_ordinal].place_code if booking.alight_ordinal else last
        say_passenger(tx, PassengerHandedOver, booking, (tx.now, stop), outcome=booking.outcome)
    await store.update_bookings(tx, received)
    return [bookings[i] for i in outcomes]


def _hindrance(trip: Trip, booking: Booking, outcome: Outcome) -> str | None:
    if booking.state is BookingState.HANDED_OVER:
        return None if booking.outcome == outcome else "already_handed_over"
    if booking.state is not BookingState.BOARDED:
        return "not_boarded"
    if trip.state is TripState.ARRIVED:
        return None
    early = outcome == "left_early" and trip.state is TripState.DEPARTED
    return None if early else "not_arrived_yet"
