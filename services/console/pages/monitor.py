"""`/monitor`: what happens just now in words, journeys, how far behind services are, pictures."""

import re
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from contracts import EVENTS, SPEAKERS
from services.console.domain.web_hook import kind_of
from services.console.pages.live import Live, folded, load_items
from services.console.pages.notice import Notice
from services.console.pages.pictures import load_pictures
from services.console.pages.standing import Standing
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.store.filters import delete_filter, save_filter
from services.console.views.events import EventFilter, last_feed_id, list_filters
from services.console.views.names import list_tenant_names

router = APIRouter(route_class=PageRoute)

EVENTS_AT_FIRST: Final = 60
NAME_LENGTH_MAX: Final = 60
#: So many digits may be somebody's number; a name is seen by everyone who watches.
_PERSONAL: Final = re.compile(r"\d{7}")
_WATCHERS: Final = frozenset({"auditor"})
_ROLES: Final = frozenset({"coordinator", "admin"})
_KINDS: Final = ("office", "enterprise", "inn")


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
    return visit.page(
        "monitor.html", items=folded(items), position=position, wanted=wanted,
        **await visit.house.resource(Standing).of(visit), **await _choices(visit),
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
    return visit.page("monitor_standing.html", **await visit.house.resource(Standing).of(visit))


@router.post("/monitor/filters")
async def name_filter(visit: Visitor) -> Response:
    """Give the filter of a page a name under which everyone who watches finds it, or forget one."""
    visit.require(_WATCHERS, _ROLES)
    form = await visit.form()
    name = " ".join(str(form.get("name", "")).split())[:NAME_LENGTH_MAX]
    given = {k: str(form.get(k, "")) for k in ("type", "service", "tenant")}
    back = visit.link("/monitor", **given)
    if not name or _PERSONAL.search(name):
        return visit.go(back, Notice("failed", visit.words("filter.no_name")))
    async with visit.house.db.transaction(role="worker") as tx:
        if form.get("do") == "forget":
            await delete_filter(tx, name)
            return visit.go(back, Notice("done", visit.words("filter.forgotten", name=name)))
        wanted = filtered(**given)
        told = (wanted.type, wanted.service, wanted.tenant)
        kept = await save_filter(tx, name, told, visit.identity.account_id)
    if not kept:
        return visit.go(back, Notice("failed", visit.words("filter.too_many")))
    return visit.go(back, Notice("done", visit.words("filter.kept", name=name)))


async def _choices(visit: Visit) -> dict[str, Any]:
    """Give what the filters may be set to, and those that have a name."""
    tenants = await visit.read(lambda tx: list_tenant_names(tx, _KINDS))
    types = [(wire_type, kind_of(wire_type)) for wire_type in EVENTS]
    named = await visit.read(list_filters)
    return {"tenants": tenants, "types": types, "services": SPEAKERS, "named": named}
