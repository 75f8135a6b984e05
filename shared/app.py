"""A service's HTTP application: its routes, those of every service, and the edge around."""

import logging
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shared import ops, telemetry
from shared.http import House
from shared.problem import PROBLEM_SCHEMA, Problem, as_response, refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 32 * 1024 * 1024
# Only files are large: to decode so much JSON would hold up everybody else.
JSON_BYTES_MAX: Final = 4 * 1024 * 1024
SERVER_ERROR: Final = 500
_LOG = logging.getLogger("http")
_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def build_app(house: House, router: APIRouter, *, body_bytes_max: int = BODY_BYTES_MAX) -> FastAPI:
    """Build the application of a service; none of its pages loads anything from elsewhere."""
    kinds = (Problem, HTTPException, RequestValidationError)
    refused: dict[int | type[Exception], Any] = dict.fromkeys(kinds, _refused)
    app = FastAPI(
        title=f"Shanhai {house.service}", version="1", docs_url=None, redoc_url=None,
        redirect_slashes=False, exception_handlers=refused, responses={"4XX": PROBLEM_SCHEMA},
    )  # fmt: skip
    app.state.house = house
    app.include_router(router)
    app.include_router(_beside(app))
    app.add_middleware(Edge, house=house, body_bytes_max=body_bytes_max)
    return app


def _beside(app: FastAPI) -> APIRouter:
    """Give the operators' routes but those that the service has in its own way."""
    rest = APIRouter()
    for route in ops.ROUTER.routes:
        if isinstance(route, APIRoute):
            asked = {"type": "http", "path": route.path, "method": min(route.methods or {"GET"})}
            if all(own.matches(asked)[0] is not Match.FULL for own in app.routes):
                rest.routes.append(route)
    return rest


async def _refused(request: Request, error: Exception) -> Response:
    problem = refusal(error)
    house: House = request.app.state.house
    told = await house.refuse(request, problem) if house.refuse else None
    return told or as_response(problem, request.state.request_id)


class Edge:
    """What every request passes: an id, a span, a limit, headers, a log line, a last catch."""

    def __init__(self, app: "ASGIApp", *, house: House, body_bytes_max: int) -> None:
        self.app = app
        self.house = house
        self.body_bytes_max = body_bytes_max

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        passage = _Passage(scope, receive, send, self.house.db.ids.uuid7(), self.body_bytes_max)
        with telemetry.span(f"HTTP {scope['method']}", headers.get("traceparent")):
            try:
                passage.check_length(headers)
                await self.app(scope, passage.receive, passage.send)
            # The edge answers for whatever nobody expected; nothing of it reaches the caller.
            except Exception as error:  # noqa: BLE001
                await passage.fail(error)
            finally:
                self._note(scope, passage)

    def _note(self, scope: "Scope", passage: "_Passage") -> None:
        seconds = time.perf_counter() - passage.started
        route = getattr(scope.get("route"), "path", "-")
        labels = (scope["method"], route, str(passage.status))
        self.house.metrics.http_seconds.labels(*labels).observe(seconds)
        identity = scope["state"].get("identity")
        _LOG.log(
            logging.DEBUG if route in {"/livez", "/readyz", "/metrics"} else logging.INFO,
            "request",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "status": passage.status,
                "ms": round(seconds * 1000, 1),
                "request_id": str(passage.request_id),
                "account_id": str(identity.account_id) if identity else None,
            },
        )


class _Passage:
    """One request on its way through the edge."""

    def __init__(
        self, scope: "Scope", receive: "Receive", send: "Send", request_id: UUID, limit: int
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.request_id = request_id
        # Forms bring files.
        self._is_form = Headers(scope=scope).get("content-type", "").startswith("multipart/")
        self.limit = limit if self._is_form else min(limit, JSON_BYTES_MAX)
        self.taken = 0
        self.status = 0
        self.started = time.perf_counter()
        scope.setdefault("state", {})["request_id"] = request_id

    def check_length(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:20]) > self.limit:
            raise self._too_large()

    async def receive(self) -> "Message":
        message = await self._receive()
        self.taken += len(message.get("body", b""))
        # The length that was told may be missing or a lie.
        if self.taken > self.limit:
            raise self._too_large()
        return message

    def _too_large(self) -> Exception:
        if not self._is_form:
            return HTTPException(413)
        detail = "文件过大，请拆分后提交。The file is too large; split it."
        return Problem(413, "file_too_large", detail)

    async def send(self, message: "Message") -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(raw=message["headers"])
            headers["X-Request-Id"] = str(self.request_id)
            for name, value in _SECURITY.items():
                headers.setdefault(name, value)
        await self._send(message)

    async def fail(self, error: Exception) -> None:
        problem = refusal(error)
        if problem.status >= SERVER_ERROR:
            level = logging.ERROR if problem.code == "internal" else logging.WARNING
            _LOG.log(level, "request failed: %s", problem.code, exc_info=error)
        if self.status:
            # The answer had begun; cutting it off is the only honest end.
            raise error
        response = as_response(problem, self.request_id)
        await response(self._scope, self._receive, self.send)
