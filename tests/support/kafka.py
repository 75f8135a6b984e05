"""A real Apache Kafka for tests: one broker a session, topics and groups new for each test."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteGroupsRequest

from stack import topics
from stack.kafka import Kafka, Ports
from stack.topics import Topic
from tests.support.ports import free_ports

PARTITIONS = 3
DEADLINE_S = 180.0
POLL_INTERVAL_S = 0.02


class Broker:
    """A broker on free ports; stop and kill it only when it is your own (`own_kafka`)."""

    def __init__(self, data_dir: Path) -> None:
        broker, controller = free_ports(2)
        self.server = Kafka(data_dir, Ports((broker,), (controller,)))

    @property
    def bootstrap_servers(self) -> str:
        return self.server.bootstrap_servers

    @property
    def pid(self) -> int:
        return self.server.pids()[1]

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

    def kill(self) -> None:
        """End it by SIGKILL; `start` brings it back on the same port with the same records."""
        self.server.kill()

    async def make_topics(self, *names: str, partitions: int = PARTITIONS) -> list[str]:
        """Make empty topics `<name>.<something new>` and give their names in order."""
        suffix = uuid.uuid4().hex[:8]
        made = [f"{name}.{suffix}" for name in names]
        await self.create(*made, partitions=partitions)
        return made

    async def create(self, *names: str, partitions: int = PARTITIONS) -> None:
        """Make topics of exactly these names."""
        await topics.create(
            self.bootstrap_servers, [Topic(name) for name in names], partitions=partitions
        )

    async def fresh(self) -> None:
        """Make all topics of the system (`registry.events` ...) anew, empty; forget all groups."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()
        try:
            await _forget_groups(admin)
            await _delete_topics(admin)
        finally:
            await admin.close()
        await topics.create(self.bootstrap_servers, topics.all_topics(), partitions=PARTITIONS)


async def _forget_groups(admin: AIOKafkaAdminClient) -> None:
    # aiokafka knows the request, but has no method for it; our one broker coordinates every group.
    groups = [group for group, *_ in await admin.list_consumer_groups()]
    if groups:
        await admin._send_request(DeleteGroupsRequest(groups))


async def _delete_topics(admin: AIOKafkaAdminClient) -> None:
    ours = {t.name for t in topics.all_topics()} & set(await admin.list_topics())
    if not ours:
        return
    await admin.delete_topics(sorted(ours))
    deadline = time.monotonic() + DEADLINE_S
    while ours & set(await admin.list_topics()):
        assert time.monotonic() < deadline, "Kafka keeps topics that were deleted"
        await asyncio.sleep(POLL_INTERVAL_S)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker of the whole session: never stop it."""
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest_asyncio.fixture
async def fresh_kafka(kafka: Broker) -> AsyncIterator[Broker]:
    """The session's broker with all topics of the system made anew: empty, no group known."""
    await kafka.fresh()
    yield kafka


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Broker]:
    """A broker for this test alone, to be stopped, killed and started; it has no topics yet."""
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.kill()
