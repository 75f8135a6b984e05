"""The world in which transport is tested."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.transport.world import SERVICE, World
from tests.support.http import a_coordinator, app_client
from tests.support.postgres import ServiceDb, Templates


@pytest_asyncio.fixture
async def world(service_db: ServiceDb, templates: Templates) -> AsyncIterator[World]:
    db = await service_db("transport")
    async with app_client(SERVICE, db, await a_coordinator(db)) as http:
        yield World(db, http, templates.server.superuser_url())
