"""Beds that an enterprise asks for itself, for one or many of its new hires."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.lodging.domain.calendar import Nights
from services.lodging.domain.stay import Stay
from services.lodging.store import facts, requests
from services.lodging.store import stays as store
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest; guests with the same `family` may share a room whatever their gender."""

    worker_id: UUID
    family: str | None = None


@dataclass(frozen=True, slots=True)
class StayRequest:
    """What an enterprise asks for: `together` in one inn, `wait` where no bed is free."""

    stay_request_id: UUID
    enterprise_id: UUID
    programme: str
    check_in_on: date
    nights: int
    guests: tuple[Guest, ...]
    together: bool
    wait: bool
    inn_id: UUID | None


async def request_stays(tx: Tx, request: StayRequest) -> list[Stay]:
    """Make a stay for each guest of one request; they are decided right after this commit."""
    (stays,) = await request_all(tx, [request])
    return stays


async def request_all(tx: Tx, wanted: Sequence[StayRequest]) -> list[list[Stay]]:
    """Make a stay for each guest of each request, in a handful of statements.

    Nothing is said about a guest whom nobody has told of yet: the journey isn't known.
    """
    made = [_stays(tx, request) for request in wanted]
    await requests.insert_requests(tx, [request_row(tx, request) for request in wanted])
    await store.insert_stays(tx, [stay for stays in made for stay in stays])
    notes = [
        facts.Note(stay.worker_id, tx.command_id, tx.traceparent)
        for stays in made
        for stay in stays
    ]
    await facts.insert_unsettled(tx, notes)
    tx.wake("settle")
    return made


def _stays(tx: Tx, request: StayRequest) -> list[Stay]:
    families = {g.family: tx.ids.uuid7() for g in request.guests if g.family is not None}
    nights = Nights.of(request.check_in_on, request.nights)
    return [
        Stay(
            stay_id=tx.ids.uuid7(),
            origin="direct",
            worker_id=guest.worker_id,
            gender=None,
            enterprise_id=request.enterprise_id,
            check_in_on=nights.check_in_on,
            check_out_on=nights.check_out_on,
            requested_at=tx.now,
            stay_request_id=request.stay_request_id,
            programme=request.programme,
            programme_asked=request.programme,
            nights_asked=request.nights,
            wait=request.wait,
            wanted_inn_id=request.inn_id,
            group_id=request.stay_request_id if request.together else None,
            group_size=len(request.guests) if request.together else 1,
            family_id=families[guest.family] if guest.family is not None else None,
        )
        for guest in request.guests
    ]


def request_row(tx: Tx, request: StayRequest) -> requests.RequestRow:
    """Give a request as it is stored."""
    return requests.RequestRow(
        request.stay_request_id,
        request.enterprise_id,
        request.programme,
        request.check_in_on,
        request.nights,
        request.together,
        request.wait,
        request.inn_id,
        tx.now,
    )
