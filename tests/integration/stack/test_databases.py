"""What a provisioned service may do in its database, and what not."""

import asyncpg
import pytest

from stack.databases import SERVICES, at_database, login_url, provision
from stack.postgres import Postgres
from tests.support.postgres import ServiceDb, Templates


async def test_a_service_becomes_its_worker_and_nothing_else(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    async with db.transaction(role="worker") as tx:
        assert await tx.fetchval("SELECT current_user") == "transport_worker"
    async with db.pool.acquire() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("SET ROLE transport_owner")
        # Without a role taken on it can do nothing: NOINHERIT.
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.fetch("SELECT * FROM public.outbox")


async def test_no_role_of_a_service_bypasses_row_security(
    postgres: Postgres, templates: Templates
) -> None:
    await templates.fresh("transport")
    conn = await asyncpg.connect(postgres.superuser_url())
    rows = await conn.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'transport%'"
        " AND (rolbypassrls OR rolsuper)"
    )
    await conn.close()
    assert rows == []


async def test_a_service_cannot_enter_the_database_of_another(
    postgres: Postgres, templates: Templates
) -> None:
    for service in SERVICES[:2]:
        await templates.fresh(service)
    foreign = login_url(postgres.superuser_url(), SERVICES[0], SERVICES[1])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(foreign)


async def test_provisioning_again_changes_nothing(postgres: Postgres, templates: Templates) -> None:
    await templates.fresh("transport")
    first = await provision(postgres.superuser_url(), "transport")
    assert await provision(postgres.superuser_url(), "transport") == first
    assert first == at_database(first, "transport")
