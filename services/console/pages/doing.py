"""The one way in which pages give commands: a form names the command and the things it is for."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from starlette.datastructures import FormData

from services.console.feed_bell import FeedBell
from services.console.pages.forms import fields, local_path, wrong_field
from services.console.pages.notice import Notice
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.views.events import count_heard, last_feed_id
from shared.problem import Problem

router = APIRouter(route_class=PageRoute)

THINGS_MAX: Final = 2_000
AT_ONCE: Final = 8
KEY_LENGTH_MAX: Final = 64
#: Longer than this nobody is kept waiting for the news of the own command.
HEARD_WITHIN_S: Final = 2.0
HEARD_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a service: its path, and which of the form's fields go into its body."""

    service: str
    path: str
    fields: tuple[str, ...] = ()


COMMANDS: Final[Mapping[str, Command]] = {
    "offer.accept": Command("recruitment", "/v1/offers/{}/accept"),
    "offer.decline": Command("recruitment", "/v1/offers/{}/decline", ("reason",)),
    "offer.withdraw": Command("recruitment", "/v1/offers/{}/withdraw", ("reason",)),
    "vacancy.withdraw": Command("recruitment", "/v1/vacancies/{}/withdraw", ("reason",)),
    "placement.cancel": Command("recruitment", "/v1/placements/{}/cancel", ("reason", "rematch")),
    "placement.start": Command("recruitment", "/v1/placements/{}/start"),
    "placement.end": Command("recruitment", "/v1/placements/{}/end", ("reason",)),
    "drive.match": Command("recruitment", "/v1/drives/{}/match"),
    "nomination.withdraw": Command("registry", "/v1/nominations/{}/withdraw", ("reason",)),
    "stay.confirm": Command("lodging", "/v1/stays/{}/confirm"),
    "stay.cancel": Command("lodging", "/v1/stays/{}/cancel", ("reason",)),
    "stay.extend": Command("lodging", "/v1/stays/{}/extend", ("nights",)),
    "stay.check-in": Command("lodging", "/v1/stays/{}/check-in"),
    "stay.check-out": Command("lodging", "/v1/stays/{}/check-out"),
    "stay.move": Command("lodging", "/v1/stays/{}/move", ("bed_id",)),
    "commitment.withdraw": Command("lodging", "/v1/credit-commitments/{}/withdraw"),
    "trip.open": Command("transport", "/v1/trips/{}/open"),
    "trip.depart": Command("transport", "/v1/trips/{}/depart"),
    "trip.delay": Command("transport", "/v1/trips/{}/delay", ("delay_minutes", "reason")),
    "trip.arrive": Command("transport", "/v1/trips/{}/arrive"),
    "trip.close": Command("transport", "/v1/trips/{}/close"),
    "trip.cancel": Command("transport", "/v1/trips/{}/cancel", ("reason",)),
    "trip.publish": Command("transport", "/v1/trips/{}/manifest"),
}
_NUMBERS: Final = frozenset({"nights", "delay_minutes"})
_FLAGS: Final = frozenset({"rematch"})


@router.post("/do")
async def do(visit: Visitor) -> Response:
    """Give a command for each thing that was ticked, and say how it went."""
    form = await visit.form()
    return visit.go(local_path(form.get("back")), await perform(visit, form))


async def perform(visit: Visit, form: FormData) -> Notice:
    """Give the command that a form names for each thing that it names; say how it went."""
    name = str(form.get("do", ""))
    command = COMMANDS.get(name)
    ids = fields(form, "id", UUID)[:THINGS_MAX]
    if command is None or not ids:
        return Notice("failed", visit.words("doing.nothing_chosen"))
    position = await visit.read(last_feed_id)
    answers = await _tell_all(visit, command, ids, form)
    refusals = [problem for problem in answers.values() if problem is not None]
    noun = name.partition(".")[0]
    await _heard(visit, [f"{noun}/{i}" for i, p in answers.items() if p is None], position)
    return _told(visit, name, len(ids) - len(refusals), refusals)


async def _tell_all(
    visit: Visit, command: Command, ids: Sequence[UUID], form: FormData
) -> dict[UUID, Problem | None]:
    """Tell the service of each thing; give its refusal, None when it was done."""
    body = _body(command, form)
    key = str(form.get("key", ""))[:KEY_LENGTH_MAX]
    gate = asyncio.Semaphore(AT_ONCE)

    async def tell(thing: UUID) -> Problem | None:
        async with gate:
            try:
                path = command.path.format(thing)
                # The page's key makes a second click the same command.
                mark = f"{key}.{thing}" if key else None
                await visit.desk.tell(command.service, visit.identity, path, body, mark)
            except Problem as problem:
                return problem
            return None

    return dict(zip(ids, await asyncio.gather(*map(tell, ids)), strict=True))


async def _heard(visit: Visit, subjects: Sequence[str], position: int) -> None:
    """Wait a moment until the console has heard what was done, so that the next page shows it."""
    bell = visit.house.resource(FeedBell)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEARD_WITHIN_S):
            while True:
                rung = bell.count
                heard = await visit.read(lambda tx: count_heard(tx, subjects, position))
                if heard >= len(subjects):
                    return
                await bell.rings_after(rung, HEARD_POLL_S)


def _body(command: Command, form: FormData) -> dict[str, Any]:
    given = {f: str(form[f]) for f in command.fields if form.get(f) not in {None, ""}}
    try:
        return {f: _value(f, text) for f, text in given.items()}
    except ValueError:
        raise wrong_field("") from None


def _value(name: str, text: str) -> object:
    if name in _NUMBERS:
        return int(text)
    return text == "true" if name in _FLAGS else text


def _told(visit: Visit, name: str, done: int, refusals: Sequence[Problem]) -> Notice:
    words = visit.words
    good = words("doing.done", what=words.code("command", name), n=done)
    if not refusals:
        return Notice("done", good)
    counted = Counter(words.said(r.detail) for r in refusals)
    reasons = [words("doing.refusal", n=n, why=why) for why, n in counted.most_common(3)]
    bad = words("doing.failed", n=len(refusals), reasons=words("doing.join").join(reasons))
    return Notice("failed", f"{good} {bad}" if done else bad)
