"""The bare limit of the same hop: no inbox, no outbox, no validation; a fetch in, a fetch out."""

import asyncio
import json
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.four_hops.hops import Hop, Place
from contracts.samples import sample
from shared.ids import Ids


async def serve(place: Place) -> None:
    """Run the hop until cancelled."""
    hop, ids = place.hop, Ids()
    conn = await asyncpg.connect(place.database_url)
    servers = place.bootstrap_servers
    consumer = AIOKafkaConsumer(
        place.topic(hop.source), bootstrap_servers=servers, group_id=hop.service,
        auto_offset_reset="earliest", enable_auto_commit=False,
    )  # fmt: skip
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", linger_ms=2, max_batch_size=512 * 1024
    )
    await producer.start()
    await consumer.start()
    rest = _fields(hop)
    while True:
        fetched = await consumer.getmany(timeout_ms=10, max_records=2_000)
        records = [record for some in fetched.values() for record in some]
        if not records:
            continue
        effects, sent = [], []
        for record in records:
            body, headers = json.loads(record.value), dict(record.headers)
            effects.append((ids.uuid7(), UUID(headers["ce_correlationid"].decode())))
            if hop.says:
                own_id = str(ids.uuid7())
                told = {**rest, "worker_id": body["worker_id"], hop.says.key: own_id,
                        "nomination_id": body["nomination_id"]}  # fmt: skip
                value = json.dumps(told, separators=(",", ":")).encode()
                topic = place.topic(hop.service)
                sent.append(
                    await producer.send(topic, value, own_id.encode(), headers=list(record.headers))
                )
        columns = ("event_id", "journey_id")
        await conn.copy_records_to_table("hop_effect", records=effects, columns=columns)
        await asyncio.gather(*sent)
        await consumer.commit(
            {TopicPartition(p.topic, p.partition): some[-1].offset + 1
             for p, some in fetched.items() if some}
        )  # fmt: skip


def _fields(hop: Hop) -> dict[str, object]:
    fields: dict[str, object] = {}
    if hop.says:
        fields = json.loads(sample(hop.says, full=False).to_body())
    return fields
