"""Fixtures of lodging's tests on a real PostgreSQL."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest_asyncio

from stack.databases import at_database
from tests.integration.lodging.world import World
from tests.support.postgres import ServiceDb, Templates


@pytest_asyncio.fixture
async def world(service_db: ServiceDb) -> World:
    """A lodging database with one enterprise on the key list, and no inn yet."""
    return await World(await service_db("lodging")).open()


@pytest_asyncio.fixture
async def superuser(world: World, templates: Templates) -> Callable[[str], Awaitable[None]]:
    """Run a statement in the test's database as the superuser, to switch a guarantee off."""
    async with world.tx() as tx:
        name = await tx.fetchval("SELECT current_database()")
    url = at_database(templates.server.superuser_url(), name)

    async def run(sql: str) -> None:
        conn = await asyncpg.connect(url)
        try:
            await conn.execute(sql)
        finally:
            await conn.close()

    return run


@pytest_asyncio.fixture
async def own_url(world: World, templates: Templates) -> str:
    """The address of the test's database, for those who bring a pool of their own."""
    async with world.tx() as tx:
        name = await tx.fetchval("SELECT current_database()")
    return templates.url("lodging", name)
