"""Fixtures of the registry's integration tests."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.registry.settings import RegistrySettings
from shared.identity import Identity
from stack.postgres import Postgres
from tests.integration.registry.world import Registry, a_key_store, a_registry, settings_of
from tests.support.http import an_office
from tests.support.postgres import ServiceDb

_NUMBERS = itertools.count(1)


@pytest_asyncio.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> RegistrySettings:
    return settings_of(tmp_path, await a_key_store(postgres, next(_NUMBERS)))


@pytest_asyncio.fixture
async def registry(
    service_db: ServiceDb, postgres: Postgres, settings: RegistrySettings
) -> AsyncIterator[Registry]:
    db = await service_db("registry")
    async with a_registry(db, settings, postgres) as made:
        yield made


@pytest_asyncio.fixture
async def office(registry: Registry) -> Identity:
    return await an_office(registry.db)


@pytest.fixture
def honghe() -> str:
    return "532500"
