"""What the console's routes share: keys, second factors, and the way to the other services."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx2

from services.console.handlers.sign_in import SecondFactors
from services.console.signing import SigningKeys
from shared.clock import real_now
from shared.identity import Identity
from shared.ids import Ids
from shared.problem import Fault, Problem

#: A parameter of a query; a tuple is given once for each of its values.
Asked = str | int | UUID | tuple[str, ...] | None
CALL_TIMEOUT_S: Final = 10.0
# A roster's file is looked through, or a list is set on paper, before the answer.
FILE_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True)
class Desk:
    """The console's resources; `urls` are the base URLs of the services by name."""

    keys: SigningKeys
    factors: SecondFactors
    urls: Mapping[str, str]
    http: httpx2.AsyncClient
    ids: Ids

    def token(self, identity: Identity) -> str:
        """Make an access token for this identity."""
        return self.keys.sign(identity, real_now(), self.ids.uuid7())

    async def forward(self, service: str, identity: Identity, request: httpx2.Request) -> Any:  # noqa: ANN401
        """Send a request to another service as this user; give the parsed answer.

        Raises a `Problem`: the other's own refusal, or 503 when it is away.
        """
        response = await self.send(service, identity, request)
        return response.json() if response.content else None

    async def fetch(self, service: str, identity: Identity, path: str) -> httpx2.Response:
        """GET a file of another service as this user."""
        url = self.urls.get(service, "") + path
        request = self.http.build_request("GET", url, timeout=FILE_TIMEOUT_S)
        return await self.send(service, identity, request)

    async def upload(
        self, service: str, identity: Identity, path: str, form: Mapping[str, Any]
    ) -> Any:  # noqa: ANN401 (whatever the service answers)
        """POST a multipart form: `file` is a name and its bytes, the rest are fields.

        `key`, if any, is the idempotency key.
        """
        fields = {name: value for name, value in form.items() if name not in {"file", "key"}}
        headers = {"Idempotency-Key": form["key"]} if form.get("key") else {}
        url, files = self.urls.get(service, "") + path, {"file": form["file"]}
        request = self.http.build_request(
            "POST", url, data=fields, files=files, headers=headers, timeout=FILE_TIMEOUT_S
        )
        return await self.forward(service, identity, request)

    async def send(
        self, service: str, identity: Identity, request: httpx2.Request
    ) -> httpx2.Response:
        """Send a request as this user; give the whole answer, whose status is no error."""
        if service not in self.urls:
            raise Problem(404, "not_found", "没有这个服务。There is no such service.")
        request.headers["Authorization"] = f"Bearer {self.token(identity)}"
        try:
            response = await self.http.send(request)
        except httpx2.HTTPError:
            detail = f"{service} 暂时不可用。{service} cannot be reached just now."
            raise Problem(503, "service_away", detail, headers={"Retry-After": "2"}) from None
        if response.is_error:
            raise _as_problem(response)
        return response

    async def ask(self, service: str, identity: Identity, path: str, **params: Asked) -> Any:  # noqa: ANN401 (whatever the service answers)
        """GET a path of another service as this user; parameters take the place of its query."""
        given = {
            name: list(value) if isinstance(value, tuple) else str(value)
            for name, value in params.items()
            if value is not None
        }
        request = self.http.build_request("GET", self.urls.get(service, "") + path, params=given)
        return await self.forward(service, identity, request)

    async def tell(
        self, service: str, identity: Identity, path: str, body: object, key: str | None = None
    ) -> Any:  # noqa: ANN401 (whatever the service answers)
        """POST to a path of another service as this user; `key` is the idempotency key."""
        headers = {"Idempotency-Key": key} if key else {}
        url = self.urls.get(service, "") + path
        request = self.http.build_request("POST", url, json=body, headers=headers)
        return await self.forward(service, identity, request)


def _as_problem(response: httpx2.Response) -> Problem:
    try:
        said = response.json()
        code, detail = str(said["code"]), str(said["detail"])
        faults = [Fault(e["pointer"], e["code"], e["detail"]) for e in said.get("errors", ())]
    except (ValueError, KeyError, TypeError):
        code, detail = "refused", "该服务拒绝了请求。The service refused the request."
        faults = []
    retry = response.headers.get("Retry-After")
    return Problem(
        response.status_code, code, detail, faults, headers={"Retry-After": retry} if retry else {}
    )
