"""Writes what a transaction says into the outbox, in the same commit as the state it speaks of."""

import time
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    import asyncpg

SLOT_COUNT: Final = 16
# So many ids on, it pays to ask who still writes.
FLOOR_STEP: Final = 4_000
# Whatever somebody wrote below it by hand is found after so long.
FLOOR_S: Final = 60.0
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


class Said(NamedTuple):
    """An event on its way into the outbox: its headers still lack the sequence.

    `is_first`: its transaction has made the aggregate, of which nobody can have spoken yet.
    """

    event_id: UUID
    topic: str
    key: str
    subject: str
    headers: dict[str, str]
    body: bytes
    is_first: bool = False


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
    await _copy(conn, "outbox", [*finished, *await _rows(conn, said)])


async def _copy(conn: "asyncpg.Connection", table: str, rows: Sequence[Row]) -> None:
    await conn.copy_records_to_table(table, records=rows, columns=Row._fields)


async def _rows(conn: "asyncpg.Connection", said: Sequence[Said]) -> list[Row]:
    counts = Counter(one.subject for one in said)
    before = dict.fromkeys((one.subject for one in said if one.is_first), 0)
    if before:
        firsts = [(subject, counts[subject]) for subject in before]
        await conn.copy_records_to_table("aggregate_sequence", records=firsts)
    if subjects := sorted(counts.keys() - before.keys()):
        last = await conn.fetch(_NEXT_SEQUENCES, subjects, [counts[s] for s in subjects])
        before |= {r["subject"]: r["last_sequence"] - counts[r["subject"]] for r in last}
    rows = []
    for one in said:
        before[one.subject] = sequence = before[one.subject] + 1
        # The headers were made for this one row: they get their last word here, without a copy.
        one.headers["ce_sequence"] = str(sequence)
        where = (slot_of(one.key), one.topic, one.key, one.subject, sequence)
        rows.append(Row(one.event_id, *where, one.headers, one.body))
    return rows


async def set_aside(conn: "asyncpg.Connection", said: Sequence[Said]) -> None:
    """Write events, with their sequences, into a table that this transaction alone has.

    Relays would pass over each such row of the outbox, again and again, until the commit.
    """
    await conn.execute(_ASIDE)
    await _copy(conn, "outbox_aside", await _rows(conn, said))


async def take_in(conn: "asyncpg.Connection") -> None:
    """Put into the outbox what was set aside, in its order."""
    await conn.execute(_TAKE_IN)


async def take_back(conn: "asyncpg.Connection", subjects: Sequence[str]) -> None:
    """Forget what was set aside about aggregates that the transaction made: see `Tx.unsay`."""
    taken = await conn.fetch(_TAKE_BACK, subjects)
    if {r["subject"] for r in taken} != set(subjects):
        raise LookupError("only what this transaction was the first to say can be taken back")


_COLUMNS: Final = ", ".join(Row._fields)
_ASIDE: Final = f"""
CREATE TEMP TABLE IF NOT EXISTS outbox_aside ON COMMIT DROP
AS SELECT {_COLUMNS} FROM outbox WITH NO DATA
"""
_TAKE_IN: Final = f"INSERT INTO outbox ({_COLUMNS}) SELECT {_COLUMNS} FROM outbox_aside"
# Who has said all there is about an aggregate was the first to speak of it.
_TAKE_BACK: Final = """
WITH unsaid AS (DELETE FROM outbox_aside WHERE subject = ANY ($1::text[]) RETURNING subject),
own AS (SELECT subject, count(*) AS said_count FROM unsaid GROUP BY subject)
DELETE FROM aggregate_sequence a USING own
WHERE a.subject = own.subject AND a.last_sequence = own.said_count RETURNING a.subject
"""


class Floor:
    """An id up to which nothing is left in some slots, and nothing can come: looks begin behind it.

    Without it each look passes over all that was moved since the oldest open transaction began.
    """

    def __init__(self) -> None:
        self.id = self._mark = 0
        self._writers: set[str] = set()
        self._made_at = time.monotonic()

    def is_old(self) -> bool:
        """Tell whether it is time to begin anew, at the bottom."""
        return time.monotonic() - self._made_at > FLOOR_S

    async def rise(self, conn: "asyncpg.Connection", slots: Iterable[int], seen_id: int) -> None:
        """Rise to the id that was seen a while ago, or to below the first row that is left.

        Who writes into the outbox locks it before taking an id, and lets go after the rows can be
        seen. So all who have taken ids up to a row that was seen are gone, or lock it now; when
        these are gone, too, a new look finds whatever they wrote.
        """
        if self.id and seen_id - self._mark < FLOOR_STEP:
            return
        writers = {r["writer"] for r in await conn.fetch(_WRITERS)}
        if writers.isdisjoint(self._writers):
            self.id = await conn.fetchval(_FLOOR, [*slots], self.id, self._mark)
            self._mark, self._writers = seen_id, writers


_WRITERS: Final = """
SELECT virtualtransaction AS writer FROM pg_locks
WHERE relation = 'outbox'::regclass AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_FLOOR: Final = """
SELECT COALESCE(min(outbox_id) - 1, $3) FROM outbox
WHERE slot = ANY($1::smallint[]) AND outbox_id > $2 AND outbox_id <= $3
"""
