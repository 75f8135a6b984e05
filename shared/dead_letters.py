"""Records that could not take effect: parked with a reason, replayed in order, or discarded."""

import base64
import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from shared import inbox, outbox
from shared.handlers import Handlers, run_waves
from shared.inbox import Heard, Parked, Parking, Record, Subject, Trouble, read, trouble_of
from shared.problem import NotFound, WrongState
from shared.transaction import Tx

if TYPE_CHECKING:
    import asyncpg

# A larger body stays here; its copy in the topic has a digest in its place.
COPIED_BYTES_MAX: Final = 64 * 1024
COPIED_HEADERS_MAX: Final = 50
COPIED_HEADER_CHARACTERS_MAX: Final = 1_000
_LOG = logging.getLogger("dead_letters")


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided about a dead letter, and why."""

    account_id: UUID
    why: str


@dataclass(frozen=True, slots=True)
class Released:
    """How many records took effect, and what stopped the next one in line (None: nothing)."""

    count: int
    stopped_by: Trouble | None = None


async def park(tx: Tx, parkings: Sequence[Parking]) -> None:
    """Park records, and copy each into its dead-letter topic; what is parked stays once."""
    if not parkings:
        return
    by_id = {tx.ids.uuid7(): parking for parking in parkings}
    rows = [(dead_letter_id, *_columns(p)) for dead_letter_id, p in by_id.items()]
    for parked in await tx.fetch(_PARK, *(list(c) for c in zip(*rows, strict=True))):
        dead_letter_id = parked["dead_letter_id"]
        record, trouble = by_id[dead_letter_id].heard.record, by_id[dead_letter_id].trouble
        tx.put(_copy(tx.service, dead_letter_id, record, trouble))
        place = f"{record.topic}[{record.partition}]@{record.offset}"
        about = {"dead_letter_id": str(dead_letter_id), "detail": trouble.detail}
        _LOG.error("parked %s: %s", place, trouble.reason, extra=about)


def _columns(parking: Parking) -> tuple[object, ...]:
    (heard, trouble, holds, waits), record = parking, parking.heard.record
    headers = json.dumps([[_clean(n), _to_base64(v)] for n, v in record.headers])
    about: tuple[object, ...] = (None,) * 6
    if e := heard.envelope:
        about = (e.id, e.type, e.source, e.subject, e.sequence, e.correlation_id)
    place = (record.topic, record.partition, record.offset, record.key, headers, record.body)
    why = (trouble.reason, _clean(trouble.detail), holds, waits)
    return (heard.fingerprint, *place, *about, *why)


_PARK: Final = """
INSERT INTO dead_letter (headers, dead_letter_id, fingerprint, topic, partition, record_offset,
    record_key, body, event_id, event_type, source, subject, sequence, journey_id, reason, detail,
    holds, waits)
SELECT u.headers::jsonb, u.dead_letter_id, u.fingerprint, u.topic, u.partition, u.record_offset,
    u.record_key, u.body, u.event_id, u.event_type, u.source, u.subject, u.sequence, u.journey_id,
    u.reason, u.detail, u.holds, u.waits
FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::int[], $5::bigint[], $6::bytea[], $7::text[],
    $8::bytea[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::uuid[],
    $15::text[], $16::text[], $17::boolean[], $18::boolean[])
AS u (dead_letter_id, fingerprint, topic, partition, record_offset, record_key, headers, body,
    event_id, event_type, source, subject, sequence, journey_id, reason, detail, holds, waits)
