"""Whatever comes in whichever order and however often, journeys end as in a serial world."""

import os
from collections import Counter

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.consumer import GUARDED, Guards
from stack.invariants.databases import QUERIES
from tests.chaos.shuffled import NAMES, Shuffled
from tests.support.postgres import ServiceDb

FULL_LENGTH = os.environ.get("SHANHAI_FULL_LENGTH") == "1"
EXAMPLES_MIN = 6
EXAMPLES = 100 if FULL_LENGTH else EXAMPLES_MIN
#: At full length in so many parts, each of which can be run by itself.
PARTS = 4 if FULL_LENGTH else 1
STEPS = (
    "nominate",
    "nominate",
    "publish",
    "publish",
    "publish",
    "publish twice",
    "hear",
    "hear",
    "hear",
    "hear and forget",
    "rewind",
    "tick",
    "tick",
    "cancel",
    "erase",
    "delay",
)
Script = list[tuple[str, int]]
scripts = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 2**20)), min_size=30, max_size=90
)
#: What each person's journey comes to in a serial world, by its fate.
_LIVE = {"placement": "confirmed", "booking": "booked", "stay": "confirmed"}
_HELD = """
SELECT nomination_id, state FROM {} WHERE state NOT IN ('released', 'cancelled') ORDER BY 1
"""


async def is_serial(world: Shuffled) -> None:
    """Claim that what is left is what the commands alone, one after the other, leave."""
    gone = world.cancelled | world.erased
    live = sorted(set(world.people) - gone)
    for name, noun in (("recruitment", "placement"), ("transport", "booking"), ("lodging", "stay")):
        held = [(r[0], r[1]) for r in await world.rows(name, _HELD.format(noun))]
        assert held == [(n, _LIVE[noun]) for n in live], noun
    told = await world.rows("console", "SELECT nomination_id, state FROM journey")
    states = {r["nomination_id"]: r["state"] for r in told}
    assert {states[n] for n in live} <= {"settled"}
    assert {states[n] for n in gone - world.erased if n in states} <= {"compensated"}
    for name in NAMES:
        assert await world.count(name, "SELECT count(*) FROM dead_letter") == 0
        for invariant, sql in QUERIES[name].items():
            if "tenant" not in invariant:
                assert await world.rows(name, sql) == [], invariant


def drawn(count: int) -> list[Script]:
    """Draw so many scripts, the same each time."""
    found: list[Script] = []

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts)
    def draw(script: Script) -> None:
        found.append(script)

    draw()
    return found


async def played(service_db: ServiceDb, script: Script, guards: Guards = GUARDED) -> Shuffled:
    """Play a script, and let everybody come to rest."""
    world = await Shuffled.open(service_db, guards)
    for kind, pick in script:
        await world.step(kind, pick)
    await world.rest()
    return world


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(PARTS))
async def test_journeys_end_as_in_a_serial_world(service_db: ServiceDb, part: int) -> None:
    """INVARIANT: order over keys, repeats, lost offsets and restarts change no journey's end."""
    tricks: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for script in drawn(EXAMPLES)[part::PARTS]:
        world = await played(service_db, script)
        await is_serial(world)
        tricks.update(world.tricks)
        ended.update(
            placed=len(world.people), cancelled=len(world.cancelled), erased=len(world.erased)
        )
    # The scripts were worth playing.
    assert set(tricks) == set(STEPS)
    assert min(ended["placed"], ended["cancelled"], ended["erased"]) > 0


async def test_without_the_guards_they_do_not(service_db: ServiceDb) -> None:
    """The negative control: a person who was cancelled is placed, seated or housed again."""
    off = Guards(inbox=False, sequence=False)
    found: list[Exception] = []
    scripts_left = iter(drawn(EXAMPLES_MIN))
    while not found:
        try:
            await is_serial(await played(service_db, next(scripts_left), off))
        except (AssertionError, asyncpg.PostgresError) as error:
            found.append(error)
