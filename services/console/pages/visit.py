"""A visit: who looks at a page, in which language and light, and how an answer is given."""

import json
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.datastructures import FormData

from services.console.desk import Desk
from services.console.domain.account import SESSION_LIFETIME_S
from services.console.handlers.sign_in import digest, owed
from services.console.pages import figures
from services.console.pages.fonts import Fonts
from services.console.pages.forms import InMemoryForms, from_elsewhere, refused_form
from services.console.pages.notice import Notice
from services.console.pages.templating import rendered_page
from services.console.store import accounts as store
from services.console.store.accounts import Session
from services.console.words import LOCALES, Words, negotiated
from shared.clock import real_now
from shared.http import Call, House
from shared.identity import Identity
from shared.problem import Forbidden, Problem, refusal
from shared.transaction import Tx

R = TypeVar("R")
SESSION_COOKIE: Final = "shanhai_session"
NOTICE_COOKIE: Final = "shanhai_notice"
LANG_COOKIE: Final = "shanhai_lang"
THEME_COOKIE: Final = "shanhai_theme"
THEMES: Final = ("auto", "light", "dark")
TASTE_LIFETIME_S: Final = 365 * 86_400
NOTICE_LIFETIME_S: Final = 60
UNAUTHORIZED: Final = 401
_FOR_PROGRAMS: Final = ("/v1/", "/.well-known/", "/static/", "/fonts/")
#: What an account may use that has yet to secure itself.
_BEFORE_ALL: Final = frozenset(
    {"/account", "/account/password", "/account/factor", "/sign-out", "/sign-in"}
)
ACCOUNT_PAGE: Final = "/account"
_OWED: Final = frozenset({"password_change_required", "second_factor_required"})


@dataclass
class Visit:
    """One request for a page."""

    request: Request
    house: House
    session: Session | None
    words: Words
    theme: str

    @property
    def identity(self) -> Identity:
        """Who looks; raises a `Problem` (401) for nobody."""
        if self.session is None:
            raise Problem(UNAUTHORIZED, "missing_token", "请先登录。Sign in first.")
        return self.session.identity

    @property
    def kind(self) -> str:
        """The kind of the visitor's tenant; empty for nobody."""
        return self.session.identity.tenant_kind if self.session else ""

    @property
    def locale(self) -> str:
        """The page's language."""
        return self.words.locale

    @property
    def desk(self) -> Desk:
        """The way to the other services."""
        return self.house.resource(Desk)

    @cached_property
    def call(self) -> Call:
        """The visit as a call of an API's route."""
        return Call(self.request, self.identity, self.house)

    def may(self, kinds: Collection[str] = (), roles: Collection[str] = ()) -> bool:
        """Tell whether the visitor is of such a tenant, or of the bureau with such a role."""
        mine = self.identity
        if mine.tenant_kind in kinds:
            return True
        return mine.tenant_kind == "bureau" and not mine.roles.isdisjoint(roles)

    def require(self, kinds: Collection[str] = (), roles: Collection[str] = ()) -> None:
        """Refuse (403) whoever `may` not."""
        if not self.may(kinds, roles):
            raise Forbidden

    async def read(self, view: Callable[[Tx], Awaitable[R]]) -> R:
        """Read in one transaction under the visitor's row security."""
        async with self.house.db.transaction(
            role="api", identity=self.identity, read_only=True
        ) as tx:
            return await view(tx)

    async def ask(self, service: str, path: str, **params: Any) -> Any:  # noqa: ANN401
        """GET from another service as the visitor."""
        return await self.desk.ask(service, self.identity, path, **params)

    async def form(self) -> FormData:
        """Read a form that this session's own page sent; else 403. Files stay in memory."""
        if self.session is None or from_elsewhere(self.request):
            raise refused_form()
        form = await InMemoryForms.of(self.request)
        if form.get("form_token") != self.session.form_token:
            raise refused_form()
        return form

    def page(self, template: str, status: int = 200, /, **values: Any) -> Response:  # noqa: ANN401
        """Give a page."""
        noted = self.request.cookies.get(NOTICE_COOKIE)
        notice = values.pop("notice", None) or (Notice.read(noted) if noted else None)
        context: dict[str, Any] = {
            "visit": self, "t": self.words, "session": self.session, "theme": self.theme,
            "path": self.request.url.path, "query": dict(self.request.query_params),
            "notice": notice, "with_fonts": self.house.resource(Fonts).there,
            "day": self._spoken(figures.day), "moment": self._spoken(figures.moment),
            "span": self._spoken(figures.span), "clock": figures.clock,
            "link": self.link,
        }  # fmt: skip
        response = rendered_page(template, context | values, status)
        self._keep_taste(response)
        if noted:
            response.delete_cookie(NOTICE_COOKIE)
        return response

    def link(self, path: str | None = None, **changes: object) -> str:
        """Give an address: here with this page's query, or of another path."""
        query = {} if path else dict(self.request.query_params)
        query |= {k: str(v) for k, v in changes.items()}
        given = {k: v for k, v in query.items() if v != ""}
        return (path or self.request.url.path) + (f"?{urlencode(given)}" if given else "")

    def go(self, path: str, notice: Notice | None = None) -> Response:
        """Send the browser on after a form."""
        response = RedirectResponse(path, 303)
        if notice:
            response.set_cookie(
                NOTICE_COOKIE, notice.written(), max_age=NOTICE_LIFETIME_S,
                httponly=True, samesite="lax", secure=self.secure,
            )  # fmt: skip
        return response

    @property
    def secure(self) -> bool:
        """Tell whether the browser talks to us over TLS: then cookies never travel without."""
        return str(self.house.settings.issuer).startswith("https://")

    def _spoken(self, say: Callable[[Any, str], str]) -> Callable[[Any], str]:
        return lambda value: say(value, self.locale)

    def _keep_taste(self, response: Response) -> None:
        """Remember a language or a theme that the address asks for."""
        for name, cookie, value, known in (
            ("lang", LANG_COOKIE, self.locale, LOCALES),
            ("theme", THEME_COOKIE, self.theme, THEMES),
        ):
            if self.request.query_params.get(name) in known:
                response.set_cookie(
                    cookie, value, max_age=TASTE_LIFETIME_S, httponly=True, samesite="lax",
                    secure=self.secure,
                )  # fmt: skip


