"""Calls the services of a running stack over HTTP, as one of its accounts."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from stack.accounts import Account, read_accounts
from stack.plan import Plan
from stack.trouble import StackError, WrongUsageError

TIMEOUT_S: Final = 60.0
#: Ask for a new token when the old one has less than this to live.
TOKEN_MARGIN_S: Final = 60.0
PAGE_SIZE: Final = 200
CONNECTIONS_MAX: Final = 20
FAILED: Final = 400
BUSY: Final = 503
TRIES: Final = 30
PAUSE_S: Final = 0.5
Json = Any


class ApiError(StackError):
    """A service refused: its status and its stable code."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail}({code})", f"refused with {status}: {code}.")
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Request:
    """One call: a service, a path, and what goes with it."""

    method: str
    service: str
    path: str
    json: Json = None
    params: Mapping[str, Any] | None = None
    files: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None


class Client:
    """An account of a local stack at work: `async with Client.of(plan, "admin") as client`."""

    def __init__(self, plan: Plan, account: Account) -> None:
        self.account = account
        self._plan = plan
        self._http = httpx2.AsyncClient(
            timeout=TIMEOUT_S,
            trust_env=False,
            limits=httpx2.Limits(max_connections=CONNECTIONS_MAX),
        )
        self._token = ""
        self._token_ends = 0.0

    @classmethod
    def of(cls, plan: Plan, name: str) -> Self:
        """Make the client of an account by its name; raises `WrongUsageError` when unknown."""
        return cls(plan, account_named(plan, name))

    async def __aenter__(self) -> Self:
        """Open nothing yet: connections and the token come with the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def token(self) -> str:
        """Give an access token with at least a minute to live."""
        if time.monotonic() > self._token_ends - TOKEN_MARGIN_S:
            credentials = {"account": self.account.account, "password": self.account.password}
            url = f"{self._plan.ports.url('console')}/v1/tokens"
            answer = _checked(await self._http.post(url, json=credentials))
            self._token = answer["access_token"]
            self._token_ends = time.monotonic() + answer["expires_in"]
        return self._token

    async def get(self, service: str, path: str, **params: Any) -> Json:  # noqa: ANN401
        """Read one thing or one page."""
        return _json(await self.send(Request("GET", service, path, params=_given(params))))

    async def post(self, service: str, path: str, body: Json = None) -> Json:
        """Give a command, once however often the way back breaks."""
        return _json(await self.send(Request("POST", service, path, json=body)))

    async def put(self, service: str, path: str, body: Json) -> Json:
        """Set a thing by its own name."""
        return _json(await self.send(Request("PUT", service, path, json=body)))

    async def pages(self, service: str, path: str, **params: Any) -> AsyncIterator[Json]:  # noqa: ANN401
        """Give all items of a list, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get(service, path, **params, limit=PAGE_SIZE, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def send(self, request: Request) -> httpx2.Response:
        """Send a request until it is answered by something else than "not now"; raises `ApiError`.

        All tries of a command have one Idempotency-Key, so it has one effect.
        """
        headers = {} if request.method == "GET" else {"Idempotency-Key": str(uuid.uuid4())}
        for left in reversed(range(TRIES)):
            try:
                answer = await self._send_once(request, headers)
            except ApiError as e:
                # So answers who is asked for a token while its database is away.
                if e.status != BUSY or not left:
                    raise
                await asyncio.sleep(PAUSE_S)
                continue
            except httpx2.TransportError as e:
                if not left:
                    raise StackError(
                        f"无法连接 {request.service} 服务。", f"{request.service} is out of reach."
                    ) from e
                await asyncio.sleep(PAUSE_S)
                continue
            if answer.status_code != BUSY or not left:
                _checked(answer)
                return answer
            await asyncio.sleep(PAUSE_S)
        raise AssertionError

    async def _send_once(self, request: Request, headers: Mapping[str, str]) -> httpx2.Response:
        bearer = {"Authorization": f"Bearer {await self.token()}"}
        return await self._http.request(
            request.method,
            self._plan.ports.url(request.service) + request.path,
            json=request.json,
            params=request.params,
            files=request.files,
            data=request.data,
            headers={**headers, **bearer},
        )


def account_named(plan: Plan, name: str) -> Account:
    """Give an account of a local stack; raises `WrongUsageError` with the names there are."""
    accounts = accounts_of(plan)
    for one in accounts:
        if one.account == name:
            return one
    names = ", ".join(one.account for one in accounts)
    raise WrongUsageError(f"没有账号 {name}。", f"there is no account {name}, only {names}.")


def accounts_of(plan: Plan) -> list[Account]:
    """Read the accounts of a local stack; raises `StackError` when there is none yet."""
    if not plan.accounts_file.exists():
        raise StackError(
            f"数据目录 {plan.data_dir} 中还没有系统。",
            f"there is no stack on the data folder {plan.data_dir} yet.",
        )
    return read_accounts(plan.accounts_file)


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _json(answer: httpx2.Response) -> Json:
    return answer.json() if answer.content else None


def _checked(answer: httpx2.Response) -> Json:
    if answer.status_code < FAILED:
        return _json(answer) if _is_json(answer) else None
    problem = answer.json() if _is_json(answer) else {}
    detail = problem.get("detail") or problem.get("title") or "请求被拒绝"
    errors = "; ".join(f"{e['pointer']}: {e['code']}" for e in problem.get("errors", ()))
    said = f"{detail} {errors}".strip()
    raise ApiError(answer.status_code, problem.get("code", "unknown"), said)


def _is_json(answer: httpx2.Response) -> bool:
    return "json" in answer.headers.get("content-type", "")
