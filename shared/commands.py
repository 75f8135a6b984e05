"""Commands over HTTP: one effect and one answer for each Idempotency-Key."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from shared.database import Database
from shared.identity import Identity
from shared.problem import Problem
from shared.ticker import Ticker
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record

KEY_LENGTH_MAX: Final = 255
# How long a second request with a key waits for the first one that is still at work.
IN_PROGRESS_WAIT_S: Final = 5.0
# Real time; a client that repeats a command later than this gets a second effect.
KEEP_ANSWERS: Final = timedelta(days=7)
PRUNE_ROWS_MAX: Final = 5_000
ATTEMPTS_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers: an HTTP status, and a body that JSON can hold (None: no body)."""

    status: int
    body: object = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it came in; without a key nothing is stored and each time is a new effect.

    `route` is method, path and query: a key counts per account and route. `digest` is the body's.
    """

    command_id: UUID
    route: str
    digest: bytes
    key: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer as it goes out; `replayed` when it is the stored one of an earlier request."""

    status: int
    body: bytes | None
    replayed: bool = False


#: What a command does in its transaction; it may run again after a deadlock, so it keeps no state.
Effect = Callable[[Tx], Awaitable[Answer]]


def rendered(body: object) -> bytes:
    """Give JSON: instants with their offset, ids and dates as text, database rows as objects."""
    return to_json(body, fallback=_plain, inf_nan_mode="null")


async def perform(db: Database, identity: Identity, command: Command, effect: Effect) -> Sent:
    """Perform a command at most once per key; effect and stored answer are one commit.

    A refusal (`Problem`) rolls back and is not stored: nothing happened, so a retry may succeed.
    A deadlock that PostgreSQL broke is tried again.
    """
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return await _once(db, identity, command, effect)
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            continue
    return await _once(db, identity, command, effect)


async def _once(db: Database, identity: Identity, command: Command, effect: Effect) -> Sent:
    async with db.transaction(role="api", identity=identity) as tx:
        tx.command_id = command.command_id
        tx.traceparent = command.traceparent
        if command.key and (earlier := await _claim(tx, identity.account_id, command)):
            return earlier
        answer = await effect(tx)
        sent = Sent(answer.status, None if answer.body is None else rendered(answer.body))
        if command.key:
            await tx.as_caller()
            await tx.execute(_STORE, *_name(identity.account_id, command), sent.status, sent.body)
        return sent


_CLAIM = """
INSERT INTO command_answer (account_id, route, idempotency_key, body_digest) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING true
"""
_FIND = """
SELECT body_digest, status, body FROM command_answer
WHERE account_id = $1 AND route = $2 AND idempotency_key = $3 AND status IS NOT NULL
"""
_STORE = """
UPDATE command_answer SET status = $4, body = $5
WHERE account_id = $1 AND route = $2 AND idempotency_key = $3
"""


async def _claim(tx: Tx, account_id: UUID, command: Command) -> Sent | None:
    """Take the key for this transaction, or give the answer that it already has.

    The primary key makes a concurrent second request wait here until the first has ended.
    """
    name = _name(account_id, command)
    try:
        claimed = await tx.conn.fetchval(_CLAIM, *name, command.digest, timeout=IN_PROGRESS_WAIT_S)
    except TimeoutError:
        raise _in_progress() from None
    if claimed:
        return None
    row = await tx.fetchrow(_FIND, *name)
    if row is None:
        raise _in_progress()
    return _replayed(row, command)


def _name(account_id: UUID, command: Command) -> tuple[UUID, str, str | None]:
    return account_id, command.route, command.key


def _replayed(row: "Record", command: Command) -> Sent:
    if row["body_digest"] != command.digest:
        detail = "这个 Idempotency-Key 已用于另一份内容。This key was used with another body."
        raise Problem(422, "idempotency_key_reused", detail)
    return Sent(row["status"], row["body"], replayed=True)


def _in_progress() -> Problem:
    detail = "同一请求正在处理，请稍后重试。The same command is still at work; try again."
    return Problem(409, "in_progress", detail, headers={"Retry-After": "2"})


async def _prune(tx: Tx) -> int:
    """Delete a bounded number of answers that are old enough (real time) to be forgotten."""
    return await tx.fetchval(_PRUNE, KEEP_ANSWERS, PRUNE_ROWS_MAX) or 0


_PRUNE = """
WITH old AS (
    SELECT ctid FROM command_answer WHERE answered_at < clock_timestamp() - $1::interval LIMIT $2
), gone AS (
    DELETE FROM command_answer WHERE ctid IN (SELECT ctid FROM old) RETURNING 1
) SELECT count(*) FROM gone
"""

PRUNE_ANSWERS: Final = Ticker("prune-command-answers", interval_s=3600.0, run=_prune)


def _plain(value: Any) -> object:  # noqa: ANN401 (whatever JSON does not know)
    if isinstance(value, asyncpg.Record):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
