"""Fixtures of recruitment's tests."""

import pytest_asyncio

from stack.databases import at_database
from stack.postgres import Postgres
from tests.integration.recruitment.world import World
from tests.support.postgres import ServiceDb


@pytest_asyncio.fixture
async def world(service_db: ServiceDb, postgres: Postgres) -> World:
    """Give a fresh world."""
    db = await service_db("recruitment")
    async with db.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    return World(db, at_database(postgres.superuser_url(), name))
