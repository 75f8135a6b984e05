"""`/monitor`: what happens just now in words, journeys, how far behind services are, pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from contracts import EVENTS, SPEAKERS
from services.console.api import letters
from services.console.pages.journeys import lines
from services.console.pages.live import Live, folded, load_items
from services.console.pages.pictures import load_pictures
from services.console.pages.speech import kind_of
from services.console.pages.visit import PageRoute, Visit, Visitor, data_of
from services.console.views.events import EventFilter, last_feed_id
from services.console.views.journeys import JourneyFilter, count_states
from services.console.views.names import list_tenant_names
from services.console.views.pictures import count_waiting
from shared.problem import Problem

router = APIRouter(route_class=PageRoute)

STUCK_MAX: Final = 8
EVENTS_AT_FIRST: Final = 60
#: From so many waiting records, or so old a one, a service is behind.
BEHIND_RECORDS: Final = 1_000
BEHIND_S: Final = 10.0
_WATCHERS: Final = frozenset({"auditor"})
_ROLES: Final = frozenset({"coordinator", "admin"})
_KINDS: Final = ("office", "enterprise", "inn")


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind one service is, over all its topics; `away` when it does not answer."""

    service: str
    waiting: int
    oldest_s: float
    away: bool

    @property
    def behind(self) -> bool:
        """Tell whether somebody should look."""
        return self.away or self.waiting >= BEHIND_RECORDS or self.oldest_s >= BEHIND_S


def filtered(
    type: Annotated[str, Query(max_length=100)] = "",  # noqa: A002 (as the API names it)
    service: Annotated[str, Query(max_length=30)] = "",
    tenant: Annotated[str, Query(max_length=36)] = "",
) -> EventFilter:
    """Read the filters from the address; an empty one is none."""
    try:
        tenant_id = UUID(tenant) if tenant else None
    except ValueError:
        tenant_id = None
    return EventFilter(type=type or None, service=service or None, tenant=tenant_id)


Wanted = Annotated[EventFilter, Depends(filtered)]


@router.get("/monitor")
async def monitor(visit: Visitor, wanted: Wanted) -> Response:
    """Show everything that a coordinator watches, on one page."""
    visit.require(_WATCHERS, _ROLES)
    # The position is read first: what comes after it is the stream's.
    position = await visit.read(last_feed_id)
    items = await load_items(visit, wanted, position, EVENTS_AT_FIRST)
    stuck, _ = await lines(visit, JourneyFilter(state="stuck"), STUCK_MAX, None)
    states = await visit.read(count_states)
    return visit.page(
        "monitor.html", items=folded(items), position=position, stuck=stuck, states=states,
        waiting=await visit.read(count_waiting), lags=await lags(visit),
        parked=await _parked(visit), wanted=wanted, **await _choices(visit),
    )  # fmt: skip


@router.get("/monitor/pictures")
async def pictures(visit: Visitor) -> Response:
    """Show where people come from and go, free beds, and arrivals of the coming days."""
    visit.require(_WATCHERS, _ROLES)
    return visit.page("pictures.html", **await load_pictures(visit))


@router.get("/monitor/stream")
async def stream(
    visit: Visitor,
    wanted: Wanted,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream events in words, each once and none left out, from where the page stands."""
    visit.require(_WATCHERS, _ROLES)
    resumed = int(last_event_id) if last_event_id and last_event_id.isdigit() else after
    return StreamingResponse(
        Live(visit, wanted, resumed).frames(),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


@router.get("/monitor/standing")
async def standing(visit: Visitor) -> Response:
    """Give the part of the page that is not events: states, what waits, how far behind."""
    visit.require(_WATCHERS, _ROLES)
    stuck, _ = await lines(visit, JourneyFilter(state="stuck"), STUCK_MAX, None)
    return visit.page(
        "monitor_standing.html", stuck=stuck, states=await visit.read(count_states),
        waiting=await visit.read(count_waiting), lags=await lags(visit),
        parked=await _parked(visit),
    )  # fmt: skip


async def lags(visit: Visit) -> list[Lag]:
    """Ask every service how far behind it is."""
    found = data_of(await letters.lag(visit.call))
    return [_lag(name, found) for name in SPEAKERS]


def _lag(service: str, found: Mapping[str, Any]) -> Lag:
    own = [i for i in found["items"] if i["service"] == service]
    return Lag(
        service,
        sum(i["waiting"] for i in own),
        max((float(i["oldest_s"]) for i in own), default=0.0),
        service in found["away"],
    )


async def _parked(visit: Visit) -> int | None:
    """Count what is parked, up to a page of it; None when that cannot be told."""
    try:
        return len(data_of(await letters.letters(visit.call, limit=200))["items"])
    except Problem:
        return None


async def _choices(visit: Visit) -> dict[str, Any]:
    """Give what the filters may be set to."""
    tenants = await visit.read(lambda tx: list_tenant_names(tx, _KINDS))
    types = [(wire_type, kind_of(wire_type)) for wire_type in EVENTS]
    return {"tenants": tenants, "types": types, "services": SPEAKERS}
