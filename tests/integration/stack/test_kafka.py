"""What the local Kafka keeps, refuses and says."""

import socket
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import MessageSizeTooLargeError

from stack import topics
from stack.kafka import Kafka, Ports
from stack.trouble import StackError
from tests.support.kafka import Broker
from tests.support.ports import free_ports


async def _say(broker: Broker, topic: str, *bodies: bytes) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        max_request_size=4_000_000,
    )
    await producer.start()
    try:
        for body in bodies:
            await producer.send_and_wait(topic, body, key=b"k")
    finally:
        await producer.stop()


async def _hear(broker: Broker, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_what_was_acknowledged_survives_a_kill(own_kafka: Broker) -> None:
    (topic,) = await own_kafka.make_topics("kept")
    await _say(own_kafka, topic, b"1", b"2", b"3")
    own_kafka.kill()
    own_kafka.start()
    assert await _hear(own_kafka, topic, 3) == [b"1", b"2", b"3"]


async def test_topics_of_the_system_are_empty_when_made_anew(kafka: Broker) -> None:
    await kafka.fresh()
    await _say(kafka, "registry.events", b"old")
    await kafka.fresh()
    await _say(kafka, "registry.events", b"new")
    assert await _hear(kafka, "registry.events", 1) == [b"new"]


async def test_a_topic_that_nobody_made_is_not_made_by_asking(kafka: Broker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.describe_topics(["nobody.made.this"])
        assert "nobody.made.this" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_a_dead_letter_topic_takes_more_than_an_event_topic(fresh_kafka: Broker) -> None:
    large = b"x" * 1_100_000
    with pytest.raises(MessageSizeTooLargeError):
        await _say(fresh_kafka, "registry.events", large)
    await _say(fresh_kafka, "registry.events.console.dlt", large)


def test_each_consumer_has_a_dead_letter_topic_per_topic_it_hears() -> None:
    names = {t.name for t in topics.dead_letter_topics()}
    assert "transport.events.lodging.dlt" in names
    assert "lodging.events.transport.dlt" not in names
    assert len(names) == sum(len(sources) for sources in topics.HEARS.values())


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"{port}"):
            Kafka(tmp_path, Ports((port,), tuple(free_ports(1)))).start()


def test_a_half_written_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    node = tmp_path / "kafka" / "node-1" / "data"
    node.mkdir(parents=True)
    (node / "00000.log").write_bytes(b"precious")
    broker, controller = free_ports(2)
    with pytest.raises(StackError, match="half-written"):
        Kafka(tmp_path, Ports((broker,), (controller,))).start()
    assert (node / "00000.log").read_bytes() == b"precious"


def test_a_folder_of_one_broker_is_no_cluster_of_three(tmp_path: Path) -> None:
    one = Broker(tmp_path)
    # Its folder is made before it starts.
    one.server.launch()
    one.kill()
    ports = free_ports(6)
    with pytest.raises(StackError, match="--brokers 1"):
        Kafka(tmp_path, Ports(tuple(ports[:3]), tuple(ports[3:]))).start()
