"""Every service has the operators' routes, once each, and tells all of its own in OpenAPI."""

import importlib
from typing import Any

import pytest

from contracts import SPEAKERS
from shared.app import build_app
from shared.http import House


@pytest.mark.parametrize("name", SPEAKERS)
def test_openapi_of_a_service_names_its_routes_without_a_clash(name: str) -> None:
    nothing: Any = None
    service = importlib.import_module(f"services.{name}.__main__").SERVICE
    paths = build_app(House(name, nothing, nothing), service.router).openapi()["paths"]
    assert {"/v1/lag", "/v1/dead-letters", "/v1/dead-letters/{dead_letter_id}/replay"} <= set(paths)
    for path, methods in paths.items():
        for told in methods.values():
            assert "4XX" in told["responses"], path
