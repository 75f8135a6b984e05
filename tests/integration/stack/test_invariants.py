"""Each service asks its own invariants every five minutes, and tells by a metric what it found."""

from collections.abc import Mapping

import asyncpg
import pytest

from shared.ops import checking
from shared.telemetry import Metrics
from stack.databases import SERVICES, at_database
from stack.invariants.databases import QUERIES
from stack.invariants.tenants import tenantless_in
from stack.invariants.words import CHINESE
from tests.support.postgres import ServiceDb, Templates

WAITING = "nothing that was said waits for ever"
UNFORCED = "what callers may read has row security forced"
GAP = "the newest of what was said follow without a gap"
#: How each invariant of the plumbing is broken.
BREAKS = {
    WAITING: (
        "INSERT INTO outbox (event_id, slot, topic, record_key, subject, sequence, headers, body,"
        " recorded_at) VALUES (gen_random_uuid(), 0, 'lodging.events', 'x', 'stay/x', 1, '{}', '',"
        " clock_timestamp() - interval '6 minutes')"
    ),
    UNFORCED: "ALTER TABLE stay NO FORCE ROW LEVEL SECURITY",
    GAP: (
        "INSERT INTO event_log (event_id, topic, record_key, subject, sequence, headers, body,"
        " recorded_at, outbox_id) VALUES (gen_random_uuid(), 'lodging.events', 'x', 'stay/x', 2,"
        " '{}', '', clock_timestamp(), 7)"
    ),
}


async def asked(
    service_db: ServiceDb, templates: Templates, service: str, sql: str = ""
) -> Metrics:
    """Let a service ask its invariants over a fresh database, in which something was done."""
    db, told = await service_db(service), Metrics()
    async with db.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    await as_superuser(templates, name, sql or "SELECT 1")
    async with db.transaction(role="worker") as tx:
        await checking(told.invariants, QUERIES[service]).run(tx)
    return told


async def as_superuser(templates: Templates, name: str, sql: str) -> None:
    conn = await asyncpg.connect(at_database(templates.server.superuser_url(), name))
    try:
        await conn.execute(sql)
    finally:
        await conn.close()


def told_by(metrics: Metrics) -> Mapping[str, float]:
    return {
        sample.labels["invariant"]: sample.value
        for metric in metrics.registry.collect()
        if metric.name == "shanhai_invariant_violations"
        for sample in metric.samples
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_a_sound_service_tells_none_for_each_of_its_invariants(
    service_db: ServiceDb, templates: Templates, service: str
) -> None:
    found = told_by(await asked(service_db, templates, service))
    assert set(found) == {*BREAKS, *QUERIES[service]}
    assert set(found.values()) == {0.0}
    assert set(found) <= set(CHINESE)


@pytest.mark.parametrize("name", BREAKS)
async def test_a_broken_invariant_is_told(
    service_db: ServiceDb, templates: Templates, name: str
) -> None:
    """The negative control."""
    found = told_by(await asked(service_db, templates, "lodging", BREAKS[name]))
    assert {one for one, count in found.items() if count} == {name}


async def test_a_row_whose_tenant_nobody_knows_is_found_in_whichever_table(
    service_db: ServiceDb, templates: Templates
) -> None:
    db = await service_db("registry")
    async with db.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    conn = await asyncpg.connect(at_database(templates.server.superuser_url(), name))
    try:
        assert await tenantless_in(conn) == []
        await conn.execute(
            "INSERT INTO revocation SELECT gen_random_uuid(), gen_random_uuid(), now()"
        )
        assert await tenantless_in(conn) == ["revocation.tenant_id: 1"]
    finally:
        await conn.close()
