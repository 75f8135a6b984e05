"""Boarding and hand-over over HTTP: scans of the escort, who was received by the enterprise."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response

from services.transport import views
from services.transport.api.bodies import (
    PASSENGERS_MAX,
    SCANS_MAX,
    BoardAllBody,
    HandoverBody,
    ScanBody,
)
from services.transport.api.caller import ABOARD, COORDINATOR, Caller, command, visible_trip
from services.transport.domain.boarding import GOOD, Scan, ScanResult
from services.transport.domain.ticket import read_ticket
from services.transport.handlers import boarding
from services.transport.handlers.boarding import Answered, RollCall
from services.transport.store.manifests import load_ticket_key
from shared.commands import Answer
from shared.transaction import Tx

router = APIRouter()

_SAID = {
    ScanResult.BOARDED: "已上车。Aboard.",
    ScanResult.ALREADY_BOARDED: "已核验过。Aboard already.",
    ScanResult.WRONG_TRIP: "不是本班次的乘客。This passenger belongs to another trip.",
    ScanResult.RELEASED: "该座位已取消。This seat was given up.",
    ScanResult.NOT_ON_MANIFEST: "不在乘车名单上。Not on the manifest.",
    ScanResult.UNKNOWN_STOP: "本班次不停靠此处。The trip doesn't stop there.",
    ScanResult.TRIP_NOT_RUNNING: "班次尚未开放或已取消。The trip takes nobody aboard now.",
    ScanResult.TRIP_CLOSED: "班次已关闭。The trip is closed.",
    ScanResult.SCAN_ID_REUSED: "此编号已用于另一次核验。The scan id was used for another scan.",
    ScanResult.FORGED: "票码无效。The ticket is not one of ours.",
    ScanResult.OLD_VERSION: "票码已过期，请按最新名单核对。The ticket is of an older manifest.",
}


@router.post("/v1/trips/{trip_id}/boarding-scans")
async def post_scans(
    trip_id: UUID,
    body: Annotated[list[ScanBody], Body(max_length=SCANS_MAX)],
    caller: Caller,
) -> Response:
    """Take in scans, late, twice and out of order; each gets an answer of its own."""
    caller.require(roles=ABOARD)

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        key = await load_ticket_key(tx)
        answers = await boarding.board(tx, trip_id, [_scan(s, key) for s in body])
        return Answer(200, {"items": [_answer(a) for a in answers]})

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/stops/{place_code}/board-all")
async def post_board_all(
    trip_id: UUID, place_code: str, body: BoardAllBody, caller: Caller
) -> Response:
    """Board everyone of a stop but those named."""
    caller.require(roles=ABOARD)
    called = RollCall(body.list_id, body.scanned_at, frozenset(body.except_booking_ids))

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        answers = await boarding.board_all(tx, trip_id, place_code, called)
        return Answer(200, {"items": [_answer(a) for a in answers]})

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/stops/{place_code}/synced")
async def post_synced(trip_id: UUID, place_code: str, caller: Caller) -> Response:
    """Say that all scans of a stop have been sent."""
    caller.require(roles=ABOARD)

    async def effect(tx: Tx) -> Answer:
        await visible_trip(tx, trip_id)
        trip = await boarding.sync_stop(tx, trip_id, place_code)
        stop = trip.stops[trip.index_of(place_code) or 0]
        body = {"trip_id": trip_id, "place_code": place_code, "synced_at": stop.synced_at}
        return Answer(200, body)

    return await command(caller, effect)


@router.post("/v1/trips/{trip_id}/handovers")
async def post_handovers(
    trip_id: UUID,
    body: Annotated[list[HandoverBody], Body(max_length=PASSENGERS_MAX)],
    caller: Caller,
) -> Response:
    """Say how passengers were received; an enterprise for its own people."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)

    async def effect(tx: Tx) -> Answer:
        mine = await views.find_seated(tx, trip_id)
        await visible_trip(tx, trip_id)
        outcomes = {h.booking_id: h.outcome for h in body}
        found = await boarding.hand_over(tx, trip_id, outcomes, mine)
        items = [
            {"booking_id": b.booking_id, "state": b.state, "outcome": b.outcome} for b in found
        ]
        return Answer(200, {"items": items})

    return await command(caller, effect)


def _scan(body: ScanBody, key: bytes) -> Scan:
    ticket = read_ticket(key, body.ticket) if body.ticket else None
    return Scan(
        body.scan_id,
        body.booking_id,
        body.scanned_at,
        body.stop,
        ticket,
        forged=bool(body.ticket) and (ticket is None or ticket.booking_id != body.booking_id),
    )


def _answer(answered: Answered) -> dict[str, object]:
    return {
        "scan_id": answered.scan.scan_id,
        "booking_id": answered.scan.booking_id,
        "result": answered.result,
        "accepted": answered.result in GOOD,
        "detail": _SAID[answered.result],
        "expected_trip_id": answered.expected_trip_id,
    }
