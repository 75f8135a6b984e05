"""Fixtures of lodging's tests on a real PostgreSQL."""

import pytest_asyncio

from tests.integration.lodging.world import World
from tests.support.postgres import ServiceDb


@pytest_asyncio.fixture
async def world(service_db: ServiceDb) -> World:
    """A lodging database with one enterprise on the key list, and no inn yet."""
    return await World(await service_db("lodging")).open()
