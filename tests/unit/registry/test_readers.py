"""A file is read by a bounded child; whatever it holds, the service goes on."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.registry.roster.child import Chunk, ReaderDiedError, Readers, _Child
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.reading import Layout
from services.registry.roster.text import clean
from services.registry.roster.work import Job
from tests.support.rosters import WRITERS, a_roster, a_table
from tests.unit.registry.checking import job, read

CALM = Limits(preflight_s_max=60.0)
LONG = (pytest.mark.slow, pytest.mark.timeout(900))


@pytest_asyncio.fixture
async def readers() -> AsyncIterator[Readers]:
    made = Readers()
    yield made
    made.close()


async def test_rows_come_in_chunks_behind_the_layout(readers: Readers) -> None:
    data = a_roster(2_500, 1)
    replies = [r async for r in readers.rows(data, job())]
    assert isinstance(replies[0], Layout)
    chunks = cast("list[Chunk]", replies[1:])
    assert [len(c.rows) for c in chunks] == [1_000, 1_000, 500]
    _, rows = await asyncio.to_thread(read, data)
    heard = [row for chunk in chunks for row in chunk.rows]
    assert json.dumps([r.as_list() for r in heard]) == json.dumps([r.as_list() for r in rows])


async def test_who_looked_at_a_file_reads_on_and_who_died_meanwhile_is_replaced(
    readers: Readers,
) -> None:
    data, begun = a_roster(3, 1), []
    begin = readers._begin

    async def counted(task: str, data: bytes, job: Job) -> _Child:
        begun.append((task, await begin(task, data, job)))
        return begun[-1][1]

    readers._begin = counted  # type: ignore[method-assign]
    for wanted in (job("a.xlsx"), job("a.xlsx", division_code="530100"), job("a.xlsx")):
        await readers.look(data, job("我的.XLSX"))
        rows = [r async for r in readers.rows(data, wanted)]
        assert len(cast("Chunk", rows[1]).rows) == 3
        begun[-1][1].end()
    # A roster of another office is read anew; so is one whose child has hung up.
    assert [task for task, _ in begun] == ["look", "look", "rows", "look"]
    await readers.look(data, job())
    begun[-1][1].end()
    rows = [r async for r in readers.rows(data, job())]
    assert [task for task, _ in begun][-2:] == ["look", "rows"]
    assert len(cast("Chunk", rows[1]).rows) == 3


async def test_a_refusal_in_the_child_is_one_here(readers: Readers) -> None:
    with pytest.raises(FileRefused) as refused:
        await readers.look(b"x", job("a.xlsx"))
    assert refused.value.code == "content_mismatch"


async def test_a_child_out_of_time_or_memory_is_a_refusal_and_the_next_one_reads(
    readers: Readers,
) -> None:
    data = a_roster(11_000, 1, format="csv")
    slow = replace(CALM, child_cpu_s_max=0)
    hurried = replace(CALM, preflight_cpu_s_max=0), replace(CALM, preflight_s_max=0.001)
    for limits in (slow, *hurried):
        with pytest.raises(FileRefused):
            await readers.look(data, job("a.csv", limits=limits))
    with pytest.raises(ReaderDiedError):
        async for _ in readers.rows(data, job("a.csv", limits=slow)):
            pass
    assert (await readers.look(data, job("a.csv", limits=CALM))).type == "csv"


async def test_a_nursery_that_died_is_followed_by_another(readers: Readers) -> None:
    data = a_roster(3, 1)
    assert (await readers.look(data, job(limits=CALM))).type == "xlsx"
    assert readers._nursery is not None
    readers._nursery.kill()
    readers._nursery.wait()
    assert (await readers.look(data, job(limits=CALM))).type == "xlsx"


@pytest.mark.parametrize("seconds", [20, pytest.param(600, marks=LONG)])
async def test_no_mutated_file_ever_takes_the_readers_down(readers: Readers, seconds: int) -> None:
    chance = random.Random(seconds)
    seeds = [
        (form[:4].rstrip("-"), a_roster(15, 3, format=form)) for form in ("xlsx", "xls", "csv")
    ]  # type: ignore[arg-type]
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        form, data = chance.choice(seeds)
        broken = mutated(data, chance)
        answers = 0
        try:
            async for reply in readers.rows(broken, job(f"a.{form}", limits=CALM)):
                answers += isinstance(reply, Layout)
        except (FileRefused, ReaderDiedError):
            answers += 1
        assert answers >= 1
        count += 1
    assert count > seconds
    assert (await readers.look(seeds[0][1], job(limits=CALM))).type == "xlsx"


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change a few bytes, or cut, double or swap a piece."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(out)), chance.randint(1, 64)
        match chance.randrange(4):
            case 0:
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                del out[at : at + length]
            case 2:
                out[at:at] = out[at : at + length]
            case _:
                out[at : at + length] = chance.randbytes(length)
        if not out:
            return b""
    return bytes(out)


# XML and BIFF know no surrogates; the rest of what people paste is all there.
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(form=st.sampled_from(sorted(WRITERS)), texts=st.lists(TEXTS, min_size=1, max_size=5))
@example(form="csv", texts=["甲", ";"])
def test_what_was_written_is_what_is_read(form: str, texts: list[str]) -> None:
    table = a_table(*({"备注": text} for text in texts))
    _, rows = read(WRITERS[form](table), job(f"a.{form}"))
    assert [r.values["notes"] for r in rows] == [clean(text) for text in texts]
