"""Brings a service's restored database up to what the topics know: what it said, what it missed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts import BrokenEnvelopeError, Envelope
from stack.reading import records
from stack.topics import HEARS

# What lies in the topic need not be sent again.
_SENT: Final = """
WITH gone AS (DELETE FROM outbox WHERE event_id = ANY($1::uuid[]) RETURNING *)
INSERT INTO event_log (event_id, topic, record_key, subject, sequence, headers, body, recorded_at,
    outbox_id)
SELECT event_id, topic, record_key, subject, sequence, headers, body, recorded_at, outbox_id
FROM gone
"""
# Their numbers are new ones: those that they had may be another's before long.
_ADOPT: Final = """
INSERT INTO event_log (event_id, topic, record_key, subject, sequence, headers, body, recorded_at,
    outbox_id)
SELECT event_id, $1, record_key, subject, sequence, headers::jsonb, body, recorded_at,
    nextval(pg_get_serial_sequence('outbox', 'outbox_id'))
FROM (SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[],
        $7::bytea[], $8::timestamptz[]) WITH ORDINALITY AS said
        (event_id, record_key, subject, sequence, headers, body, recorded_at, n)
    WHERE NOT EXISTS (SELECT FROM event_log l
        WHERE l.subject = said.subject AND l.sequence = said.sequence)
    ORDER BY n) lost
"""
_CONTINUE: Final = """
INSERT INTO aggregate_sequence AS a (subject, last_sequence)
SELECT subject, max(sequence) FROM event_log WHERE topic !~ '[.]dlt$' GROUP BY subject
ON CONFLICT (subject) DO UPDATE SET last_sequence = excluded.last_sequence
WHERE a.last_sequence < excluded.last_sequence
"""


@dataclass(frozen=True)
class CaughtUp:
    """How many events the service had said after the moment it was restored to."""

    adopted: int
    continued: int


async def catch_up(service: str, url: str, bootstrap_servers: str) -> CaughtUp:
    """Let a service, while it is stopped, know what it has said, and hear again what was said.

    Its sequences go on after the highest published one. What it had heard by then it knows by the
    events' ids; the rest takes effect when it starts. Done again it changes nothing.
    """
    said = [r async for r in records(bootstrap_servers, [f"{service}.events"])]
    conn = await asyncpg.connect(url)
    try:
        async with conn.transaction():
            adopted, continued = await _adopt(conn, said)
    finally:
        await conn.close()
    await _rewind(service, bootstrap_servers)
    return CaughtUp(adopted, continued)


async def _adopt(conn: asyncpg.Connection, said: Sequence[ConsumerRecord]) -> tuple[int, int]:
    known = _first_of_each(said)
    await conn.execute(_SENT, [envelope.id for envelope, _ in known])
    columns = zip(*(_row(envelope, record) for envelope, record in known), strict=True)
    adopted = 0
    if known:
        done = await conn.execute(_ADOPT, said[0].topic, *map(list, columns))
        adopted = int(done.split()[-1])
    return adopted, int((await conn.execute(_CONTINUE)).split()[-1])


def _first_of_each(said: Sequence[ConsumerRecord]) -> list[tuple[Envelope, ConsumerRecord]]:
    """Give the first record of each subject and sequence; garbage was never said."""
    first: dict[tuple[str, int], tuple[Envelope, ConsumerRecord]] = {}
    for record in said:
        try:
            envelope = Envelope.from_headers(record.headers)
        except BrokenEnvelopeError:
            continue
        if envelope.service == record.topic.partition(".")[0]:
            first.setdefault((envelope.subject, envelope.sequence), (envelope, record))
    return list(first.values())


def _row(envelope: Envelope, record: ConsumerRecord) -> tuple[object, ...]:
    return (
        envelope.id,
        (record.key or b"").decode(),
        envelope.subject,
        envelope.sequence,
        json.dumps(envelope.to_texts()),
        record.value,
        envelope.time,
    )


async def _rewind(service: str, bootstrap_servers: str) -> None:
    """Put a service's group, all of whose members are gone, back to the start of its topics."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, group_id=service, enable_auto_commit=False
    )
    await consumer.start()
    try:
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 (nothing public tells)
        partitions = [
            TopicPartition(f"{source}.events", number)
            for source in HEARS[service]
            for number in cluster.partitions_for_topic(f"{source}.events") or ()
        ]
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
    finally:
        await consumer.stop()
