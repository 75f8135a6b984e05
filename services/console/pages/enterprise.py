"""`/enterprise`: who arrives when, beds, vacancies, the roster of new hires, and credit."""

from collections import Counter
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from starlette.datastructures import FormData

from contracts.reference import counties_of, division_name, occupation_code, towns
from services.console.pages.forms import field, fields
from services.console.pages.notice import Notice
from services.console.pages.trips import speech_of
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.views.names import list_tenant_names
from services.console.views.standing import list_drives
from shared.problem import NotFound, Problem

router = APIRouter(route_class=PageRoute)

LIST_MAX: Final = 200
SHANGHAI: Final = "310000"
_KINDS: Final = frozenset({"enterprise"})
_ROLES: Final = frozenset({"coordinator"})
_COMING: Final = frozenset({"open", "departed", "arrived"})
_OPEN_STAYS: Final = "state=requested&state=held&state=confirmed&state=waitlisted&state=checked_in"
_NUMBERS: Final = ("openings", "monthly_pay_min", "monthly_pay_max", "nights")
_TEXTS: Final = ("drive_id", "title", "starts_on", "programme", "labour_brand", "enterprise_id")


@router.get("/enterprise")
async def enterprise(visit: Visitor) -> Response:
    """Show an enterprise what concerns it."""
    visit.require(_KINDS, _ROLES)
    trips = (await visit.ask("transport", "/v1/trips", limit=LIST_MAX))["items"]
    coming = sorted((t for t in trips if t["state"] in _COMING), key=_arrives)
    stays = (await visit.ask("lodging", f"/v1/stays?{_OPEN_STAYS}", limit=LIST_MAX))["items"]
    vacancies = (await visit.ask("recruitment", "/v1/vacancies", limit=LIST_MAX))["items"]
    batches = (await visit.ask("registry", "/v1/worker-batches", limit=20))["items"]
    return visit.page(
        "enterprise.html", trips=coming, arrives=_arrives, route=speech_of(visit).route,
        stays=stays, stay_states=Counter(s["state"] for s in stays), vacancies=vacancies,
        batches=[b for b in batches if b["kind"] == "new_hires"], credit=await _credit(visit),
        commitments=(await visit.ask("lodging", "/v1/credit-commitments"))["items"],
        programmes=(await visit.ask("lodging", "/v1/programmes"))["items"],
        drives=await visit.read(list_drives), enterprises=await _enterprises(visit),
        divisions=[(c, division_name(c)) for c in counties_of(SHANGHAI)],
        brands=(await visit.ask("recruitment", "/v1/labour-brands"))["items"],
        towns=sorted({t.name for t in towns()}), key=str(visit.house.db.ids.uuid7()),
    )  # fmt: skip


def _arrives(trip: dict[str, Any]) -> str:
    return str(trip["stops"][-1]["arrives_at"])


async def _credit(visit: Visit) -> dict[str, Any] | None:
    """Give the enterprise's entry on the key list, with why its level is what it is."""
    if visit.identity.uscc is None:
        return None
    try:
        found: dict[str, Any] = await visit.ask(
            "lodging", f"/v1/key-enterprises/{visit.identity.uscc}"
        )
    except NotFound:
        return None
    except Problem as problem:
        if problem.code == "not_found":
            return None
        raise
    return found


async def _enterprises(visit: Visit) -> list[Any]:
    if visit.kind != "bureau":
        return []
    return await visit.read(lambda tx: list_tenant_names(tx, ["enterprise"]))


@router.post("/enterprise/vacancies")
async def post_vacancy(visit: Visitor) -> Response:
    """Post a vacancy."""
    visit.require(_KINDS, _ROLES)
    form = await visit.form()
    body = _vacancy(visit, form)
    return await _told(visit, form, "recruitment", "/v1/vacancies", body, "enterprise.posted")


def _vacancy(visit: Visit, form: FormData) -> dict[str, Any]:
    text = str(form.get("occupation", "")).strip()
    code = occupation_code(text) or text
    site = {
        "name": str(form.get("site", "")).strip(),
        "division_code": str(form.get("division_code", "")),
        "town": str(form.get("town", "")).strip(),
    }
    given: dict[str, Any] = {n: str(form[n]).strip() for n in _TEXTS if form.get(n)}
    given |= {n: value for n in _NUMBERS if (value := field(form, n, int)) is not None}
    if visit.kind == "enterprise":
        given.pop("enterprise_id", None)
    return {**given, "site": site, "occupation_code": code}


@router.post("/enterprise/stay-requests")
async def request_stays(visit: Visitor) -> Response:
    """Ask for beds for new hires that were ticked on their roster."""
    visit.require(_KINDS, _ROLES)
    form = await visit.form()
    body: dict[str, Any] = {
        "programme": str(form.get("programme", "")),
        "check_in_on": str(form.get("check_in_on", "")),
        "nights": field(form, "nights", int),
        "guests": [{"worker_id": str(w)} for w in fields(form, "worker_id", UUID)],
        "together": form.get("together") == "true",
        "wait": form.get("wait") == "true",
    }
    if visit.kind == "bureau":
        body["enterprise_id"] = str(form.get("enterprise_id", ""))
    return await _told(visit, form, "lodging", "/v1/stay-requests", body, "enterprise.asked")


@router.post("/enterprise/commitments")
async def commit(visit: Visitor) -> Response:
    """Give a standing credit commitment for a programme."""
    visit.require(_KINDS)
    form = await visit.form()
    body = {"programme": str(form.get("programme", ""))}
    path = "/v1/credit-commitments"
    return await _told(visit, form, "lodging", path, body, "enterprise.committed")


async def _told(  # noqa: PLR0913 (a command and how its answer is said)
    visit: Visit, form: FormData, service: str, path: str, body: object, good: str
) -> Response:
    try:
        await visit.desk.tell(service, visit.identity, path, body, str(form.get("key", "")) or None)
    except Problem as problem:
        notice = Notice("failed", visit.words.said(problem.detail))
    else:
        notice = Notice("done", visit.words(good))
    return visit.go("/enterprise", notice)
