"""What the topics say, read from their start: sequences, envelopes, and no person's data."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts import BrokenEnvelopeError, DecodeError, Envelope, Event, decode
from stack.reading import records

#: What an ID number or a mobile phone looks like between other characters.
PERSONAL: Final = re.compile(rb"(?<![0-9a-f-])(?:[1-9]\d{16}[\dXx]|1[3-9]\d{9})(?![0-9a-f-])")
Subject = tuple[str, str]


class Place(NamedTuple):
    """Where a record lies, and whose it is if its envelope is whole."""

    topic: str
    partition: int
    offset: int
    envelope: Envelope | None = None

    @property
    def event_id(self) -> UUID | None:
        """Its event's id."""
        return self.envelope.id if self.envelope else None


@dataclass
class Spoken:
    """Sequences of each (source, subject), ids by source, types by id, and what is wrong."""

    sequences: dict[Subject, set[int]] = field(default_factory=lambda: defaultdict(set))
    ids: dict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    records: int = 0
    garbage: int = 0
    personal: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    inverted: list[str] = field(default_factory=list)
    types: dict[UUID, str] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    _highest: Counter[Subject] = field(default_factory=Counter)
    _partitions: dict[Subject, int] = field(default_factory=dict)

    def take(self, record: ConsumerRecord) -> None:
        """Note a record."""
        self.records += 1
        place = record.topic, record.partition, record.offset
        try:
            envelope = Envelope.from_headers(record.headers)
        except BrokenEnvelopeError:
            # Anybody may write garbage into a topic; its readers park it.
            self.garbage += 1
            self.places.append(Place(*place))
            return
        self.places.append(Place(*place, envelope))
        try:
            event = decode(envelope, record.value)
        except DecodeError:
            self.garbage += 1
            return
        self._take(record, envelope, event)

    def _take(self, record: ConsumerRecord, envelope: Envelope, event: Event) -> None:
        subject = envelope.source, envelope.subject
        if envelope.id not in self.types and envelope.sequence <= self._highest[subject]:
            self.inverted.append(f"{envelope.source} {envelope.subject}: {envelope.sequence}")
        self._highest[subject] = max(self._highest[subject], envelope.sequence)
        self.types[envelope.id] = envelope.type
        self.sequences[subject].add(envelope.sequence)
        self.ids[envelope.source.strip("/")].add(envelope.id)
        place = f"{record.topic}/{record.partition}@{record.offset}"
        if PERSONAL.search(record.value):
            self.personal.append(place)
        lies_in = self._partitions.setdefault(subject, record.partition)
        if lies_in != record.partition or (record.key or b"").decode() != event.aggregate_id:
            self.misplaced.append(place)

    def gaps(self) -> Iterator[str]:
        """Name the aggregates whose sequences don't run 1, 2, 3."""
        for (source, subject), seen in self.sequences.items():
            if seen != set(range(1, len(seen) + 1)):
                yield f"{source} {subject}"


async def spoken(bootstrap_servers: str) -> Spoken:
    """Read all event topics."""
    found = Spoken()
    async for record in records(bootstrap_servers):
        found.take(record)
    return found