ON CONFLICT (fingerprint) DO NOTHING RETURNING dead_letter_id
"""


def _copy(service: str, dead_letter_id: UUID, record: Record, trouble: Trouble) -> outbox.Row:
    body = record.body or b""
    headers = {_clean(n): _text(v) for n, v in record.headers[:COPIED_HEADERS_MAX]}
    headers |= {
        "dead_letter_id": str(dead_letter_id), "dead_letter_service": service,
        "dead_letter_reason": trouble.reason, "dead_letter_detail": _clean(trouble.detail),
        "dead_letter_topic": record.topic, "dead_letter_partition": str(record.partition),
        "dead_letter_offset": str(record.offset),
    }  # fmt: skip
    if len(body) > COPIED_BYTES_MAX:
        headers["dead_letter_body"] = "sha256"
        body = sha256(body).hexdigest().encode()
    key = _text(record.key)
    topic, subject = f"{record.topic}.{service}.dlt", f"dead-letter/{dead_letter_id}"
    return outbox.Row(dead_letter_id, outbox.slot_of(key), topic, key, subject, 1, headers, body)


def _text(value: bytes | None) -> str:
    return _clean((value or b"").decode("utf-8", "backslashreplace"))


def _clean(text: str) -> str:
    # PostgreSQL's texts take no NUL and no half of a surrogate pair.
    shown = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    return shown[:COPIED_HEADER_CHARACTERS_MAX]


def waits(parked: Parked) -> bool:
    """Want what only waits for its turn."""
    return parked.waits


def waits_or_newer(parked: Parked) -> bool:
    """Want what goes on by itself at a start, too: versions that may be known by now."""
    return parked.waits or parked.reason == inbox.UNKNOWN_VERSION


def everything(_: Parked) -> bool:
    """Want whatever comes: a person said so."""
    return True


@dataclass(frozen=True, slots=True)
class Wish:
    """Which parked records are to go on, and by whose decision (None: by themselves)."""

    wanted: Callable[[Parked], bool] = waits
    chosen: UUID | None = None
    decision: Decision | None = None


async def release(
    tx: Tx, handlers: Handlers, subjects: Collection[Subject], wish: Wish | None = None
) -> Released:
    """Let the parked records of subjects take effect, in order, while they are wanted.

    A line stops at the first record that fails again: it keeps its place and gets its new reason.
    """
    wish = wish or Wish()
    lines = await inbox.lock_lines(tx, subjects)
    before = {subject: line.last for subject, line in lines.items()}
    count, stopped_by = 0, None
    moving = lines
    while heads := {
        s: p for s, line in moving.items() if (p := line.head(wish.wanted, wish.chosen))
    }:
        failed = await _apply(tx, handlers, heads, wish.decision)
        moving = {s: lines[s] for s in heads if s not in failed}
        for line in moving.values():
            line.last += 1
        count += len(moving)
        stopped_by = next(iter(failed.values()), stopped_by)
    await inbox.save_lines(tx, [(s, x.last) for s, x in lines.items() if x.last != before[s]])
    return Released(count, stopped_by)


async def _apply(
    tx: Tx, handlers: Handlers, heads: Mapping[Subject, Parked], decision: Decision | None
) -> dict[Subject, Trouble]:
    ids = {s: p.dead_letter_id for s, p in heads.items()}
    records = {r["dead_letter_id"]: _record(r) for r in await tx.fetch(_RECORDS, [*ids.values()])}
    heard = {s: read(handlers, records[i]) for s, i in ids.items()}
    failed = {s: h.trouble for s, h in heard.items() if h.trouble}
    failed |= await _attempt(tx, handlers, {s: h for s, h in heard.items() if not h.trouble})
    done = [i for s, i in ids.items() if s not in failed]
    await _close(tx, done, "replayed", decision)
    troubles = [(ids[s], *t) for s, t in failed.items()]
    await tx.execute(_FAIL, *([t[n] for t in troubles] for n in range(3)))
    return failed


async def _attempt(
    tx: Tx, handlers: Handlers, heard: Mapping[Subject, Heard]
) -> dict[Subject, Trouble]:
    """Apply all together, or, when that fails, one by one; give what can't be applied."""
    try:
        async with tx.savepoint():
            told = inbox.received(heard.values())
            fresh = await inbox.claim(tx, [one.envelope.id for one in told])
            await run_waves(tx, handlers, [one for one in told if one.envelope.id in fresh])
    except Exception as error:
        trouble = trouble_of(error)
        if trouble is None:
            raise
        if len(heard) == 1:
            return dict.fromkeys(heard, trouble)
        failed: dict[Subject, Trouble] = {}
        for subject, one in heard.items():
            failed |= await _attempt(tx, handlers, {subject: one})
        return failed
    return {}


_RECORDS: Final = "SELECT * FROM dead_letter WHERE dead_letter_id = ANY($1::uuid[])"
_FAIL: Final = """
UPDATE dead_letter d SET reason = u.reason, detail = u.detail, holds = true, waits = false
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (dead_letter_id, reason, detail)
WHERE d.dead_letter_id = u.dead_letter_id
"""


async def _close(tx: Tx, ids: Sequence[UUID], state: str, decision: Decision | None) -> None:
    account_id, why = (decision.account_id, decision.why) if decision else (None, None)
    await tx.execute(_CLOSE, ids, state, account_id, why)


_CLOSE: Final = """
UPDATE dead_letter SET state = $2, closed_at = clock_timestamp(), closed_by = $3, closed_why = $4
WHERE dead_letter_id = ANY($1::uuid[])
"""


