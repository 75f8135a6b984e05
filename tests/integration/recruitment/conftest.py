"""Fixtures of recruitment's tests."""

import pytest_asyncio

from tests.integration.recruitment.world import World
from tests.support.postgres import ServiceDb


@pytest_asyncio.fixture
async def world(service_db: ServiceDb) -> World:
    """Give a fresh world."""
    return World(await service_db("recruitment"))
