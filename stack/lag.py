"""How many records of the event topics each service has not yet applied, measured now."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from stack.topics import HEARS, event_topics

REQUEST_TIMEOUT_MS: Final = 10_000


class LagMeter:
    """Reads ends and commits on connections of its own; `async with LagMeter(servers) as meter`.

    A service commits what it has applied, so what it has heard and not applied counts as waiting.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        topics = [topic.name for topic in event_topics()]
        self._consumer = AIOKafkaConsumer(
            *topics, bootstrap_servers=bootstrap_servers, group_id=None
        )
        self._admin = AIOKafkaAdminClient(
            bootstrap_servers=bootstrap_servers, request_timeout_ms=REQUEST_TIMEOUT_MS
        )

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._consumer.start()
        await self._admin.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._admin.close()
        await self._consumer.stop()

    async def waiting(self) -> dict[str, int]:
        """Give service -> records that wait for it, for those that are behind."""
        ends: Mapping[TopicPartition, int] = await self._consumer.end_offsets(
            self._consumer.assignment()
        )
        commits = await asyncio.gather(
            *(self._admin.list_consumer_group_offsets(service) for service in HEARS)
        )
        behind = {}
        for (service, sources), committed in zip(HEARS.items(), commits, strict=True):
            topics = {f"{source}.events" for source in sources}
            count = sum(
                end - (committed[p].offset if p in committed else 0)
                for p, end in ends.items()
                if p.topic in topics
            )
            if count:
                behind[service] = count
        return behind
