"""Signing in and out."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.console.desk import Desk
from services.console.domain.account import PASSWORD_LENGTH_MAX
from services.console.handlers.sign_in import Credentials, begin_session, digest, sign_in
from services.console.pages.forms import InMemoryForms, from_elsewhere, local_path, refused_form
from services.console.pages.visit import SESSION_COOKIE, PageRoute, Visit, Visitor, with_session
from services.console.store import accounts as store
from shared.problem import Problem

router = APIRouter(route_class=PageRoute)
NAME_LENGTH_MAX = 63


def sign_in_page(visit: Visit, problem: Problem | None = None, name: str = "") -> Response:
    """Give the page that asks who is there; after a wrong try it says what was wrong."""
    wants_code = problem is not None and problem.code == "second_factor"
    return visit.page(
        "sign_in.html",
        problem.status if problem else 200,
        problem=problem,
        name=name,
        wants_code=wants_code,
        onward=local_path(visit.request.query_params.get("next")),
    )


@router.post("/sign-in")
async def begin(request: Request, visit: Visitor) -> Response:
    """Begin a session; its cookie is for this origin and no script."""
    if from_elsewhere(request):
        raise refused_form()
    form = await InMemoryForms.of(request)
    name = str(form.get("account", "")).strip()[:NAME_LENGTH_MAX]
    password = str(form.get("password", ""))[:PASSWORD_LENGTH_MAX]
    code = str(form.get("totp", "")).replace(" ", "") or None
    house = visit.house
    try:
        account = await sign_in(
            house.db, house.resource(Desk).factors, Credentials(name, password, code)
        )
    except Problem as problem:
        return sign_in_page(visit, problem, name)
    cookie = await begin_session(house.db, account)
    return with_session(visit, visit.go(local_path(form.get("next"))), cookie)


@router.post("/sign-out")
async def end(visit: Visitor) -> Response:
    """End the session, in the browser and here."""
    await visit.form()
    async with visit.house.db.transaction(role="worker") as tx:
        await store.delete_session(tx, digest(visit.request.cookies[SESSION_COOKIE]))
    response = RedirectResponse("/", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response
