"""Bookings over HTTP: a coordinator books, changes and cancels; tenants see their own."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.transport import views
from services.transport.api.bodies import BookingBody, BookingChangeBody, ReasonBody
from services.transport.api.caller import COORDINATOR, Caller, command, page_of, visible_booking
from services.transport.domain.booking import Booking, BookingState
from services.transport.handlers import bookings
from services.transport.store.placements import load_demands
from services.transport.store.trips import load_trips
from services.transport.views import BookingFilter
from shared.commands import Answer
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, page
from shared.problem import NotFound
from shared.transaction import Tx

router = APIRouter()


@router.post("/v1/bookings", status_code=201)
async def post_booking(body: BookingBody, caller: Caller) -> Response:
    """Book a placed person on a named trip, with the waiting members of the group."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        await tx.as_worker()
        demand = (await load_demands(tx, [body.placement_id])).get(body.placement_id)
        if demand is None or not await load_trips(tx, [body.trip_id]):
            raise NotFound
        return _said(await bookings.book(tx, demand, body.trip_id), 201)

    return await command(caller, effect)


def filtered(
    placement_id: UUID | None = None,
    trip_id: UUID | None = None,
    state: Annotated[BookingState | None, Query()] = None,
    worker_id: UUID | None = None,
) -> BookingFilter:
    """Read the filters of the bookings."""
    return BookingFilter(placement_id, trip_id, state, worker_id)


@router.get("/v1/bookings")
async def get_bookings(
    caller: Caller,
    which: Annotated[BookingFilter, Depends(filtered)],
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List the bookings that the caller sees."""
    where = page_of(limit, cursor)

    async def view(tx: Tx) -> object:
        return page(await views.list_bookings(tx, which, where), limit, "booking_id")

    return await caller.query(view)


@router.get("/v1/bookings/{booking_id}")
async def get_booking(booking_id: UUID, caller: Caller) -> Response:
    """Give a booking."""
    return await caller.query(partial(views.find_booking, booking_id=booking_id))


@router.post("/v1/bookings/{booking_id}/change")
async def change(booking_id: UUID, body: BookingChangeBody, caller: Caller) -> Response:
    """Move to another trip or stop, in one step that cannot end with no seat."""
    caller.require(roles=COORDINATOR)
    wanted = bookings.Wanted(body.trip_id, body.board_stop)

    async def effect(tx: Tx) -> Answer:
        booking = await visible_booking(tx, booking_id)
        if wanted.trip_id and not await load_trips(tx, [wanted.trip_id]):
            raise NotFound
        return _said(await bookings.change(tx, booking, wanted))

    return await command(caller, effect)


@router.post("/v1/bookings/{booking_id}/cancel")
async def cancel(booking_id: UUID, caller: Caller, _reason: ReasonBody | None = None) -> Response:
    """Give up the seat, or the wish for one."""
    caller.require(roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        return _said(await bookings.cancel(tx, await visible_booking(tx, booking_id)))

    return await command(caller, effect)


def _said(booking: Booking, status: int = 200) -> Answer:
    body = {
        "booking_id": booking.booking_id,
        "state": booking.state,
        "trip_id": booking.trip_id,
        "placement_id": booking.placement_id,
    }
    return Answer(status, body)
