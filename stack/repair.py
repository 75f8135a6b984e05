"""Gives Kafka the history back that its disk has lost: everything the event logs hold."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import asyncpg
from aiokafka import AIOKafkaProducer

from stack.reading import records
from stack.topics import DEAD_LETTER_BYTES_MAX, all_topics, event_topics
from stack.trouble import StackError

ROUND_ROWS: Final = 1_000
BATCH_BYTES_MAX: Final = 512 * 1024
_LOG: Final = """
SELECT outbox_id, topic, record_key, subject, sequence, headers::jsonb AS headers, body
FROM event_log WHERE outbox_id > $1 ORDER BY outbox_id LIMIT $2
"""


@dataclass
class Present:
    """What the topics hold already: event ids, each subject's highest sequence, topics in use."""

    ids: set[tuple[str, str]] = field(default_factory=set)
    highest: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    counts: Counter[str] = field(default_factory=Counter)

    def lacks(self, row: asyncpg.Record) -> bool:
        """Tell whether a row of a log is to be sent; raises `StackError` when it is too late."""
        topic, subject = row["topic"], row["subject"]
        if topic not in _EVENT_TOPICS:
            # Copies of what was parked may be copies of garbage, which has no id.
            return not self.counts[topic]
        if (topic, row["headers"]["ce_id"]) in self.ids:
            return False
        if self.highest[topic, subject] > row["sequence"]:
            raise StackError(
                f"主题 {topic} 已有 {subject} 的后续事件,请先停止系统并清空 Kafka。",
                f"{topic} holds later events of {subject} already: stop the stack, empty Kafka.",
            )
        return True


_EVENT_TOPICS: Final = frozenset(t.name for t in event_topics())


async def from_log(urls: Mapping[str, str], bootstrap_servers: str) -> Counter[str]:
    """Send what the event logs hold and the topics lack, each aggregate in its order; count it.

    `urls` are the superuser's, by service. Done again it sends nothing; broken off it goes on.
    Consumers know the ids of what they have heard, so nothing takes effect twice. What is still
    in an outbox is left to the relays. Raises `StackError` when an order can't be kept any more.
    """
    present = await _present(bootstrap_servers)
    sent: Counter[str] = Counter()
    async with _producer(bootstrap_servers) as producer:
        for url in urls.values():
            async for rows in _logged(url):
                lacking = [row for row in rows if present.lacks(row)]
                await _send(producer, lacking)
                sent.update(row["topic"] for row in lacking)
    return sent


async def _present(bootstrap_servers: str) -> Present:
    found = Present()
    names = [t.name for t in all_topics()]
    async for record in records(bootstrap_servers, names):
        headers = {name: value or b"" for name, value in record.headers}
        found.counts[record.topic] += 1
        found.ids.add((record.topic, headers.get("ce_id", b"").decode("utf-8", "replace")))
        place = record.topic, headers.get("ce_subject", b"").decode("utf-8", "replace")
        sequence = headers.get("ce_sequence", b"")
        if sequence.isdigit():
            found.highest[place] = max(found.highest[place], int(sequence))
    return found


@asynccontextmanager
async def _producer(bootstrap_servers: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        max_batch_size=BATCH_BYTES_MAX,
        max_request_size=DEAD_LETTER_BYTES_MAX,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _logged(url: str) -> AsyncIterator[Sequence[asyncpg.Record]]:
    conn = await asyncpg.connect(url)
    try:
        await conn.set_type_codec(
            "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
        )
        last = -1
        while rows := await conn.fetch(_LOG, last, ROUND_ROWS):
            yield rows
            last = rows[-1]["outbox_id"]
    finally:
        await conn.close()


async def _send(producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> None:
    """Send each in turn (together they would overtake each other), then wait for all."""
    sent = []
    for row in rows:
        headers = [(name, value.encode()) for name, value in row["headers"].items()]
        key = row["record_key"].encode()
        sent.append(await producer.send(row["topic"], row["body"], key, headers=headers))
    await asyncio.gather(*sent)
