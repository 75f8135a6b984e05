"""What a route sees of its caller: who calls, what is allowed, one transaction for its work."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Protocol, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import FormData, UploadFile

from shared import telemetry
from shared.commands import KEY_LENGTH_MAX, Answer, Command, Effect, perform, rendered
from shared.database import Database
from shared.handlers import Handlers
from shared.identity import Identity, TenantKind
from shared.problem import Fault, Forbidden, NotFound, Problem
from shared.ticker import Ticker
from shared.transaction import Tx

R = TypeVar("R")
FORM_CHUNK_BYTES: Final = 1 << 20


class Verifier(Protocol):
    """Turns an access token into the caller's identity."""

    async def verify(self, token: str) -> Identity:
        """Give the identity of a token; raises a `Problem`: 401, or 503 if nobody can tell."""


@dataclass
class House:
    """What a running service is made of; its `setup` may add to it before anything starts.

    `tasks` run in the background until they end or the process does; `vitals` is what the running
    process knows about its progress; streams end when `stopping` is set; `identify` may be replaced
    where callers also come in another way than by a bearer token, and `refuse` set where some are
    told of refusals in another way than by problem details.
    """

    service: str
    db: Database
    verifier: Verifier
    settings: Any = None
    handlers: Handlers = field(default_factory=lambda: Handlers(""))
    tickers: list[Ticker] = field(default_factory=list)
    tasks: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    metrics: telemetry.Metrics = field(default_factory=telemetry.Metrics)
    vitals: Callable[[], dict[str, Any]] = dict
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    refuse: "Callable[[Request, Problem], Awaitable[Response | None]] | None" = None
    identify: "Callable[[House, Request], Awaitable[Identity]]" = field(
        default_factory=lambda: by_bearer
    )
    _resources: list[object] = field(default_factory=list)

    def provide(self, resource: object) -> None:
        """Let routes reach a resource by its type: `call.resource(Vault)`."""
        self._resources.append(resource)

    def resource(self, kind: type[R]) -> R:
        """Give the resource of this type; raises LookupError when `setup` provided none."""
        for found in self._resources:
            if isinstance(found, kind):
                return found
        raise LookupError(kind.__name__)


async def by_bearer(house: House, request: Request) -> Identity:
    """Identify a caller by its bearer token; raises a `Problem` (401, 503)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized("missing_token", "请先登录。Sign in first.")
    return await house.verifier.verify(token.strip())


def unauthorized(code: str, detail: str) -> Problem:
    """Give the refusal of a caller without a valid identity."""
    error = "" if code == "missing_token" else ', error="invalid_token"'
    challenge = f'Bearer realm="shanhai"{error}'
    return Problem(401, code, detail, headers={"WWW-Authenticate": challenge})


@dataclass(slots=True)
class Call:
    """One HTTP call of an identified caller."""

    request: Request
    identity: Identity
    house: House
    key: str | None = None

    def require(
        self, *, tenant_kinds: Collection[TenantKind] = (), roles: Collection[str] = ()
    ) -> None:
        """Refuse (403) all but these tenants, and the bureau's accounts with one of these roles."""
        mine = self.identity
        if mine.tenant_kind in tenant_kinds:
            return
        if mine.tenant_kind == "bureau" and not mine.roles.isdisjoint(roles):
            return
        raise Forbidden

    def resource(self, kind: type[R]) -> R:
        """Give what the service's `setup` provided of this type."""
        return self.house.resource(kind)

    @property
    def request_id(self) -> UUID:
        """The id of this request: the command's id, and the causation of what it says."""
        found: UUID = self.request.state.request_id
        return found

    async def command(self, effect: Effect, *, keep_answer: bool = True) -> Response:
        """Run an effect in one transaction, as the caller, and give its answer.

        With an Idempotency-Key the answer is kept and replayed; `keep_answer=False` is for answers
        that may be stored nowhere, and ignores the key.
        """
        command = await self._command(keep_answer=keep_answer)
        sent = await perform(self.house.db, self.identity, command, effect)
        headers = {"Idempotency-Replayed": "true"} if sent.replayed else {}
        return _response(sent.status, sent.body, headers)

    async def query(self, view: Callable[[Tx], Awaitable[object]]) -> Response:
        """Answer from one read-only transaction under the caller's row security; None is a 404.

        A view may also give an `Answer` or a whole `Response`.
        """
        async with self.house.db.transaction(
            role="api", identity=self.identity, read_only=True
        ) as tx:
            found = await view(tx)
        match found:
            case None:
                raise NotFound
            case Response():
                return found
            case Answer(status, body):
                return _response(status, rendered(body), {})
            case _:
                return _response(200, rendered(found), {})

    async def _command(self, *, keep_answer: bool) -> Command:
        url = self.request.url
        route = f"{self.request.method} {url.path}" + (f"?{url.query}" if url.query else "")
        key = _checked(self.key) if keep_answer and self.key is not None else None
        return Command(
            command_id=self.request_id,
            route=route,
            digest=await _digest(self.request) if key else b"",
            key=key,
            traceparent=telemetry.traceparent(),
        )


async def call(
    request: Request,
    _bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Call:
    """The dependency of every route that needs an identified caller; else 401."""
    house: House = request.app.state.house
    identity = await house.identify(house, request)
    request.state.identity = identity
    return Call(request, identity, house, idempotency_key)


def _checked(key: str) -> str:
    if 0 < len(key) <= KEY_LENGTH_MAX and key.isascii() and key.isprintable():
        return key
    detail = (
        f"Idempotency-Key 须为 1 至 {KEY_LENGTH_MAX} 个 ASCII 字符。"
        f"A key has 1 to {KEY_LENGTH_MAX} printable ASCII characters."
    )
    raise Problem(422, "invalid", detail, [Fault("/Idempotency-Key", "wrong_form", detail)])


def _response(status: int, body: bytes | None, headers: dict[str, str]) -> Response:
    media_type = "application/json" if body is not None else None
    return Response(body, status_code=status, headers=headers, media_type=media_type)


async def _digest(request: Request) -> bytes:
    """Digest a body; a form by its fields, because its boundary is another one each time."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return hashlib.sha256(await request.body()).digest()
    digest = hashlib.sha256()
    form: FormData = await request.form()
    for name, value in sorted(form.multi_items(), key=lambda item: item[0]):
        digest.update(f"\0{len(name)}:{name}".encode())
        if isinstance(value, str):
            digest.update(f"\0{len(value)}:{value}".encode())
        else:
            await _digest_file(digest, value)
    return digest.digest()


async def _digest_file(digest: Any, file: UploadFile) -> None:  # noqa: ANN401 (hashlib's own)
    await file.seek(0)
    while chunk := await file.read(FORM_CHUNK_BYTES):
        digest.update(hashlib.sha256(chunk).digest())
    await file.seek(0)
