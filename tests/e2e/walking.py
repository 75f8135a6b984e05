"""Walks the routes of every service as somebody: all lists, each id, each action."""

import asyncio
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2

from stack.client import ApiError, Client, Request
from stack.plan import Plan

UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
PARAMETERS = re.compile(r"\{(\w+)\}")
AT_ONCE = 10
PAGE_SIZE = 200
Schema = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Route:
    """A route of a service, with a body and a query that it takes."""

    service: str
    method: str
    path: str
    body: Any
    query: Any

    @property
    def parameters(self) -> list[str]:
        return PARAMETERS.findall(self.path)

    def filled(self, values: dict[str, str]) -> str:
        return PARAMETERS.sub(lambda m: values[m[1]], self.path)

    def __str__(self) -> str:
        return f"{self.service}: {self.method} {self.path}"


async def routes_of(plan: Plan) -> list[Route]:
    """Read what each service says of itself."""
    found = []
    async with httpx2.AsyncClient(trust_env=False) as http:
        for service in plan.services:
            spec = (await http.get(f"{plan.ports.url(service)}/openapi.json")).json()
            for path, operations in spec["paths"].items():
                for method, operation in operations.items():
                    content = operation.get("requestBody", {}).get("content", {})
                    schema = content.get("application/json", {}).get("schema")
                    body = None if schema is None else a_value(schema, spec)
                    query = {
                        p["name"]: a_value(p["schema"], spec, p["name"])
                        for p in operation.get("parameters", ())
                        if p["in"] == "query" and p.get("required")
                    }
                    found.append(Route(service, method.upper(), path, body, query))
    return found


def a_value(schema: Schema, spec: Schema, name: str = "") -> Any:
    """Make something that a schema takes: what is required, and nothing else."""
    if "$ref" in schema:
        part = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return a_value(part, spec, name)
    if options := schema.get("anyOf"):
        return a_value(options[0], spec, name)
    if "properties" in schema:
        wanted = schema.get("required") or list(schema["properties"])[:1]
        return {n: a_value(schema["properties"][n], spec, n) for n in wanted}
    if schema.get("type") == "array":
        return [a_value(schema["items"], spec, name)]
    return _plain(schema, name)


def _plain(schema: Schema, name: str) -> Any:
    if "enum" in schema or "const" in schema:
        return schema.get("const") or schema["enum"][0]
    if schema.get("type") in {"integer", "number"}:
        return schema.get("minimum", 1)
    return False if schema.get("type") == "boolean" else _a_text(schema, name)


def _a_text(schema: Schema, name: str) -> str:
    now = datetime.now(UTC)
    formats = {
        "uuid": str(uuid.uuid4()),
        "date": str(now.date()),
        "date-time": now.isoformat(),
    }
    names = {
        "stop": "530902-00",
        "board_stop": "530902-00",
        "outcome": "received",
        "kind": "office",
    }
    names["division_code"] = "530902"
    return formats.get(schema.get("format", "")) or names.get(name) or "other"


class Walker:
    """An account on its way through all routes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def ask(self, route: Route, values: dict[str, str], **params: Any) -> tuple[int, str]:
        """Give the status and the text of an answer."""
        path = route.filled(values)
        request = Request(
            route.method, route.service, path, json=route.body, params=route.query | params
        )
        async with self._gate:
            try:
                answer = await self.client.send(request)
            except ApiError as error:
                return error.status, str(error)
        return answer.status_code, answer.text if "json" in answer.headers["content-type"] else ""

    async def ids_in_lists(self, routes: Iterable[Route]) -> dict[Route, set[str]]:
        """Give all ids that any page of these lists shows."""
        wanted = list(routes)
        found = await asyncio.gather(*(self._ids_in_list(r) for r in wanted))
        return dict(zip(wanted, found, strict=True))

    async def _ids_in_list(self, route: Route) -> set[str]:
        ids: set[str] = set()
        cursor: str | None = None
        while True:
            params = {"limit": PAGE_SIZE} | ({"cursor": cursor} if cursor else {})
            _, text = await self.ask(route, {}, **params)
            ids |= set(UUIDS.findall(text))
            following = re.search(r'"next_cursor":\s*"([^"]+)"', text)
            if following is None:
                return ids
            cursor = following[1]


def lists(routes: Iterable[Route]) -> Iterator[Route]:
    """Give the routes that list things."""
    for route in routes:
        readable = route.method == "GET" and not route.parameters
        if readable and not route.path.endswith((".xlsx", "/stream")):
            yield route
