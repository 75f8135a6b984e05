"""`shanhai check` finds nothing on a system at rest, and each thing that is broken on purpose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from stack.invariants import check
from stack.invariants.databases import EVERYWHERE, QUERIES
from stack.invariants.words import CHINESE
from stack.plan import Plan
from stack.status import database_urls
from tests.e2e.conftest import Settled

#: What is broken: the invariant, the service, how, and how it is mended.
BREAKS = {
    "every event to consume is in the inbox, or parked": (
        "lodging",
        "CREATE TABLE kept AS SELECT * FROM inbox; DELETE FROM inbox",
        "INSERT INTO inbox SELECT * FROM kept; DROP TABLE kept",
    ),
    "consumed = applied + ignored + parked + duplicate": (
        "lodging",
        "CREATE TABLE kept AS SELECT * FROM inbox; DELETE FROM inbox",
        "INSERT INTO inbox SELECT * FROM kept; DROP TABLE kept",
    ),
    "what was taken lies in a topic": (
        "transport",
        "INSERT INTO inbox VALUES (gen_random_uuid(), 'epoch')",
        "DELETE FROM inbox WHERE received_at = 'epoch'",
    ),
    "a seat or a bed is of a known placement": (
        "transport",
        (
            "CREATE TABLE kept AS SELECT booking_id, placement_id FROM booking;"
            " UPDATE booking SET placement_id = gen_random_uuid()"
        ),
        (
            "UPDATE booking b SET placement_id = k.placement_id FROM kept k"
            " WHERE k.booking_id = b.booking_id; DROP TABLE kept"
        ),
    ),
    "no row without its tenant": (
        "lodging",
        "CREATE TABLE kept AS SELECT * FROM tenant; DELETE FROM tenant WHERE kind = 'enterprise'",
        "INSERT INTO tenant SELECT * FROM kept ON CONFLICT DO NOTHING; DROP TABLE kept",
    ),
    "everything was heard, or is parked": (
        "transport",
        "UPDATE heard_sequence SET last_sequence = last_sequence - 1",
        "UPDATE heard_sequence SET last_sequence = last_sequence + 1",
    ),
    "a cancelled placement holds nothing": (
        "recruitment",
        "UPDATE placement SET state = 'cancelled', reason = 'broken' WHERE state = 'confirmed'",
        "UPDATE placement SET state = 'confirmed', reason = NULL WHERE reason = 'broken'",
    ),
    "nobody who needs a seat or a bed is forgotten": (
        "transport",
        "CREATE TABLE kept AS SELECT * FROM booking; DELETE FROM booking",
        "INSERT INTO booking SELECT * FROM kept; DROP TABLE kept",
    ),
    "the console shows what the owners have": (
        "console",
        "UPDATE fact SET state = 'x' || state WHERE noun = 'stay'",
        "UPDATE fact SET state = substr(state, 2) WHERE noun = 'stay'",
    ),
    "no ID number and no phone in any table": (
        "recruitment",
        "UPDATE drive SET title = title || ' 13812345678'",
        "UPDATE drive SET title = replace(title, ' 13812345678', '')",
    ),
    "what callers may read has row security forced": (
        "lodging",
        "ALTER TABLE stay NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE stay FORCE ROW LEVEL SECURITY",
    ),
    "sequences of what was said have no gap": (
        "registry",
        "UPDATE event_log SET sequence = sequence + 1000 WHERE sequence = 1",
        "UPDATE event_log SET sequence = sequence - 1000 WHERE sequence > 1000",
    ),
}


async def broken(stack: Plan) -> set[str]:
    return {f.name for f in await check(stack) if f.broken}


@asynccontextmanager
async def damaged(stack: Plan, name: str) -> AsyncIterator[None]:
    service, damage, repair = BREAKS[name]
    conn = await asyncpg.connect(database_urls(stack)[service])
    try:
        await conn.execute(damage)
        try:
            yield
        finally:
            await conn.execute(repair)
    finally:
        await conn.close()


async def test_at_rest_every_invariant_holds(settled: Settled, stack: Plan) -> None:
    await settled.world.rest()
    assert [f for f in await check(stack) if f.broken] == []


@pytest.mark.parametrize("name", BREAKS)
async def test_what_is_broken_is_found(settled: Settled, stack: Plan, name: str) -> None:
    """The negative control of each invariant over several databases or tables."""
    async with damaged(stack, name):
        assert name in await broken(stack)


async def test_every_invariant_is_known_in_chinese(settled: Settled, stack: Plan) -> None:
    names = {f.name for f in await check(stack, at_rest=True)}
    assert names <= set(CHINESE)
    assert {*EVERYWHERE, *(name for q in QUERIES.values() for name in q)} <= names
