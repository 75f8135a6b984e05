"""The topics of the system: who speaks, who hears, and how long and how large records may be."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from stack.databases import SERVICES

PARTITIONS: Final = 6
FOR_EVER: Final = -1
# Kafka's own default: `RECORD_BYTES_MAX` of the outbox leaves enough room for headers.
EVENT_BYTES_MAX: Final = 1_048_588
# A parked record may have been as large as its topic takes; its copy has more headers.
DEAD_LETTER_BYTES_MAX: Final = 2 * EVENT_BYTES_MAX
REQUEST_TIMEOUT_MS: Final = 20_000

#: Consumer -> the services whose topic it hears (the guide's "who hears what").
HEARS: Final[Mapping[str, tuple[str, ...]]] = {
    "registry": ("recruitment", "transport", "lodging", "console"),
    "recruitment": ("registry", "transport", "lodging", "console"),
    "transport": ("registry", "recruitment", "console"),
    "lodging": ("registry", "recruitment", "transport", "console"),
    "console": SERVICES,
}


@dataclass(frozen=True)
class Topic:
    """A topic to make: its name and the size of its largest record."""

    name: str
    bytes_max: int = EVENT_BYTES_MAX
    retention_ms: int = FOR_EVER


def event_topics() -> list[Topic]:
    """List the five topics of events."""
    return [Topic(f"{service}.events") for service in SERVICES]


def dead_letter_topics() -> list[Topic]:
    """List the topics of parked records, one per consumer and topic that it hears."""
    return [
        Topic(f"{source}.events.{consumer}.dlt", DEAD_LETTER_BYTES_MAX)
        for consumer, sources in HEARS.items()
        for source in sources
    ]


def all_topics() -> list[Topic]:
    """List every topic of the system."""
    return [*event_topics(), *dead_letter_topics()]


async def create(
    bootstrap_servers: str,
    topics: Iterable[Topic],
    *,
    partitions: int = PARTITIONS,
    replicas: int = 1,
) -> list[str]:
    """Make the topics that are missing and give their names; the others stay as they are.

    With three brokers a write is acknowledged by two of them. Raises aiokafka's `KafkaError`.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap_servers, request_timeout_ms=REQUEST_TIMEOUT_MS
    )
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = [t for t in topics if t.name not in present]
        if missing:
            answer = await admin.create_topics([_new(t, partitions, replicas) for t in missing])
            _raise_first_error(answer.topic_errors)
        return [t.name for t in missing]
    finally:
        await admin.close()


def create_all(bootstrap_servers: str, *, partitions: int = PARTITIONS, replicas: int = 1) -> None:
    """Make every topic that is missing; for callers without an event loop."""
    asyncio.run(create(bootstrap_servers, all_topics(), partitions=partitions, replicas=replicas))


def _new(topic: Topic, partitions: int, replicas: int) -> NewTopic:
    return NewTopic(
        topic.name,
        partitions,
        replicas,
        topic_configs={
            "cleanup.policy": "delete",
            "retention.ms": str(topic.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(topic.bytes_max),
            "min.insync.replicas": "2" if replicas > 2 else "1",  # noqa: PLR2004 (two of three)
        },
    )


def _raise_first_error(errors: Iterable[tuple[object, ...]]) -> None:
    already_exists = 36
    for name, code, *_ in errors:
        if code not in {0, already_exists}:
            raise KafkaError(f"topic {name} was not made: error {code}")
