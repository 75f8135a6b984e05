"""Dead letters of all services: why each was parked, and the two things one can do with it."""

import asyncio
from collections import Counter
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from contracts import SPEAKERS
from services.console.api import letters as api
from services.console.pages.forms import fields, local_path
from services.console.pages.notice import Notice
from services.console.pages.visit import PageRoute, Visit, Visitor, data_of
from shared.ops import Discarding
from shared.paging import Cursor
from shared.problem import Problem

router = APIRouter(route_class=PageRoute)
PAGE_SIZE: Final = 50
AT_ONCE: Final = 4
REASONS: Final = ("not_ours", "broken_for_good", "said_again", "test")


@router.get("/monitor/dead-letters")
async def page(
    visit: Visitor,
    service: Annotated[str, Query(max_length=30)] = "",
    cursor: Cursor = None,
) -> Response:
    """List what is parked, oldest first."""
    visit.require({"auditor"}, {"coordinator", "admin"})
    known = service if service in SPEAKERS else None
    found = data_of(await api.letters(visit.call, known, PAGE_SIZE, cursor))
    return visit.page(
        "letters.html", letters=found["items"], next_cursor=found["next_cursor"],
        away=found["away"], service=service, services=SPEAKERS, reasons=REASONS,
        may_decide=visit.may(roles={"coordinator"}), key=str(visit.house.db.ids.uuid7()),
    )  # fmt: skip


@router.get("/monitor/dead-letters/{dead_letter_id}")
async def one(dead_letter_id: UUID, visit: Visitor) -> Response:
    """Show one with its content, to those who may see content."""
    visit.require(roles={"coordinator", "admin"})
    found = data_of(await api.letter(dead_letter_id, visit.call))
    return visit.page(
        "letter.html", letter=found, reasons=REASONS,
        may_decide=visit.may(roles={"coordinator"}), key=str(visit.house.db.ids.uuid7()),
    )  # fmt: skip


@router.post("/monitor/dead-letters")
async def decide(visit: Visitor) -> Response:
    """Replay or discard those that were ticked."""
    form = await visit.form()
    back = local_path(form.get("back"), "/monitor/dead-letters")
    ids = fields(form, "id", UUID)[: 2 * PAGE_SIZE]
    do, reason = str(form.get("do", "")), str(form.get("reason", ""))
    if not ids or do not in {"replay", "discard"} or (do == "discard" and not reason):
        return visit.go(back, Notice("failed", visit.words("letters.choose")))
    return visit.go(back, await _decide(visit, ids, do, reason))


async def _decide(visit: Visit, ids: list[UUID], do: str, reason: str) -> Notice:
    gate = asyncio.Semaphore(AT_ONCE)

    async def tell(one: UUID) -> str:
        async with gate:
            try:
                return str((await _told(visit, one, do, reason))["state"])
            except Problem as problem:
                return visit.words.said(problem.detail)

    counted = Counter(await asyncio.gather(*map(tell, ids)))
    words = visit.words
    parts = [
        words("letters.counted", what=words.code("letter", k), n=n) for k, n in counted.items()
    ]
    good = set(counted) <= {"replayed", "discarded"}
    return Notice("done" if good else "failed", words("doing.join").join(parts))


async def _told(visit: Visit, one: UUID, do: str, reason: str) -> Any:  # noqa: ANN401
    if do == "replay":
        return data_of(await api.replay(one, visit.call))
    return data_of(await api.discard(one, Discarding(reason=reason), visit.call))
