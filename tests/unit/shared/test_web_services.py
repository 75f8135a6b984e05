"""Every service has the operators' routes, once each, and tells all of its own in OpenAPI."""

import importlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from contracts import SPEAKERS
from shared.app import build_app
from shared.http import House

# Of programs that sign in, any may send more than we read.
OPEN_BODIES = {"Credential"}


@cache
def document(name: str) -> dict[str, Any]:
    nothing: Any = None
    service = importlib.import_module(f"services.{name}.__main__").SERVICE
    return build_app(House(name, nothing, nothing), service.router).openapi()


def typed_objects(told: Any, schemas: dict[str, Any]) -> Iterator[str]:
    """Give the names of the schemas that a body is made of."""
    parts = told.items() if isinstance(told, dict) else enumerate(told)
    for word, part in parts:
        if word == "$ref":
            name = part.rsplit("/", 1)[-1]
            yield name
            yield from typed_objects(schemas[name], schemas)
        elif isinstance(part, dict | list):
            yield from typed_objects(part, schemas)


@pytest.mark.parametrize("name", SPEAKERS)
def test_openapi_of_a_service_names_its_routes_without_a_clash(name: str) -> None:
    paths = document(name)["paths"]
    assert {"/v1/lag", "/v1/dead-letters", "/v1/dead-letters/{dead_letter_id}/replay"} <= set(paths)
    for path, methods in paths.items():
        for told in methods.values():
            assert "4XX" in told["responses"], path


@pytest.mark.parametrize("name", SPEAKERS)
def test_a_typing_error_in_a_bodys_field_is_refused_also_within_its_parts(name: str) -> None:
    told = document(name)
    schemas = told["components"]["schemas"]
    bodies = [m["requestBody"] for p in told["paths"].values() for m in p.values()
              if "application/json" in m.get("requestBody", {}).get("content", {})]  # fmt: skip
    names = {found for body in bodies for found in typed_objects(body, schemas)}
    objects = {found for found in names if schemas[found].get("type") == "object"}
    assert objects
    lenient = {n for n in objects if schemas[n].get("additionalProperties") is not False}
    assert lenient <= OPEN_BODIES
