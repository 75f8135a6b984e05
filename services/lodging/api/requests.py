"""Beds that enterprises ask for themselves."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from services.lodging.api.bodies import StayRequestBody
from services.lodging.api.caller import Caller, acting_enterprise, invalid
from services.lodging.handlers.requests import Guest, StayRequest, request_stays
from services.lodging.store.houses import find_town
from services.lodging.views import stays as views
from shared.commands import Answer
from shared.paging import LIMIT_DEFAULT, Cursor, Limit
from shared.transaction import Tx

router = APIRouter()


@router.post("/v1/stay-requests", status_code=201)
async def post_request(body: StayRequestBody, caller: Caller) -> Response:
    """Ask for beds; each guest's stay is decided within seconds, and can be read at `/v1/stays`."""
    enterprise_id = acting_enterprise(caller, body.enterprise_id)
    workers = [g.worker_id for g in body.guests]
    if len(set(workers)) != len(workers):
        raise invalid("/guests", "duplicate", "同一人出现两次。A guest occurs twice.")
    return await caller.command(partial(_post_request, enterprise_id, body))


async def _post_request(enterprise_id: UUID, body: StayRequestBody, tx: Tx) -> Answer:
    if body.check_in_on < tx.today:
        raise invalid("/check_in_on", "out_of_range", "入住日已过。The day has gone by.")
    await tx.as_worker()
    if body.inn_id is not None and await find_town(tx, body.inn_id) is None:
        raise invalid("/inn_id", "unknown_id", "没有此客栈。There is no such inn.")
    request = StayRequest(
        tx.ids.uuid7(),
        enterprise_id,
        body.programme,
        body.check_in_on,
        body.nights,
        tuple(Guest(g.worker_id, _family(g.family)) for g in body.guests),
        body.together,
        body.wait,
        body.inn_id,
    )
    stays = await request_stays(tx, request)
    listed = [{"stay_id": s.stay_id, "worker_id": s.worker_id, "state": s.state} for s in stays]
    answer = {
        "stay_request_id": request.stay_request_id,
        "enterprise_id": enterprise_id,
        "state": "requested",
        "stays": listed,
    }
    return Answer(201, answer)


def _family(told: str | float | bool | None) -> str | None:  # noqa: FBT001 (as JSON has it)
    """Give one family's mark; `true` means the one family of the request."""
    return None if told is None or told is False else str(told)


@router.get("/v1/stay-requests")
async def get_requests(
    caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List the caller's requests, each with its stays counted by state."""
    return await caller.query(lambda tx: views.list_requests(tx, limit, cursor))


@router.get("/v1/stay-requests/{stay_request_id}")
async def get_request(stay_request_id: UUID, caller: Caller) -> Response:
    """Show a request with the stay of each guest."""
    return await caller.query(lambda tx: views.find_request(tx, stay_request_id))
