"""Routes of placements."""

from functools import partial
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response

from contracts.fields import Body, Day, Instant
from services.recruitment import views
from services.recruitment.api.calls import (
    COORDINATOR,
    Caller,
    Reasoned,
    SiteBody,
    because,
    lawful,
)
from services.recruitment.handlers import jobs
from services.recruitment.store import placements, vacancies
from shared.clock import civil_date
from shared.commands import Answer
from shared.http import Call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after
from shared.problem import Fault, Problem
from shared.transaction import Tx

router = APIRouter(tags=["placements"])
State = Literal["confirmed", "started", "cancelled", "ended"]


class Cancellation(Reasoned):
    """Why a placement is off, and whether the person goes back into the rounds."""

    rematch: bool = False


class NewTerms(Body):
    """What changes of a placement; an absent field stays."""

    vacancy_id: UUID | None = None
    site: SiteBody | None = None
    starts_on: Day | None = None


class Moment(Body):
    """When something happened; now, when absent."""

    at: Instant | None = None


@router.post("/v1/placements/{placement_id}/change")
async def change(placement_id: UUID, body: NewTerms, caller: Caller) -> Response:
    """Change vacancy, site or start of a placement that hasn't started."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_change, placement_id, body, caller))


async def _change(placement_id: UUID, body: NewTerms, caller: Call, tx: Tx) -> Answer:
    await placements.get_placement(tx, placement_id)
    if body.vacancy_id:
        await vacancies.get_vacancy(tx, body.vacancy_id)
    await tx.as_worker()
    site = None if body.site is None else body.site.model_dump()
    wish = jobs.Change(body.vacancy_id, site, body.starts_on)
    change_placement = lawful(jobs.change_placement)
    return Answer(200, await change_placement(tx, placement_id, wish, because(caller.identity)))


@router.post("/v1/placements/{placement_id}/cancel")
async def cancel(placement_id: UUID, caller: Caller, body: Cancellation | None = None) -> Response:
    """Cancel a placement that hasn't started; the opening goes to others."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_cancel, placement_id, body or Cancellation(), caller))


async def _cancel(placement_id: UUID, body: Cancellation, caller: Call, tx: Tx) -> Answer:
    await placements.get_placement(tx, placement_id)
    await tx.as_worker()
    row = await lawful(jobs.cancel_placement)(
        tx, placement_id, body.code, because(caller.identity), rematch=body.rematch
    )
    return Answer(200, row)


@router.post("/v1/placements/{placement_id}/start")
async def start(placement_id: UUID, caller: Caller, body: Moment | None = None) -> Response:
    """Let a person start working."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_start, placement_id, body or Moment(), caller))


async def _start(placement_id: UUID, body: Moment, caller: Call, tx: Tx) -> Answer:
    await placements.get_placement(tx, placement_id)
    if body.at is not None and body.at > tx.now:
        detail = "时间不得晚于现在。The moment lies in the future."
        raise Problem(422, "invalid", detail, [Fault("/at", "in_the_future", detail)])
    on = civil_date(body.at or tx.now)
    await tx.as_worker()
    start_placement = lawful(jobs.start_placement)
    return Answer(200, await start_placement(tx, placement_id, on, because(caller.identity)))


@router.post("/v1/placements/{placement_id}/end")
async def end(placement_id: UUID, caller: Caller, body: Reasoned | None = None) -> Response:
    """End a started placement."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_end, placement_id, body or Reasoned(), caller))


async def _end(placement_id: UUID, body: Reasoned, caller: Call, tx: Tx) -> Answer:
    await placements.get_placement(tx, placement_id)
    await tx.as_worker()
    end_placement = lawful(jobs.end_placement)
    return Answer(200, await end_placement(tx, placement_id, body.code, because(caller.identity)))


@router.get("/v1/placements")
async def list_placements(  # noqa: PLR0913 (a filter each)
    caller: Caller,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    drive_id: UUID | None = None,
    worker_id: UUID | None = None,
    nomination_id: UUID | None = None,
    vacancy_id: UUID | None = None,
    state: State | None = None,
) -> Response:
    """List the placements that concern the caller, the newest first."""
    (last,) = after(cursor, UUID)
    filters = {
        "drive_id": drive_id,
        "worker_id": worker_id,
        "nomination_id": nomination_id,
        "vacancy_id": vacancy_id,
        "state": state,
    }
    return await caller.query(partial(views.list_placements, views.Wanted(limit, last, filters)))


@router.get("/v1/placements/{placement_id}")
async def get_placement(placement_id: UUID, caller: Caller) -> Response:
    """Give a placement."""
    return await caller.query(partial(views.find_placement, placement_id))
