"""Pages that work without a network: who is there, what may come along, and what is told later."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.console.domain.account import SESSION_LIFETIME_S
from services.console.pages.fonts import Fonts
from services.console.pages.forms import from_elsewhere, refused_form
from services.console.pages.people import mark, masked_names, revealed
from services.console.pages.visit import Visit, Visitor
from services.console.words import catalogue
from shared.problem import Problem
from shared.transaction import Tx

#: Its routes answer scripts of ours: a refusal is a problem document, not a page.
router = APIRouter()

PURPOSE_LENGTH_MAX: Final = 100
_SAID: Final = "offline_say."
_SERVER_ERROR: Final = 500
#: Refusals of the one who asks, not of the thing that is told: it is told again later.
_NOT_NOW: Final = frozenset({401, 429})
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=100)]


class Taking(BaseModel):
    """What for a list is taken along; without a purpose it has no names."""

    purpose: str = Field("", max_length=PURPOSE_LENGTH_MAX)


@router.get("/offline/sign-in")
async def who_is_there(visit: Visitor) -> Response:
    """Tell a page that was without a network who is signed in, and the business time.

    `sign_in` tells this sign-in from any other, and opens nothing; what was taken along in another
    one is deleted by the page.
    """
    account = visit.identity.account_id
    token = visit.session.form_token if visit.session else ""
    return JSONResponse({
        "account": str(account), "sign_in": _mark_of(token), "form_token": token,
        "now": (await visit.read(_now)).isoformat(),
    }, headers={"Cache-Control": "no-store"})  # fmt: skip


def _mark_of(token: str) -> str:
    return hashlib.sha256(b"sign-in\0" + token.encode()).hexdigest()[:24]


async def _now(tx: Tx) -> datetime:
    return tx.now


def prove(visit: Visit) -> None:
    """Refuse (401, 403) what a page of this session did not send itself."""
    session, request = visit.session, visit.request
    if session is None:
        raise Problem(401, "missing_token", "请先登录。Sign in first.")
    if from_elsewhere(request) or request.headers.get("x-form-token") != session.form_token:
        raise refused_form()


async def names_for(
    visit: Visit, worker_ids: Iterable[UUID], purpose: str, scope: Mapping[str, str]
) -> dict[str, str]:
    """Give the name of each person as the visitor may take it along.

    For a purpose the registry reveals it and keeps a record; else, or when it is withheld, it is
    masked, or missing.
    """
    ids = list(worker_ids)
    purpose = purpose.strip()
    shown = await revealed(visit, ids, purpose, scope, ("name",)) if purpose else {}
    names = {worker: found["name"] for worker, found in shown.items() if found.get("name")}
    return names or await masked_names(visit, ids)


def person(visit: Visit, number: int, worker_id: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Give what every line of a list has: its number, a mark, and a name."""
    ref = mark(worker_id)
    name = names.get(worker_id) or visit.words("person.unnamed", mark=ref)
    return {"number": number, "mark": ref, "name": name}


async def taken(visit: Visit, people: list[dict[str, Any]], ends_at: datetime | None) -> Any:  # noqa: ANN401 (an object of JSON)
    """Give a list to take along; it may be read until `until`, never beyond a sign-in's life."""
    now = await visit.read(_now)
    until = now + timedelta(seconds=SESSION_LIFETIME_S)
    token = visit.session.form_token if visit.session else ""
    return {
        "people": people, "now": now.isoformat(), "sign_in": _mark_of(token),
        "account": str(visit.identity.account_id),
        "until": (min(until, ends_at) if ends_at else until).isoformat(),
    }  # fmt: skip


def handed(data: object) -> Response:
    """Give personal data to a script of ours; no cache keeps it."""
    return JSONResponse(data, headers={"Cache-Control": "no-store"})


async def told(visit: Visit, service: str, path: str, body: object, key: str) -> Any:  # noqa: ANN401 (whatever the service answers)
    """Tell a service as the visitor what was noted earlier; give its answer or its refusal.

    A refusal is an answer, too: `{"accepted": False, "detail", "todo"}`. Raises a `Problem` when
    the service is away or the visitor isn't known any more: then the page tells it again later.
    """
    try:
        return await visit.desk.tell(service, visit.identity, path, body, key)
    except Problem as problem:
        if problem.status in _NOT_NOW or problem.status >= _SERVER_ERROR:
            raise
        return refused(visit, problem.code, problem.detail)


def refused(visit: Visit, code: str, detail: str) -> dict[str, Any]:
    """Give a refusal with what to do about it."""
    known = f"offline_todo.{code}"
    todo = visit.words(known if known in catalogue() else "offline_todo.other")
    return {"accepted": False, "detail": visit.words.said(detail), "todo": todo}


def shell(visit: Visit, template: str, **values: Any) -> Response:  # noqa: ANN401 (whatever the template shows)
    """Give a page that a phone may keep: it holds nobody's data, and not who is signed in."""
    said = {
        key.removeprefix(_SAID): visit.words(key) for key in catalogue() if key.startswith(_SAID)
    }
    reader = visit.house.resource(Fonts).reader
    return visit.page(template, session=None, said=said, reader=reader, **values)
