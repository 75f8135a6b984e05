"""A load under a storm, from its first kill to the rest after it."""

import asyncio
from dataclasses import dataclass, field

from tests.chaos.back import away_s
from tests.chaos.calm import Verdict, times, verdict_of
from tests.chaos.load import Load
from tests.chaos.storm import Storm
from tests.support.world import World


@dataclass
class Weathered:
    """A storm that is over, and what it left; `away_s` as `back.away_s` gives it."""

    storm: Storm
    verdict: Verdict
    acknowledged: int
    away_s: list[float] = field(default_factory=list)


async def weather(world: World, storm: Storm, *, loads_before: int = 0) -> Weathered:
    """Let loads run as long as the storm blows, and judge what is there when all is calm."""
    blowing = asyncio.create_task(storm.blow())
    loads, acknowledged = loads_before, 0
    while not blowing.done():
        load = Load(world)
        await load.run()
        acknowledged += load.acknowledged
        loads += 1
    await blowing
    verdict = await verdict_of(world, times(loads, Load.totals()))
    # With elements about, how long somebody is away is not one kill's doing.
    away = [] if storm.elements else away_s(world.plan, storm.kills)
    return Weathered(storm, verdict, acknowledged, away)
