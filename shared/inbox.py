"""What may take effect of what was heard: each event once, each subject in its sequence."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from contracts import (
    EVENTS,
    BrokenEnvelopeError,
    DecodeError,
    Envelope,
    Event,
    UnknownTypeError,
    UnknownVersionError,
    decode,
)
from shared.handlers import Handlers, Received, Refused
from shared.problem import Problem, is_line_lost
from shared.transaction import Tx

Subject = tuple[str, str]
UNKNOWN_VERSION: Final = "unknown_version"
# Stands in a line for a record that is about to be parked.
_NEW: Final = UUID(int=0)


class Trouble(NamedTuple):
    """Why a record is parked: a code, and a detail that never echoes the record's content."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies in a topic: any bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    body: bytes | None


@dataclass(slots=True, eq=False)
class Heard:
    """A record as far as it could be read; without `event` and `trouble` it is passed over."""

    record: Record
    envelope: Envelope | None = None
    event: Event | None = None
    trouble: Trouble | None = None

    @property
    def fingerprint(self) -> bytes:
        """What makes two records the same: their content, without an envelope also their place."""
        record = self.record
        place = None if self.envelope else (record.partition, record.offset)
        content = (record.topic, record.key, tuple(record.headers), record.body, place)
        return hashlib.sha256(repr(content).encode()).digest()


class Parking(NamedTuple):
    """A record that is to be parked; `holds` and `waits` as in the table `dead_letter`."""

    heard: Heard
    trouble: Trouble
    holds: bool = False
    waits: bool = False


class Parked(NamedTuple):
    """A parked record's place in its subject's line; a discarded one only keeps its number."""

    dead_letter_id: UUID
    sequence: int
    fingerprint: bytes
    reason: str
    holds: bool
    waits: bool
    discarded: bool = False

    @property
    def stands(self) -> bool:
        """Whether another record with its sequence has to be kept beside it."""
        return (self.holds or self.waits) and not self.discarded


@dataclass(slots=True)
class Line:
    """A subject's line: the last sequence that took effect, and who stands behind it."""

    last: int = 0
    parked: list[Parked] = field(default_factory=list)

    def head(self, wanted: Callable[[Parked], bool], chosen: UUID | None = None) -> Parked | None:
        """Give who may go on now, if anybody; of two with one sequence only a person can choose."""
        while True:
            here = [p for p in self.parked if p.sequence == self.last + 1]
            if named := [p for p in here if p.dead_letter_id == chosen]:
                return named[0]
            if standing := [p for p in here if p.stands]:
                return standing[0] if len(standing) == 1 and wanted(standing[0]) else None
            if not any(p.discarded for p in here):
                return None
            self.last += 1

    def place(self, heard: Heard, sequence: int) -> Parking | bool:
        """Decide about a record that wasn't heard before: apply (True), nothing to do, or park."""
        place = self._place(heard, sequence)
        if isinstance(place, Parking):
            mark, (_, trouble, holds, waits) = heard.fingerprint, place
            self.parked.append(Parked(_NEW, sequence, mark, trouble.reason, holds, waits))
        return place

    def _place(self, heard: Heard, sequence: int) -> Parking | bool:
        trouble = heard.trouble
        if sequence <= self.last:
            return Parking(heard, trouble) if trouble else False
        if self.parked and heard.fingerprint in {p.fingerprint for p in self.parked}:
            return False
        if any(p.sequence == sequence and p.stands for p in self.parked):
            beside = Trouble("beside", f"another record with sequence {sequence} is parked")
            return Parking(heard, trouble or beside, holds=True, waits=not trouble)
        if sequence > self.last + 1:
            return self._park_ahead(heard, sequence)
        if trouble:
            return Parking(heard, trouble, holds=True)
        self.last = sequence
        return True

    def _park_ahead(self, heard: Heard, sequence: int) -> Parking:
        tail = self.last
        while any(p.sequence == tail + 1 and p.holds for p in self.parked):
            tail += 1
        if heard.trouble:
            return Parking(heard, heard.trouble, holds=sequence == tail + 1)
        if sequence == tail + 1:
            behind = Trouble("behind", f"sequence {self.last + 1} of this subject is parked")
            return Parking(heard, behind, holds=True, waits=True)
        gap = Trouble("gap", f"sequence {tail + 1} of this subject has not been heard")
        return Parking(heard, gap, waits=True)


def read(handlers: Handlers, record: Record) -> Heard:
    """Read a record; whatever it holds, this gives an answer."""
    try:
        envelope = Envelope.from_headers(record.headers)
        _check_place(envelope, record)
    except BrokenEnvelopeError as error:
        return Heard(record, trouble=Trouble("broken_envelope", str(error)))
    heard = Heard(record, envelope)
    if envelope.type in EVENTS and not handlers.follows(EVENTS[envelope.type]):
        return heard
    try:
        # What is passed over takes its number from a line that matters: it has to be sound, too.
        event = decode(envelope, record.body)
        heard.event = event if handlers.hears(event.wire_type) else None
    except UnknownTypeError as error:
        heard.trouble = Trouble("unknown_type", str(error))
    except UnknownVersionError as error:
        heard.trouble = Trouble(UNKNOWN_VERSION, str(error))
    except DecodeError as error:
        heard.trouble = Trouble("bad_body", str(error))
    # Anybody may write anything: what breaks the reading itself is no reason to stop.
    except Exception as error:  # noqa: BLE001
        heard.trouble = Trouble("bad_body", f"not readable: {type(error).__name__}")
    return heard


