"""The same hop in plain FastStream: one message, one transaction, one publish."""

import asyncio
import json
from typing import Any

import asyncpg
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage

from bench.four_hops.hops import Place
from contracts import Envelope
from shared.clock import real_now
from shared.ids import Ids

SCHEMA = """
CREATE TABLE inbox (event_id uuid PRIMARY KEY);
CREATE TABLE hop_effect (event_id uuid, journey_id uuid, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE outbox (event_id uuid PRIMARY KEY, topic text, key text, headers jsonb, body bytea);
"""
_HEAR = "INSERT INTO inbox VALUES ($1) ON CONFLICT DO NOTHING RETURNING true"
_NOTE = "INSERT INTO hop_effect (event_id, journey_id) VALUES ($1, $2)"
_SAY = "INSERT INTO outbox VALUES ($1, $2, $3, $4::text::jsonb, $5)"
_SENT = "DELETE FROM outbox WHERE event_id = $1"


async def serve(place: Place) -> None:
    """Run the hop until cancelled. Inbox and outbox are in there."""
    hop, ids = place.hop, Ids()
    pool = await asyncpg.create_pool(place.database_url, min_size=1, max_size=4)
    broker = KafkaBroker(place.bootstrap_servers, acks="all", enable_idempotence=True, logger=None)
    tell = hop.teller() if hop.says else None

    async def hear(event: Any, message: KafkaMessage) -> None:  # noqa: ANN401
        heard = Envelope.from_headers([(k, v.encode()) for k, v in message.headers.items()])
        async with pool.acquire() as conn:
            async with conn.transaction():
                if not await conn.fetchval(_HEAR, heard.id):
                    return
                await conn.execute(_NOTE, heard.id, heard.correlation_id)
                if tell is None:
                    return
                said = tell(event, ids)
                envelope = _envelope(heard, said, ids)
                headers = {k: v.decode() for k, v in envelope.to_headers()}
                topic, key, body = place.topic(hop.service), said.aggregate_id, said.to_body()
                await conn.execute(_SAY, envelope.id, topic, key, json.dumps(headers), body)
            await broker.publish(body, topic, key=key.encode(), headers=headers)
            await conn.execute(_SENT, envelope.id)

    hear.__annotations__["event"] = hop.hears
    subscriber = broker.subscriber(
        place.topic(hop.source),
        group_id=hop.service,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
    )
    subscriber(hear)
    await broker.start()
    await asyncio.Future()


def _envelope(heard: Envelope, said: Any, ids: Ids) -> Envelope:  # noqa: ANN401
    return Envelope(
        id=ids.uuid7(), type=said.wire_type, source=f"/{said.service}", subject=said.subject,
        sequence=1, tenant_id=heard.tenant_id, correlation_id=heard.correlation_id,
        causation_id=heard.id, time=real_now(),
    )  # fmt: skip
