"""Who stood still for longer than its session wakes up to find another at its work."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil
import pytest

from shared.consumer import GUARDED, Consumer, Guards
from shared.database import Database
from tests.chaos.zombie import KINDS
from tests.support.flow import (
    Story,
    a_consumer,
    a_listener,
    a_story,
    eventually,
    produce,
    running,
    twice,
)
from tests.support.kafka import PARTITIONS, Broker
from tests.support.postgres import Templates

STORIES = 40
STANDING_STILL = psutil.STATUS_STOPPED
#: What the client raises when the group has gone on without it.
REFUSED = {"CommitFailedError", "IllegalGenerationError", "UnknownMemberIdError"}
#: So many rounds of three zombies each make more than twenty at full length.
ROUNDS = 7


@dataclass
class Standing:
    """A zombie: its process, and what it logs."""

    process: Popen[bytes]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        found = self.log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in found if line.startswith("{")]

    def says(self, part: str) -> list[str]:
        return [line["event"] for line in self.lines() if part in line["event"]]

    def stands_still(self) -> bool:
        return psutil.Process(self.process.pid).status() == STANDING_STILL


@asynccontextmanager
async def zombies(
    kinds: Sequence[str], url: str, kafka: Broker, folder: Path
) -> AsyncIterator[list[Standing]]:
    """Start a process of each kind, and wait until each has a share of the partitions."""
    env = {**os.environ, "ZOMBIE_DATABASE_URL": url}
    started = [
        _started(kind, kafka, env, folder / f"{n}-{kind}.log") for n, kind in enumerate(kinds)
    ]
    try:
        await eventually(partial(_shares, started), lambda shares: shares == [1] * len(kinds))
        yield started
    finally:
        for one in started:
            one.process.kill()
            one.process.wait()


def _started(kind: str, kafka: Broker, env: dict[str, str], log: Path) -> Standing:
    argv = [sys.executable, "-m", "tests.chaos.zombie", kind, kafka.bootstrap_servers]
    with log.open("wb") as out:
        return Standing(Popen(argv, stdout=out, stderr=out, env=env), log)


async def _shares(group: Sequence[Standing]) -> list[int]:
    last = [(one.says(" hears ") or ["hears 0 partitions"])[-1] for one in group]
    return [int(said.split()[-2]) for said in last]


@dataclass
class Night:
    """What was left after zombies had woken up."""

    effects: list[tuple[str, int]]
    stories: list[Story]
    refused: list[list[str]]


async def a_night(
    kinds: Sequence[str],
    kafka: Broker,
    templates: Templates,
    folder: Path,
    guards: Guards = GUARDED,
) -> Night:
    """Let zombies take records and stand still, an heir take them too, and the zombies wake up."""
    name, url = await templates.fresh("lodging")
    db = await Database.open(url, service="lodging")
    try:
        return await _slept(kinds, kafka, (db, url), (templates, folder), guards)
    finally:
        db.pool.terminate()
        await templates.run(f"DROP DATABASE {name} WITH (FORCE)")


async def _slept(
    kinds: Sequence[str],
    kafka: Broker,
    at: tuple[Database, str],
    rig: tuple[Templates, Path],
    guards: Guards,
) -> Night:
    (db, url), (templates, folder) = at, rig
    servers = kafka.bootstrap_servers
    heir = await a_listener(db, templates)
    stories = [a_story(5) for _ in range(STORIES)]
    async with zombies(kinds, url, kafka, folder) as group:
        await produce(servers, [r for s in stories for r in s.records])
        await eventually(partial(_all_stand_still, group), bool)
        inherited = a_consumer(heir, servers, guards)
        async with running(inherited):
            # The group waits for those who stand still, then goes on without them.
            await eventually(partial(_assigned, inherited), lambda n: n == PARTITIONS)
            for one in group:
                os.kill(one.process.pid, signal.SIGCONT)
            await eventually(heir.effect_count, lambda n: n >= 5 * STORIES)
            await eventually(partial(_refused, group), all)
            # Whoever it is that hears it: nobody is out of the group for good.
            later = [a_story(5) for _ in range(STORIES)]
            await produce(servers, [r for s in later for r in s.records])
            await eventually(heir.effect_count, lambda n: n >= 10 * STORIES)
        return Night(await heir.effects(), stories + later, await _refused(group))


async def _all_stand_still(group: Sequence[Standing]) -> bool:
    return all(one.stands_still() for one in group)


async def _assigned(one: Consumer) -> int:
    member = getattr(one._subscriber, "consumer", None)
    return len(member.assignment()) if member else 0


async def _refused(group: Sequence[Standing]) -> list[list[str]]:
    return [one.says("offsets not stored") for one in group]


def is_sound(night: Night) -> None:
    """Claim that everything took effect once, in order, and that every zombie was refused."""
    assert twice(night.effects) == []
    for story in night.stories:
        assert [n for s, n in night.effects if s == story.subject] == [1, 2, 3, 4, 5]
    for said in night.refused:
        assert {line.rpartition(" ")[2] for line in said} <= REFUSED
        assert said


@pytest.mark.timeout(600)
async def test_a_zombies_work_is_not_done_twice_and_its_offsets_are_refused(
    fresh_kafka: Broker, templates: Templates, tmp_path: Path
) -> None:
    """INVARIANT: whether it stood still before its commit or after it, each effect is one."""
    is_sound(await a_night([*KINDS, KINDS[0]], fresh_kafka, templates, tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(1, ROUNDS))
async def test_twenty_zombies_do_nothing_twice(
    fresh_kafka: Broker, templates: Templates, tmp_path: Path, number: int
) -> None:
    kinds = [KINDS[(number + n) % len(KINDS)] for n in range(PARTITIONS)]
    is_sound(await a_night(kinds, fresh_kafka, templates, tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_without_its_guards_the_heir_does_a_zombies_work_again(
    fresh_kafka: Broker, templates: Templates, tmp_path: Path
) -> None:
    """The negative control."""
    off = Guards(inbox=False, sequence=False)
    night = await a_night([KINDS[1]] * PARTITIONS, fresh_kafka, templates, tmp_path, off)
    assert twice(night.effects) != []