def _to_base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _record(row: "asyncpg.Record") -> Record:
    headers = [(n, None if v is None else base64.b64decode(v)) for n, v in row["headers"]]
    return Record(
        row["topic"],
        row["partition"],
        row["record_offset"],
        row["record_key"],
        headers,
        row["body"],
    )


async def list_parked(tx: Tx, *, limit: int, after: UUID | None = None) -> list["asyncpg.Record"]:
    """List what is parked, oldest first, from after an id on; bodies stay out of lists."""
    return await tx.fetch(_LIST, after, limit)


_FIELDS: Final = """
dead_letter_id, topic, partition, record_offset AS "offset", event_id, event_type, source, subject,
sequence, journey_id, reason, detail, holds, waits, state, parked_at, closed_at, closed_by,
closed_why
"""
_LIST: Final = f"""
SELECT {_FIELDS} FROM dead_letter
WHERE state = 'parked' AND ($1::uuid IS NULL OR dead_letter_id > $1)
ORDER BY dead_letter_id LIMIT $2
"""


async def get(tx: Tx, dead_letter_id: UUID) -> dict[str, Any]:
    """Give one dead letter with headers and body as text; raises `NotFound`."""
    sql = f"SELECT {_FIELDS}, headers, body FROM dead_letter WHERE dead_letter_id = $1"
    row = await tx.fetchrow(sql, dead_letter_id)
    if row is None:
        raise NotFound
    body = (row["body"] or b"")[:COPIED_BYTES_MAX].decode("utf-8", "backslashreplace")
    headers = {
        n: v and base64.b64decode(v).decode("utf-8", "backslashreplace") for n, v in row["headers"]
    }
    return {**row, "headers": headers, "body": body}


async def replay(tx: Tx, handlers: Handlers, dead_letter_id: UUID, decision: Decision) -> Released:
    """Feed the parked records of this one's subject to the handlers, in order, up to a failure.

    Nothing is published again. Raises `NotFound`, and `WrongState` for one that isn't parked.
    """
    row = await _lock(tx, dead_letter_id)
    heard = read(handlers, _record(row))
    if heard.envelope is None:
        return Released(0, heard.trouble)
    subject = (heard.envelope.source, heard.envelope.subject)
    line = (await inbox.lock_lines(tx, [subject]))[subject]
    if heard.envelope.sequence <= line.last:
        # Another record had this place: as for any such one, there is nothing to do.
        if heard.trouble is None:
            await _close(tx, [dead_letter_id], "replayed", decision)
        return Released(0, heard.trouble)
    released = await release(tx, handlers, [subject], Wish(everything, dead_letter_id, decision))
    if released == Released(0):
        detail = f"sequence {line.last + 1} of this subject has not been heard, or is parked twice"
        return Released(0, Trouble("gap", detail))
    return released


async def discard(tx: Tx, handlers: Handlers, dead_letter_id: UUID, decision: Decision) -> Released:
    """Give a record up for good, with who and why; those that waited behind it go on.

    Raises `NotFound`, and `WrongState` for one that is no longer parked.
    """
    row = await _lock(tx, dead_letter_id)
    await _close(tx, [dead_letter_id], "discarded", decision)
    _LOG.warning("dead letter discarded", extra={
        "dead_letter_id": str(dead_letter_id), "account_id": str(decision.account_id)
    })  # fmt: skip
    if row["subject"] is None:
        return Released(0)
    return await release(tx, handlers, [(row["source"], row["subject"])])


async def _lock(tx: Tx, dead_letter_id: UUID) -> "asyncpg.Record":
    sql = "SELECT * FROM dead_letter WHERE dead_letter_id = $1 FOR UPDATE"
    row = await tx.fetchrow(sql, dead_letter_id)
    if row is None:
        raise NotFound
    if row["state"] != "parked":
        raise WrongState(f"这条记录已处理（{row['state']}）。This record is no longer parked.")
    return row


async def release_all(tx: Tx, handlers: Handlers) -> Released:
    """Let everything go on that can by itself; for the start, when more versions may be known."""
    rows = await tx.fetch(_WAITING, inbox.UNKNOWN_VERSION)
    subjects = [(r["source"], r["subject"]) for r in rows]
    return await release(tx, handlers, subjects, Wish(waits_or_newer))


_WAITING: Final = """
SELECT DISTINCT source, subject FROM dead_letter
WHERE state = 'parked' AND (waits OR (reason = $1 AND source IS NOT NULL))
"""
