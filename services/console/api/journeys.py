"""Journeys with their timelines, and tasks."""

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.console import views
from services.console.views.journeys import JourneyFilter
from shared.http import Call, call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit

router = APIRouter()
Caller = Annotated[Call, Depends(call)]
State = Literal["moving", "waiting", "settled", "done", "compensated", "stuck"]


def filtered(
    worker_id: UUID | None = None,
    placement_id: UUID | None = None,
    drive_id: UUID | None = None,
    state: State | None = None,
) -> JourneyFilter:
    """Read the filters of a list of journeys."""
    return JourneyFilter(worker_id, placement_id, drive_id, state)


@router.get("/v1/journeys")
async def journeys(
    caller: Caller,
    wanted: Annotated[JourneyFilter, Depends(filtered)],
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List journeys, newest first."""
    return await caller.query(
        partial(views.list_journeys, wanted=wanted, limit=limit, cursor=cursor)
    )


@router.get("/v1/journeys/{journey_id}")
async def journey(journey_id: UUID, caller: Caller) -> Response:
    """Give a journey with its timeline: what was said about it, by whom, because of what."""
    return await caller.query(partial(views.get_journey, journey_id=journey_id))


@router.get("/v1/tasks")
async def tasks(
    caller: Caller,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List what is to be decided, oldest first."""
    return await caller.query(partial(views.list_tasks, kind=kind, limit=limit, cursor=cursor))
