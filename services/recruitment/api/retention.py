"""Routes of retention checks: is the person still there after 3 and 6 months."""

from functools import partial
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from contracts.fields import Body, Day
from services.recruitment import views
from services.recruitment.api.calls import COORDINATOR, Caller, because, lawful
from services.recruitment.handlers import jobs
from services.recruitment.store import retention
from shared.commands import Answer
from shared.http import Call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after
from shared.problem import Fault, Problem
from shared.transaction import Tx

router = APIRouter(tags=["retention checks"])


class Result(Body):
    """An answer to a check; a late one, or one that corrects an earlier one, has its own date."""

    result: Literal["retained", "left", "unknown"]
    answered_on: Day | None = None


class ResultOf(Result):
    """An answer that names its check by placement and milestone."""

    placement_id: UUID
    milestone_months: int = Field(ge=1, le=120)


@router.post("/v1/retention-checks")
async def answer_of(body: ResultOf, caller: Caller) -> Response:
    """Answer the check of a placement."""
    caller.require(tenant_kinds={"office", "enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_answer_of, body, caller))


async def _answer_of(body: ResultOf, caller: Call, tx: Tx) -> Answer:
    check = await retention.get_check_of(tx, body.placement_id, body.milestone_months)
    return await _answer(check["retention_check_id"], body, caller, tx)


@router.post("/v1/retention-checks/{retention_check_id}/answer")
async def answer(retention_check_id: UUID, body: Result, caller: Caller) -> Response:
    """Answer a check, or correct its answer."""
    caller.require(tenant_kinds={"office", "enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_answer, retention_check_id, body, caller))


async def _answer(retention_check_id: UUID, body: Result, caller: Call, tx: Tx) -> Answer:
    await retention.get_check(tx, retention_check_id)
    on = body.answered_on or tx.today
    if on > tx.today:
        detail = "日期不得晚于今天。The day lies in the future."
        raise Problem(422, "invalid", detail, [Fault("/answered_on", "in_the_future", detail)])
    await tx.as_worker()
    answered = await lawful(jobs.answer_check)(
        tx, retention_check_id, body.result, on, because(caller.identity)
    )
    return Answer(200, answered)


@router.get("/v1/retention-checks")
async def list_checks(
    caller: Caller,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    placement_id: UUID | None = None,
    state: Literal["scheduled", "due", "answered", "dropped"] | None = None,
) -> Response:
    """List the checks that concern the caller, each with its answers, the newest first."""
    (last,) = after(cursor, UUID)
    wanted = views.Wanted(limit, last, {"placement_id": placement_id, "state": state})
    return await caller.query(partial(views.list_checks, wanted))
