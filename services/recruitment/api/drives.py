"""Routes of drives: announced, opened, closed, matched, and what matching says."""

from datetime import date, timedelta
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field, ValidationInfo, field_validator

from contracts.fields import Body, Code, Day, DivisionCode, Priority, Title
from contracts.recruitment import Acceptance, DriveAnnounced
from services.recruitment import views
from services.recruitment.api.calls import COORDINATOR, Caller, because, done, lawful
from services.recruitment.handlers import drives, matches
from services.recruitment.store import drives as stored
from services.recruitment.store import marks
from shared.commands import Answer
from shared.http import Call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after
from shared.problem import WrongState
from shared.transaction import Tx

router = APIRouter(tags=["drives"])


class NewDrive(Body):
    """A drive as a coordinator announces it; origins are division codes, enterprises tenant ids."""

    title: Title
    kind: Code
    origins: tuple[DivisionCode, ...] = Field(min_length=1, max_length=200)
    enterprises: tuple[UUID, ...] = Field(max_length=2000)
    opens_on: Day
    closes_on: Day
    acceptance: Acceptance
    runs_transport: bool
    priority: Priority = 0

    @field_validator("closes_on")
    @classmethod
    def _in_order(cls, closes_on: date, told: ValidationInfo) -> date:
        if (opens_on := told.data.get("opens_on")) and closes_on < opens_on:
            raise ValueError("closes_before_opens")
        return closes_on


@router.post("/v1/drives", status_code=201)
async def announce(body: NewDrive, caller: Caller) -> Response:
    """Announce a drive."""
    caller.require(roles=COORDINATOR)
    return await caller.command(partial(_announce, body))


async def _announce(body: NewDrive, tx: Tx) -> Answer:
    event = DriveAnnounced(drive_id=tx.ids.uuid7(), **body.model_dump())
    await tx.as_worker()
    await drives.announce(tx, event)
    return Answer(201, {**event.model_dump(), "state": "announced"})


@router.post("/v1/drives/{drive_id}/open")
async def open_drive(drive_id: UUID, caller: Caller) -> Response:
    """Open an announced drive: it matches from now on."""
    caller.require(roles=COORDINATOR)
    return await caller.command(partial(_open, drive_id))


async def _open(drive_id: UUID, tx: Tx) -> Answer:
    await stored.get_drive(tx, drive_id)
    await tx.as_worker()
    return done(await lawful(drives.open_drive)(tx, drive_id))


@router.post("/v1/drives/{drive_id}/close")
async def close_drive(drive_id: UUID, caller: Caller) -> Response:
    """Close a drive; who has no live placement is told so."""
    caller.require(roles=COORDINATOR)
    return await caller.command(partial(_close, drive_id, caller))


async def _close(drive_id: UUID, caller: Call, tx: Tx) -> Answer:
    await stored.get_drive(tx, drive_id)
    await tx.as_worker()
    return done(await lawful(drives.close)(tx, drive_id, because(caller.identity)))


@router.post("/v1/drives/{drive_id}/match", status_code=202)
async def match(drive_id: UUID, caller: Caller) -> Response:
    """Force a matching round; it begins right after this answer."""
    caller.require(roles=COORDINATOR)
    return await caller.command(partial(_match, drive_id))


async def _match(drive_id: UUID, tx: Tx) -> Answer:
    drive = await stored.get_drive(tx, drive_id)
    if drive["state"] != "open":
        raise WrongState("招聘活动未开放。The drive is not open.")
    await tx.as_worker()
    await marks.mark_due(tx, [drive_id], timedelta(0))
    return Answer(202, {"drive_id": drive_id, "state": drive["state"]})


@router.get("/v1/drives")
async def list_drives(
    caller: Caller,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    state: Literal["announced", "open", "closed"] | None = None,
) -> Response:
    """List the drives that the caller takes part in, the newest first."""
    (last,) = after(cursor, UUID)
    wanted = views.Wanted(limit, last, {"state": state})
    return await caller.query(partial(views.list_drives, wanted))


@router.get("/v1/drives/{drive_id}")
async def get_drive(drive_id: UUID, caller: Caller) -> Response:
    """Give a drive."""
    return await caller.query(partial(views.find_drive, drive_id))


@router.get("/v1/drives/{drive_id}/matches")
async def list_matches(  # noqa: PLR0913 (a filter each)
    drive_id: UUID,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
    nomination_id: UUID | None = None,
    vacancy_id: UUID | None = None,
) -> Response:
    """Explain: each candidate's vacancies with score, parts and rules, or how near the miss was."""
    (last,) = after(cursor, UUID)
    wanted = matches.Wanted(drive_id, limit, last, nomination_id, vacancy_id)
    return await caller.query(partial(matches.explain, wanted))


@router.get("/v1/drives/{drive_id}/reserve")
async def list_reserve(
    drive_id: UUID, vacancy_id: UUID, caller: Caller, limit: Limit = LIMIT_DEFAULT
) -> Response:
    """Rank who waits and would fit a vacancy, the best score first: the caller's own of them."""
    return await caller.query(partial(matches.reserve, drive_id, vacancy_id, limit))


class Review(Body):
    """What a person decides about a pair: rounds leave it out, prefer it, or weigh it again."""

    nomination_id: UUID
    vacancy_id: UUID
    decision: Literal["exclude", "prefer", "none"]


@router.post("/v1/drives/{drive_id}/reviews")
async def review(drive_id: UUID, body: Review, caller: Caller) -> Response:
    """Overrule matching for one of one's own persons and a vacancy."""
    caller.require(tenant_kinds={"office"}, roles=COORDINATOR)
    return await caller.command(partial(_review, drive_id, body))


async def _review(drive_id: UUID, body: Review, tx: Tx) -> Answer:
    pair = matches.Reviewed(drive_id, body.nomination_id, body.vacancy_id, body.decision)
    await matches.review(tx, pair)
    return Answer(200, body.model_dump())
