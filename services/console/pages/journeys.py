"""Journeys: a list with filters, and one person's way across all services."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.console import views
from services.console.domain.reasons import CANCELLATIONS
from services.console.domain.web_hook import kind_of
from services.console.pages.people import mark, masked_names
from services.console.pages.rail import steps_of
from services.console.pages.speech import Speech, ids_in
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.views.journeys import JourneyFilter, count_states
from services.console.views.names import load_names
from shared.clock import real_now
from shared.paging import Cursor
from shared.problem import NotFound

router = APIRouter(route_class=PageRoute)
PAGE_SIZE: Final = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One journey in a list."""

    journey_id: str
    who: str
    office: str
    enterprise: str
    state: str
    waiting_for: str | None
    service: str | None
    drive: str
    since_s: float


async def lines(visit: Visit, wanted: JourneyFilter, limit: int, cursor: str | None) -> Any:  # noqa: ANN401
    """Give a page of journeys, with names."""
    found: Any = await visit.read(
        lambda tx: views.list_journeys(tx, wanted=wanted, limit=limit, cursor=cursor)
    )
    items = found["items"]
    ids, subjects = ids_in(items)
    names = await visit.read(lambda tx: load_names(tx, ids, subjects))
    masked = await masked_names(visit, [i["worker_id"] for i in items])
    speech = Speech(visit.words, names)
    return [_line(speech, masked, item) for item in items], found["next_cursor"]


def _line(speech: Speech, masked: Mapping[str, str], item: Mapping[str, Any]) -> Line:
    worker = str(item["worker_id"])
    return Line(
        str(item["journey_id"]),
        masked.get(worker) or speech.words("person.unnamed", mark=mark(worker)),
        speech.tenant(item["office_id"]) if item["office_id"] else "",
        speech.tenant(item["enterprise_id"]) if item["enterprise_id"] else "",
        item["state"],
        item["waiting_for"],
        item["service"],
        speech.drive(item["drive_id"]) if item["drive_id"] else "",
        (real_now() - item["since"]) / timedelta(seconds=1),
    )


@router.get("/journeys")
@router.get("/monitor/journeys")
async def list_page(
    visit: Visitor,
    state: Annotated[str, Query(max_length=20)] = "",
    drive_id: UUID | None = None,
    cursor: Cursor = None,
) -> Response:
    """List the journeys that the visitor may see."""
    wanted = JourneyFilter(state=state or None, drive_id=drive_id)
    found, onward = await lines(visit, wanted, PAGE_SIZE, cursor)
    states = await visit.read(count_states)
    return visit.page("journeys.html", lines=found, next_cursor=onward, state=state, states=states)


@router.get("/journeys/{journey_id}")
@router.get("/monitor/journeys/{journey_id}")
async def journey_page(journey_id: UUID, visit: Visitor) -> Response:
    """Show what was said about one person's way, by whom, and because of what."""
    found = await visit.read(lambda tx: views.get_journey(tx, journey_id))
    if found is None:
        raise NotFound
    # The feed has the order of hearing; between services the clock tells the story better.
    found["events"].sort(key=lambda e: (e["said_at"], e["feed_id"]))
    ids, subjects = ids_in([found, *(e["body"] for e in found["events"])])
    names = await visit.read(lambda tx: load_names(tx, ids, subjects))
    masked = await masked_names(visit, [found["worker_id"]])
    speech = Speech(visit.words, names)
    return visit.page(
        "journey.html",
        journey=found,
        line=_line(speech, masked, found),
        steps=steps_of(found["events"]),
        events=_told(speech, found["events"]),
        commands=_commands(visit, found["events"]),
        reasons=CANCELLATIONS,
        key=str(visit.house.db.ids.uuid7()),
    )


def _told(speech: Speech, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say each event, and which one of them caused it."""
    place = {str(e["event_id"]): n for n, e in enumerate(events, 1)}
    return [
        {
            "n": n,
            "said_at": e["said_at"],
            "service": e["service"],
            "kind": kind_of(e["type"]),
            "sentence": speech.sentence(e["type"], e["body"]),
            "cause": place.get(str(e["causation_id"])),
            "subject": e["subject"],
        }
        for n, e in enumerate(events, 1)
    ]


_OPEN_COMMANDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "recruitment.placement-confirmed": ("enterprise", ("placement.start", "placement.cancel")),
    "recruitment.placement-changed": ("enterprise", ("placement.start", "placement.cancel")),
    "recruitment.placement-started": ("enterprise", ("placement.end",)),
    "recruitment.offer-made": ("office", ("offer.accept", "offer.decline")),
    "registry.worker-nominated": ("office", ("nomination.withdraw",)),
    "registry.nomination-changed": ("office", ("nomination.withdraw",)),
    "lodging.stay-held": ("enterprise", ("stay.confirm", "stay.cancel")),
    "lodging.stay-confirmed": ("enterprise", ("stay.cancel", "stay.extend")),
    "lodging.guest-checked-in": ("enterprise", ("stay.extend",)),
}


def _commands(visit: Visit, events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Give what the visitor may do now: each thing's last event decides."""
    last = {(e["service"], e["subject"]): kind_of(e["type"]) for e in events}
    found: list[tuple[str, str]] = []
    for (_, subject), kind in last.items():
        owner, commands = _OPEN_COMMANDS.get(kind, ("", ()))
        if commands and visit.may({owner}, {"coordinator"}):
            found += [(command, subject.partition("/")[2]) for command in commands]
    return found