def _check_place(envelope: Envelope, record: Record) -> None:
    if record.topic.partition(".")[0] != envelope.service:
        raise BrokenEnvelopeError("ce_source is not the service of the topic")
    noun, _, aggregate_id = envelope.subject.partition("/")
    if record.key != aggregate_id.encode():
        raise BrokenEnvelopeError("the record's key is not the id in ce_subject")
    if envelope.type.partition(".")[0] != envelope.service:
        raise BrokenEnvelopeError("ce_type is not of the service in ce_source")
    if envelope.type in EVENTS and EVENTS[envelope.type].noun != noun:
        raise BrokenEnvelopeError("ce_subject is nothing that ce_type speaks about")


_INFRASTRUCTURE: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
    # A write that its disk refused, a page that can't be read.
    asyncpg.InternalServerError,
)


def trouble_of(error: Exception) -> Trouble | None:
    """Tell why a record can't be applied, or None when it is not the record's fault: try again."""
    if isinstance(error, Refused | Problem):
        return Trouble(error.code, error.detail)
    if isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError):
        # The message may hold values; the name of the constraint doesn't.
        name = getattr(error, "constraint_name", None) or ""
        return Trouble("data_error", f"{type(error).__name__} {name}".strip())
    if is_line_lost(error) or isinstance(error, _INFRASTRUCTURE):
        return None
    return Trouble("handler_error", type(error).__name__)


async def claim(tx: Tx, event_ids: Iterable[UUID]) -> set[UUID]:
    """Enter ids and give the new ones; in sorted order, so that two consumers never deadlock."""
    rows = await tx.fetch(_CLAIM, sorted(set(event_ids)))
    return {r["event_id"] for r in rows}


def received(heard: Iterable[Heard]) -> list[Received[Event]]:
    """Give what handlers are to hear of these; what is passed over is not among it."""
    return [Received(one.event, one.envelope) for one in heard if one.event and one.envelope]


async def unclaim(tx: Tx, event_ids: Collection[UUID]) -> None:
    """Take ids out again: their records were parked and have yet to take effect."""
    if event_ids:
        await tx.execute("DELETE FROM inbox WHERE event_id = ANY($1::uuid[])", [*event_ids])


_CLAIM = """
INSERT INTO inbox (event_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id
"""


async def load_lines(tx: Tx, subjects: Collection[Subject]) -> dict[Subject, Line]:
    """Load the lines of subjects; where records are parked, locked until the transaction ends."""
    rows = await tx.fetch(_LINES, *_columns(subjects))
    lines = {(r["source"], r["subject"]): Line(r["last_sequence"]) for r in rows}
    queues = [(r["source"], r["subject"]) for r in rows if r["queued"]]
    return lines | await lock_lines(tx, queues) if queues else lines


async def lock_lines(tx: Tx, subjects: Collection[Subject]) -> dict[Subject, Line]:
    """Lock subjects' lines, in sorted order, and load them with all that is parked."""
    await tx.execute(_ENTER, *_columns(subjects))
    rows = await tx.fetch(_LOCK, *_columns(subjects))
    lines = {(r["source"], r["subject"]): Line(r["last_sequence"]) for r in rows}
    for row in await tx.fetch(_PARKED, *_columns(subjects)):
        source, subject, *place = row.values()
        lines[source, subject].parked.append(Parked(*place))
    return lines


async def save_lines(tx: Tx, lines: Iterable[tuple[Subject, int]]) -> None:
    """Store the last sequences of subjects."""
    moved = sorted(lines)
    await tx.execute(_SAVE, *_columns([s for s, _ in moved]), [last for _, last in moved])


def _columns(subjects: Collection[Subject]) -> tuple[list[str], list[str]]:
    ordered = sorted(subjects)
    return [source for source, _ in ordered], [subject for _, subject in ordered]


_LINES = """
SELECT u.source, u.subject, COALESCE(h.last_sequence, 0) AS last_sequence, EXISTS (
    SELECT FROM dead_letter d WHERE d.source = u.source AND d.subject = u.subject
    AND (d.state = 'parked' OR (d.state = 'discarded' AND d.holds
         AND d.sequence > COALESCE(h.last_sequence, 0)))) AS queued
FROM unnest($1::text[], $2::text[]) AS u (source, subject)
LEFT JOIN heard_sequence h USING (source, subject)
"""
_ENTER = """
INSERT INTO heard_sequence SELECT u.source, u.subject, 0
FROM unnest($1::text[], $2::text[]) AS u (source, subject) ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT h.source, h.subject, h.last_sequence FROM heard_sequence h
JOIN unnest($1::text[], $2::text[]) AS u (source, subject) USING (source, subject)
ORDER BY h.source, h.subject FOR UPDATE OF h
"""
_PARKED = """
SELECT d.source, d.subject, d.dead_letter_id, d.sequence, d.fingerprint, d.reason, d.holds, d.waits,
       d.state = 'discarded'
FROM dead_letter d
JOIN unnest($1::text[], $2::text[]) AS u (source, subject) USING (source, subject)
JOIN heard_sequence h USING (source, subject)
WHERE d.state = 'parked' OR (d.state = 'discarded' AND d.holds AND d.sequence > h.last_sequence)
ORDER BY d.sequence, d.dead_letter_id
"""
_SAVE = """
INSERT INTO heard_sequence AS h (source, subject, last_sequence)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
ON CONFLICT (source, subject) DO UPDATE SET last_sequence = excluded.last_sequence
"""
