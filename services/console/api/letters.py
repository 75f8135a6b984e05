"""Dead letters of all services in one list, and how far behind each service is."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import JSONResponse

from contracts import SPEAKERS
from services.console.desk import Desk
from shared import ops
from shared.http import Call, call
from shared.ops import Discarding
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, page
from shared.problem import NotFound, Problem

router = APIRouter()
Caller = Annotated[Call, Depends(call)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]
# An answer of the console's own, which stands behind the routes here.
Own = Callable[[], Awaitable[Response]]
_SKIPPED: Final = frozenset({"not_found", "service_away"})


@router.get("/v1/dead-letters")
async def letters(
    caller: Caller,
    service: Annotated[str | None, Query(max_length=30)] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List what is parked anywhere, oldest first; a service that is away is named in `away`."""
    caller.require(tenant_kinds={"auditor"}, roles={"coordinator", "admin"})
    found = await _ask_all(
        caller,
        "/v1/dead-letters",
        lambda: ops.list_dead_letters(caller, limit, cursor),
        limit=limit,
        cursor=cursor,
    )
    found = {name: said for name, said in found.items() if service in {None, name}}
    items = [{"service": n, **i} for n, said in found.items() if said for i in said["items"]]
    items.sort(key=lambda item: str(item["dead_letter_id"]))
    if items and any(said and said["next_cursor"] for said in found.values()):
        # One too many tells of more.
        items = [*items[:limit], items[-1]]
    away = [name for name, said in found.items() if said is None]
    return JSONResponse({**page(items, limit, "dead_letter_id"), "away": away})


@router.get("/v1/dead-letters/{dead_letter_id}")
async def letter(dead_letter_id: UUID, caller: Caller) -> Response:
    """Show one of any service, with its content."""
    caller.require(roles={"coordinator", "admin"})
    path = f"/v1/dead-letters/{dead_letter_id}"
    found = await _ask_all(caller, path, lambda: ops.show_dead_letter(dead_letter_id, caller))
    for name, said in found.items():
        if said is not None:
            return JSONResponse({"service": name, **said})
    raise NotFound


@router.post("/v1/dead-letters/{dead_letter_id}/replay")
async def replay(dead_letter_id: UUID, caller: Caller, key: Key = None) -> Response:
    """Let it and those behind it take effect at its service."""
    caller.require(roles={"coordinator"})
    path = f"/v1/dead-letters/{dead_letter_id}/replay"
    return await _tell_one(caller, path, {}, key, lambda: ops.replay(dead_letter_id, caller))


@router.post("/v1/dead-letters/{dead_letter_id}/discard")
async def discard(
    dead_letter_id: UUID, body: Discarding, caller: Caller, key: Key = None
) -> Response:
    """Give it up for good at its service; those that waited behind it go on."""
    caller.require(roles={"coordinator"})
    path = f"/v1/dead-letters/{dead_letter_id}/discard"
    own = lambda: ops.discard(dead_letter_id, body, caller)  # noqa: E731 (the last place to look)
    return await _tell_one(caller, path, body.model_dump(), key, own)


@router.get("/v1/lag")
async def lag(caller: Caller) -> Response:
    """Tell per service and topic how many records wait, and for how long the oldest has."""
    caller.require(tenant_kinds={"auditor"}, roles={"coordinator", "admin"})
    found = await _ask_all(caller, "/v1/lag", lambda: ops.lag(caller))
    items = [{"service": n, **item} for n, said in found.items() if said for item in said["items"]]
    away = [name for name, said in found.items() if said is None]
    return JSONResponse({"items": items, "next_cursor": None, "away": away})


async def _ask_all(caller: Call, path: str, own: Own, **params: str | int | None) -> dict[str, Any]:
    """Ask every service at once; None for one that is away or doesn't know the thing."""
    desk = caller.resource(Desk)

    async def ask(name: str) -> Any:  # noqa: ANN401 (whatever the service answers)
        try:
            if name == "console":
                return json.loads(bytes((await own()).body))
            return await desk.ask(name, caller.identity, path, **params)
        except Problem as problem:
            if problem.code in _SKIPPED:
                return None
            raise

    return dict(zip(SPEAKERS, await asyncio.gather(*map(ask, SPEAKERS)), strict=True))


async def _tell_one(
    caller: Call, path: str, body: dict[str, Any], key: str | None, own: Own
) -> Response:
    """Tell the service that knows the thing; the console itself is asked last."""
    desk = caller.resource(Desk)
    for name in desk.urls:
        try:
            said = await desk.tell(name, caller.identity, path, body, key)
        except Problem as problem:
            if problem.code == "not_found":
                continue
            raise
        return JSONResponse({"service": name, **said})
    return await own()