async def visit(request: Request) -> Visit:
    """The dependency of every page; who owes a password or a second factor gets nothing else."""
    found = await visit_of(request)
    if found.session is not None and request.url.path not in _BEFORE_ALL:
        problem = owed(found.session, factor_required=found.house.settings.factor_required)
        if problem:
            raise problem
    return found


Visitor = Annotated[Visit, Depends(visit)]


async def visit_of(request: Request, *, signed_in: bool = True) -> Visit:
    """Give the visit of a request; `signed_in=False` doesn't look for a session."""
    house: House = request.app.state.house
    session = await find_session(house, request) if signed_in else None
    request.state.identity = session.identity if session else None
    default = getattr(house.settings, "locale", LOCALES[0])
    asked = _known(request, "lang", LANG_COOKIE, LOCALES)
    locale = asked or negotiated(request.headers.get("accept-language", ""), default)
    theme = _known(request, "theme", THEME_COOKIE, THEMES) or THEMES[0]
    return Visit(request, house, session, Words(locale), theme)


def with_session(visit: Visit, response: Response, cookie: str) -> Response:
    """Give the browser a session's cookie; it is for this origin and no script."""
    response.set_cookie(
        SESSION_COOKIE, cookie, max_age=SESSION_LIFETIME_S,
        httponly=True, samesite="lax", secure=visit.secure,
    )  # fmt: skip
    return response


async def find_session(house: House, request: Request) -> Session | None:
    """Give the session of a request's cookie."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        return None
    async with house.db.transaction(role="worker", read_only=True) as tx:
        return await store.find_session(tx, digest(cookie), real_now())


def _known(request: Request, name: str, cookie: str, known: Collection[str]) -> str | None:
    for value in (request.query_params.get(name), request.cookies.get(cookie)):
        if value in known:
            return value
    return None


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A page's route: a refusal is a page, too, and who isn't signed in is asked to."""

    def get_route_handler(self) -> Handler:
        """Wrap the route's handler."""
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                return await handle(request)
            except (Problem, RequestValidationError) as error:
                return await _refused(request, refusal(error))

        return handle_page


async def refuse_browser(request: Request, problem: Problem) -> Response | None:
    """Tell a person at a browser on a page what a program is told by problem details."""
    programs = request.url.path.startswith(_FOR_PROGRAMS)
    if programs or "text/html" not in request.headers.get("accept", ""):
        return None
    return await _refused(request, problem)


async def _refused(request: Request, problem: Problem) -> Response:
    if problem.status == UNAUTHORIZED and problem.code == "missing_token":
        target = request.url.path if request.method == "GET" else "/"
        query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
        return RedirectResponse(f"/?next={quote(target + query)}", 303)
    if problem.code in _OWED:
        return RedirectResponse(ACCOUNT_PAGE, 303)
    # Without a database there is no session either, and still an answer.
    found = await visit_of(request, signed_in=problem.code != "unavailable")
    return found.page("refused.html", problem.status, problem=problem)


def data_of(response: Response) -> Any:  # noqa: ANN401 (whatever the route answered)
    """Read the answer of an API's route that was called as a function."""
    body = bytes(response.body)
    found: Mapping[str, Any] = json.loads(body)
    return found
