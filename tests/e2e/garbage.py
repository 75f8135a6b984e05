"""Garbage of every kind, and a producer that throws it into topics and remembers where."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer

from contracts import EVENTS, Envelope, Event
from contracts.samples import envelope_of, sample

RECORD_BYTES_MAX = 1_040_000
#: Of each service an event that all who read its topic use: others' types are passed over unread.
HEARD_BY_ALL = {
    "registry": "registry.worker-erased.v1",
    "recruitment": "recruitment.placement-confirmed.v1",
    "transport": "transport.seat-booked.v1",
    "lodging": "lodging.stay-rejected.v1",
    "console": "console.tenant-registered.v1",
}
Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Piece:
    """A record that nobody can apply."""

    body: bytes | None
    headers: Headers
    key: bytes | None = None


@dataclass
class Thrown:
    """Where garbage lies: topic, partition, offset."""

    places: set[tuple[str, int, int]] = field(default_factory=set)


@asynccontextmanager
async def thrower(bootstrap_servers: str) -> AsyncIterator[AIOKafkaProducer]:
    """Anybody's producer."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, max_request_size=RECORD_BYTES_MAX
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def throw(producer: AIOKafkaProducer, topic: str, piece: Piece, thrown: Thrown) -> None:
    """Put a piece into a topic."""
    sent = await producer.send_and_wait(
        topic, piece.body, piece.key or uuid.uuid4().bytes, headers=list(piece.headers)
    )
    thrown.places.add((topic, sent.partition, sent.offset))


def pieces(service: str) -> dict[str, Piece]:
    """Make one of every kind, as said by a service about aggregates that nobody has heard of."""
    event = EVENTS[HEARD_BY_ALL[service]]
    return _without_envelope(event) | _with_envelope(event)


def _without_envelope(event: type[Event]) -> dict[str, Piece]:
    envelope, body = _fresh(event)
    headers = envelope.to_headers()
    without_id = [h for h in headers if h[0] != "ce_id"]
    return {
        "nothing at all": Piece(None, ()),
        "a text": Piece(b"hello", ()),
        "a null header": Piece(body, [*headers, ("ce_source", None)]),
        "a header that is no UTF-8": Piece(body, [*without_id, ("ce_id", b"\xff\xfe\x00")]),
        "a huge sequence": Piece(
            body, [(n, b"9" * 4_000 if n == "ce_sequence" else v) for n, v in headers]
        ),
    }


def _with_envelope(event: type[Event]) -> dict[str, Piece]:
    fields = json.loads(_fresh(event)[1])
    stem = event.wire_type.rpartition(".v")[0]
    bodies = {
        "no JSON": b'{"half": ',
        "another schema": b'{"colour": "red"}',
        "nearly a megabyte": json.dumps({"text": "x" * 1_030_000}).encode(),
        "deep nesting": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        "a key twice": b'{"x": 1, "x": 2}',
        "not UTF-8": b'{"x": "\xff"}',
        "a NUL": json.dumps(fields | {"reason": "\0"}).encode(),
    }
    types = {
        "an unknown type": f"{event.service}.never-heard.v1",
        "a future version": f"{stem}.v99",
    }
    found = {name: Piece(text, _fresh(event)[0].to_headers()) for name, text in bodies.items()}
    for name, wire_type in types.items():
        fresh, text = _fresh(event)
        found[name] = Piece(text, fresh._replace(type=wire_type).to_headers())
    return found


def _fresh(event: type[Event]) -> tuple[Envelope, bytes]:
    """Give the first record of an aggregate of its own."""
    said = sample(event).model_copy(update={event.key: uuid.uuid4()})
    return envelope_of(said)._replace(id=uuid.uuid4(), sequence=1), said.to_body()
