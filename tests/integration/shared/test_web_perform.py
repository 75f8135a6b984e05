"""A command at its edges: a cut at COMMIT, a deadlock, a slow twin, an answer that is too old."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from asyncpg.transaction import Transaction

from shared import commands
from shared.commands import PRUNE_ANSWERS, Answer, Command, perform
from shared.database import Database
from shared.identity import Identity
from shared.problem import Problem
from shared.transaction import Tx
from tests.support.http import an_office
from tests.support.postgres import ServiceDb


@pytest_asyncio.fixture
async def db(service_db: ServiceDb) -> Database:
    return await service_db("lodging")


@pytest_asyncio.fixture
async def office(db: Database) -> Identity:
    return await an_office(db)


def a_command(key: str | None = "k1", body: bytes = b"x") -> Command:
    return Command(command_id=uuid4(), route="POST /v1/things", digest=body, key=key)


async def mark(tx: Tx) -> Answer:
    """Take effect visibly: one more revocation."""
    await tx.as_worker()
    made = tx.ids.uuid7()
    await tx.execute("INSERT INTO revocation VALUES ($1, $1, now())", made)
    return Answer(201, {"made": made})


async def marks(db: Database) -> int:
    async with db.transaction(role="worker") as tx:
        return int(await tx.fetchval("SELECT count(*) FROM revocation"))


async def test_an_error_at_commit_is_not_taken_for_not_done(
    db: Database, office: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INVARIANT: committed, and the connection broke: the retry gets that effect's answer."""
    commit: Any = Transaction._Transaction__commit  # type: ignore[attr-defined]

    async def cut(self: Transaction) -> None:
        await commit(self)
        raise asyncpg.ConnectionDoesNotExistError("cut")

    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "_Transaction__commit", cut)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await perform(db, office, a_command(), mark)
    assert await marks(db) == 1
    again = await perform(db, office, a_command(), mark)
    assert (again.status, again.replayed) == (201, True)
    assert await marks(db) == 1


async def test_a_deadlock_is_tried_again_and_takes_effect_once(
    db: Database, office: Identity
) -> None:
    tries = []

    async def unlucky(tx: Tx) -> Answer:
        tries.append(await mark(tx))
        if len(tries) < 3:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return tries[-1]

    assert (await perform(db, office, a_command(), unlucky)).status == 201
    assert (len(tries), await marks(db)) == (3, 1)


async def test_a_twin_that_waits_too_long_is_told_to_come_again(
    db: Database, office: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "IN_PROGRESS_WAIT_S", 0.2)
    begun, end = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx) -> Answer:
        begun.set()
        await end.wait()
        return await mark(tx)

    first = asyncio.create_task(perform(db, office, a_command(), slow))
    await begun.wait()
    with pytest.raises(Problem) as caught:
        await perform(db, office, a_command(), mark)
    assert (caught.value.status, caught.value.code) == (409, "in_progress")
    assert caught.value.headers["Retry-After"]
    end.set()
    assert (await first).status == 201
    assert (await perform(db, office, a_command(), mark)).replayed
    assert await marks(db) == 1


async def test_a_twin_takes_over_when_the_first_one_fails(db: Database, office: Identity) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def failing(_: Tx) -> Answer:
        begun.set()
        await end.wait()
        raise Problem(409, "wrong_state", "no")

    first = asyncio.create_task(perform(db, office, a_command(), failing))
    await begun.wait()
    second = asyncio.create_task(perform(db, office, a_command(), mark))
    end.set()
    with pytest.raises(Problem):
        await first
    assert (await second).status == 201
    assert await marks(db) == 1


async def test_answers_are_forgotten_after_seven_days_and_not_before(
    db: Database, office: Identity
) -> None:
    for key in ("old", "new"):
        await perform(db, office, a_command(key), mark)
    aged = "UPDATE command_answer SET answered_at = now() - $1::interval WHERE idempotency_key = $2"
    async with db.transaction(role="api", identity=office) as tx:
        await tx.execute(aged, timedelta(days=7, seconds=1), "old")
    async with db.transaction(role="worker") as tx:
        assert await PRUNE_ANSWERS.run(tx) == 1
        assert await PRUNE_ANSWERS.run(tx) == 0
    assert not (await perform(db, office, a_command("old"), mark)).replayed
    assert (await perform(db, office, a_command("new"), mark)).replayed


async def test_forty_different_commands_at_once_each_have_their_effect(
    db: Database, office: Identity
) -> None:
    work = partial(perform, db, office)
    sent = await asyncio.gather(*(work(a_command(f"k{n}"), mark) for n in range(40)))
    assert len({one.body for one in sent}) == 40
    assert await marks(db) == 40
