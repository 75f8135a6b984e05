"""What the routes of transport share: who calls, what they see, and how a refusal is put."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Response

from services.transport.domain.booking import Booking, WrongBookingStateError
from services.transport.domain.trip import Trip, WrongTripStateError
from services.transport.store.bookings import load_bookings
from services.transport.store.trips import load_trips
from services.transport.views import Page
from shared.commands import Effect
from shared.http import Call, call
from shared.paging import after
from shared.problem import NotFound, WrongState
from shared.transaction import Tx

Caller = Annotated[Call, Depends(call)]
COORDINATOR: Final = frozenset({"coordinator"})
ABOARD: Final = frozenset({"coordinator", "escort"})


async def command(caller: Call, effect: Effect) -> Response:
    """Run a command; a step that isn't in a table is a 409."""
    try:
        return await caller.command(effect)
    except (WrongTripStateError, WrongBookingStateError) as error:
        raise WrongState(f"当前状态不允许此操作。{error}.") from None


async def visible_trip(tx: Tx, trip_id: UUID) -> Trip:
    """Give a trip that the caller sees, and go on as the service; else 404."""
    found = await load_trips(tx, [trip_id])
    if trip_id not in found:
        raise NotFound
    await tx.as_worker()
    return found[trip_id]


async def visible_booking(tx: Tx, booking_id: UUID) -> Booking:
    """Give a booking that the caller sees, and go on as the service; else 404."""
    found = await load_bookings(tx, [booking_id])
    if booking_id not in found:
        raise NotFound
    await tx.as_worker()
    return found[booking_id]


def page_of(limit: int, cursor: str | None) -> Page:
    """Read a list's page."""
    (last,) = after(cursor, UUID)
    return Page(limit, last)
