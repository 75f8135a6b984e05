"""The event stream: a list with filters, and server-sent events that resume."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from services.console import views
from services.console.feed_bell import FeedBell
from services.console.open_stream import KEEP_ALIVE_S, OpenStream
from services.console.views.events import EventFilter
from shared.commands import rendered
from shared.http import Call, call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit

router = APIRouter()
Caller = Annotated[Call, Depends(call)]

STREAM_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Span:
    """A span of the events' own time; the end is not in it."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


def filtered(
    span: Annotated[Span, Depends()],
    type: Annotated[str | None, Query(max_length=100)] = None,  # noqa: A002 (its fixed name)
    service: Annotated[str | None, Query(max_length=30)] = None,
    subject: Annotated[str | None, Query(max_length=100)] = None,
    tenant: UUID | None = None,
) -> EventFilter:
    """Read the filters of the event stream."""
    return EventFilter(type, service, subject, tenant, span.since, span.until)


Wanted = Annotated[EventFilter, Depends(filtered)]


@router.get("/v1/events")
async def events(
    caller: Caller, wanted: Wanted, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List events, newest first."""
    return await caller.query(partial(views.list_events, wanted=wanted, limit=limit, cursor=cursor))


@router.get("/v1/events/stream")
async def stream(
    caller: Caller,
    wanted: Wanted,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream events as they come; with `Last-Event-ID` from the one after it, nothing left out."""
    resumed = int(last_event_id) if last_event_id and last_event_id.isdigit() else None
    return StreamingResponse(
        _entries(caller, wanted, resumed),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _entries(caller: Call, wanted: EventFilter, position: int | None) -> AsyncIterator[bytes]:
    """Read on from the position whenever the bell rings: a slow reader costs no memory here."""
    bell = caller.resource(FeedBell)
    reader = OpenStream(caller.house, caller.request, caller.identity)
    yield b": connected\n\n"
    while await reader.is_open():
        rung = bell.count
        async with caller.house.db.transaction(
            role="api", identity=caller.identity, read_only=True
        ) as tx:
            if position is None:
                position = await views.last_feed_id(tx)
            rows, position = await views.read_on(tx, wanted, position, STREAM_BATCH)
        for row in rows:
            yield _frame(row["feed_id"], row["type"], rendered(row))
        if len(rows) < STREAM_BATCH and not await bell.rings_after(rung, KEEP_ALIVE_S):
            yield b": still here\n\n"
        await asyncio.sleep(0)


def _frame(feed_id: int, kind: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (feed_id, kind.encode(), data)
