"""Writes what a transaction says into the outbox, in the same commit as the state it speaks of."""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    import asyncpg

SLOT_COUNT: Final = 16
# Kafka's default record limit is 1,048,576 bytes with headers.
RECORD_BYTES_MAX: Final = 900_000

_NEXT_SEQUENCES: Final = """
INSERT INTO aggregate_sequence AS a (subject, last_sequence)
SELECT u.subject, u.n FROM unnest($1::text[], $2::bigint[]) AS u (subject, n) ORDER BY u.subject
ON CONFLICT (subject) DO UPDATE SET last_sequence = a.last_sequence + excluded.last_sequence
RETURNING subject, last_sequence
"""


class RecordTooLargeError(Exception):
    """An event is larger than a topic takes; nothing of the transaction is written."""


@dataclass(frozen=True, slots=True)
class Said:
    """An event on its way into the outbox: its headers still lack the sequence."""

    event_id: UUID
    topic: str
    key: str
    subject: str
    headers: dict[str, str]
    body: bytes


class Row(NamedTuple):
    """A finished row of the outbox; `headers` are texts that JSON and PostgreSQL can hold."""

    event_id: UUID
    slot: int
    topic: str
    record_key: str
    subject: str
    sequence: int
    headers: dict[str, str]
    body: bytes


def slot_of(key: str) -> int:
    """Give the relay slot of an aggregate: stable over processes and versions."""
    return zlib.crc32(key.encode()) % SLOT_COUNT


def check_size(body: bytes, event_type: str) -> None:
    """Refuse (`RecordTooLargeError`) a body that no topic would take."""
    if len(body) > RECORD_BYTES_MAX:
        message = f"{event_type}: {len(body)} bytes, at most {RECORD_BYTES_MAX} fit into a record"
        raise RecordTooLargeError(message)


async def write(
    conn: "asyncpg.Connection", said: Sequence[Said], finished: Iterable[Row] = ()
) -> None:
    """Give each event its subject's next sequence and copy all into the outbox, finished rows too.

    Locks the rows of `aggregate_sequence` in sorted order until commit; so two transactions that
    say something about the same aggregates wait for each other instead of deadlocking, and the
    outbox's ids within a subject rise in the order of commits.
    """
    counts = Counter(one.subject for one in said)
    subjects = sorted(counts)
    rows = await conn.fetch(_NEXT_SEQUENCES, subjects, [counts[s] for s in subjects])
    before = {r["subject"]: r["last_sequence"] - counts[r["subject"]] for r in rows}
    records = [*finished]
    for one in said:
        before[one.subject] = sequence = before[one.subject] + 1
        records.append(_row(one, sequence))
    await conn.copy_records_to_table("outbox", records=records, columns=Row._fields)


def _row(said: Said, sequence: int) -> Row:
    # The headers were made for this one row: they get their last word here, without a copy.
    said.headers["ce_sequence"] = str(sequence)
    return Row(
        said.event_id, slot_of(said.key), said.topic, said.key, said.subject, sequence,
        said.headers, said.body,
    )  # fmt: skip
