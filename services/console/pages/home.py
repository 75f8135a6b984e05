"""`/`: who isn't signed in signs in; who is sees first what is theirs to do."""

from fastapi import APIRouter, Response

from services.console.pages import tasks
from services.console.pages.sign_in import sign_in_page
from services.console.pages.visit import PageRoute, Visitor
from services.console.views.journeys import count_states
from services.console.views.web_hooks import list_troubled

router = APIRouter(route_class=PageRoute)

STATES = ("stuck", "moving", "waiting", "settled", "done", "compensated")


@router.get("/")
async def home(visit: Visitor, kind: str | None = None) -> Response:
    """Show tasks, then figures; or ask to sign in."""
    if visit.session is None:
        return sign_in_page(visit)
    groups = await tasks.gather(visit, kind if kind in tasks.ORDER else None)
    states = await visit.read(count_states)
    mine = visit.identity.tenant_id
    # Row security shows them to administrators only.
    troubled = await visit.read(lambda tx: list_troubled(tx, mine))
    return visit.page(
        "home.html", troubled=troubled, groups=groups, states={s: states.get(s, 0) for s in STATES},
        key=str(visit.house.db.ids.uuid7()), chosen=kind,
    )  # fmt: skip
