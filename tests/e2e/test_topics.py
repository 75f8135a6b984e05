"""What lies in the topics, the logs and the databases: valid, in order, and nobody's name."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import asyncpg
import pytest_asyncio
from aiokafka import ConsumerRecord
from jsonschema import Draft202012Validator

from contracts import Envelope, decode
from contracts.freeze import Folder
from stack.people import HEADERS, written
from stack.plan import Plan
from stack.reading import records
from stack.status import database_urls, superuser_url
from tests.e2e.conftest import Settled
from tests.e2e.garbage import Thrown
from tests.e2e.persons import Persons


@pytest_asyncio.fixture(scope="module")
async def said(
    settled: Settled, stack: Plan, thrown: Thrown
) -> AsyncIterator[list[ConsumerRecord]]:
    """Every record of every topic from its start, but for the garbage that another test threw."""
    await settled.world.rest()
    servers = stack.ports.kafka(stack.brokers).bootstrap_servers
    found = [r async for r in records(servers)]
    yield [r for r in found if (r.topic, r.partition, r.offset) not in thrown.places]


async def test_every_record_is_valid(said: list[ConsumerRecord]) -> None:
    schemas = {name: Draft202012Validator(s) for name, s in Folder().frozen().items()}
    for record in said:
        envelope = Envelope.from_headers(record.headers)
        event = decode(envelope, record.value)
        assert record.key.decode() == event.aggregate_id
        assert record.topic == f"{envelope.service}.events"
        assert envelope.tenant_id
        assert envelope.correlation_id
        assert envelope.causation_id
        schemas[envelope.type].validate(event.model_dump(mode="json", exclude_none=True))


async def test_the_first_occurrences_of_each_aggregate_run_1_2_3(
    said: list[ConsumerRecord],
) -> None:
    """INVARIANT: per source and subject the sequences are 1, 2, 3, ... in the topic's order."""
    runs: dict[tuple[str, str], list[int]] = defaultdict(list)
    seen: set[UUID] = set()
    for record in said:
        envelope = Envelope.from_headers(record.headers)
        if envelope.id not in seen:
            seen.add(envelope.id)
            runs[envelope.source, envelope.subject].append(envelope.sequence)
    assert len(runs) > 100
    for subject, sequences in runs.items():
        assert sequences == list(range(1, len(sequences) + 1)), subject


async def test_no_person_is_in_any_topic(settled: Settled, said: list[ConsumerRecord]) -> None:
    persons = Persons.of(settled.world.rows)
    for record in said:
        headers = b" ".join(value for _, value in record.headers)
        assert not persons.found_in(record.value + b" " + headers + b" " + record.key)


async def test_no_person_is_in_any_log(settled: Settled, stack: Plan) -> None:
    persons = Persons.of(settled.world.rows)
    logs = [log for log in stack.data_dir.rglob("*.log*") if "kafka/" not in str(log)]
    assert len(logs) > len(stack.services)
    for log in logs:
        assert not persons.found_in(log.read_bytes()), log


async def test_no_person_is_in_clear_in_any_database(settled: Settled, stack: Plan) -> None:
    """INVARIANT: a dump of all databases, the vault's included, names nobody."""
    persons = Persons.of(settled.world.rows)
    urls = database_urls(stack) | {"keys": superuser_url(stack, "registry_keys")}
    for name, url in urls.items():
        conn = await asyncpg.connect(url)
        try:
            for table in await _tables(conn):
                rows = await conn.fetch(f"SELECT * FROM {table}")
                found = persons.found_in(b"\n".join({_bytes(v) for row in rows for v in row}))
                assert not found, f"{name}.{table} names somebody"
        finally:
            await conn.close()


def test_the_search_finds_everybody_in_the_roster_itself(settled: Settled) -> None:
    """The negative control: what finds nothing above finds each person where they are."""
    rows = settled.campaigns["large"].rows
    persons = Persons.of(rows)
    clear = written(HEADERS, rows, "csv")
    wanted = {n for n in persons.numbers | persons.names if n in clear.decode("utf-8-sig")}
    assert len(wanted) > 3 * len(rows)
    assert persons.found_in(clear) == wanted
    escaped = clear.decode("utf-8-sig").encode("ascii", "backslashreplace")
    assert persons.found_in(escaped) == wanted


async def _tables(conn: asyncpg.Connection) -> list[str]:
    rows = await conn.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    return [r["name"] for r in rows]


def _bytes(value: object) -> bytes:
    if isinstance(value, UUID | datetime | int | None):
        return b""
    return value if isinstance(value, bytes) else str(value).encode()
