"""A late and a cancelled trip of 45, twice: in calm, and with a service killed half-way.

Both journeys go through real Kafka, on the same days. The order of who is rebooked is the same for
both, for their rosters come in one after the other.
"""

import asyncio
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest_asyncio

from contracts import BrokenEnvelopeError, DecodeError, Envelope, decode
from shared.clock import SHANGHAI
from stack import recount
from stack.plan import Plan
from stack.status import database_urls
from tests.e2e.breaking import fetched, held, kill, reborn, strike
from tests.e2e.conftest import FUYANG, HONGHE, Settled
from tests.support.world import Campaign, Wanted, World, eventually

#: Rosters in the order of their coming: rows, and whether they travel as one group.
ROSTERS = ((28, False), (3, True), (2, False), (12, False))
PEOPLE, SISTERS_SEATS = 45, 30
#: The sister takes the first 28; the three have no room together; the next two have.
REBOOKED = frozenset({0, 2})
SIX_HOURS = timedelta(hours=6)
#: Days in the middle of the world's, so that all of them lie within the hire window.
DAYS = 4
CALM, KILLED = HONGHE, FUYANG

Fact = dict[str, Any]
#: Roster and row: who somebody is in both runs.
Who = tuple[int, int]


@dataclass
class Run:
    """A campaign of 45 with seats and beds, and who is who."""

    campaign: Campaign
    people: dict[str, Who]

    @property
    def trip_id(self) -> str:
        return self.campaign.trips[0]


@dataclass
class Told:
    """What was said of one kind: the events of each subject, and how many records they took."""

    events: dict[str, dict[UUID, Any]] = field(default_factory=dict)
    records: int = 0

    @property
    def times(self) -> Counter[int]:
        """How many subjects were told of how often."""
        return Counter(len(ids) for ids in self.events.values())


@dataclass
class Runs:
    """The same people and days twice."""

    world: World
    calm: Run
    killed: Run


@pytest_asyncio.fixture(scope="module")
async def runs(settled: Settled) -> Runs:
    """Both campaigns: 45 seats on one trip that arrives at 01:00, and 45 confirmed beds."""
    world = settled.world
    made = [await _campaign(world, origin) for origin in (CALM, KILLED)]
    world.rewind(len(world.campaigns) - len(made))
    for number, (size, together) in enumerate(ROSTERS, 1):
        for campaign in made:
            asked = {"bed_share": 1.0, "boarding_share": 1.0, "together": together}
            await world.roster(campaign, size, form="csv", **asked)
        for campaign in made:
            await _booked(world, campaign, sum(n for n, _ in ROSTERS[:number]))
    await world.settled(*made)
    calm, killed = [Run(c, await _people(world, c)) for c in made]
    return Runs(world, calm, killed)


async def _campaign(world: World, origin: str) -> Campaign:
    world.rewind(DAYS)
    campaign = await world.campaign(Wanted(origin, openings=(PEOPLE,), trips=0))
    night = campaign.window.arrives_on + timedelta(days=1)
    arrives = datetime.combine(night, time(1), SHANGHAI)
    await world.trip(campaign, seats=PEOPLE, arrives=arrives)
    return campaign


async def _booked(world: World, campaign: Campaign, count: int) -> None:
    async def there() -> bool:
        params = {"trip_id": campaign.trips[0], "state": "booked"}
        return len(await world.all("transport", "/v1/bookings", **params)) == count

    await eventually(there, f"{count} have a seat")


async def _people(world: World, campaign: Campaign) -> dict[str, Who]:
    found = {}
    for number, batch_id in enumerate(campaign.batches):
        for one in await world.all("registry", f"/v1/worker-batches/{batch_id}/workers"):
            found[one["worker_id"]] = (number, one["row"])
    assert len(found) == PEOPLE
    return found


async def test_a_trip_late_by_six_hours_moves_forty_five_stays_whoever_is_killed(
    runs: Runs, stack: Plan
) -> None:
    world = runs.world
    before = await rows_of(world, runs.calm)
    assert await rows_of(world, runs.killed) == before
    await delay(world, runs.calm)
    theirs = list(runs.killed.people)
    async with held(stack, "lodging", _HALF_OF_THE_STAYS, theirs) as waits:
        await delay(world, runs.killed)
        await eventually(waits, "lodging is in the middle of moving the stays")
        await kill(stack, "lodging")
    await world.settled(runs.calm.campaign, runs.killed.campaign)
    after = await rows_of(world, runs.calm)
    assert await rows_of(world, runs.killed) == after
    assert len(after) == PEOPLE
    for who, row in after.items():
        # The bookings are the same; 01:00 was of the night before, 07:00 is not.
        assert row["booking"] == before[who]["booking"] | {
            "departs_at": before[who]["booking"]["departs_at"] + SIX_HOURS,
            "arrives_at": before[who]["booking"]["arrives_at"] + SIX_HOURS,
        }
        for day in ("check_in_on", "check_out_on"):
            assert row["stay"][day] == before[who]["stay"][day] + timedelta(days=1)
        assert (row["stay"]["state"], row["stays"]) == ("confirmed", 1)
    for run in (runs.calm, runs.killed):
        moved = await told(stack, run, "lodging.stay-changed.v1")
        assert moved.times == {1: PEOPLE}, "each stay was moved once"


async def test_a_cancelled_trip_rebooks_whom_its_sister_can_take_whoever_is_killed(
    runs: Runs, stack: Plan
) -> None:
    world = runs.world
    for run in (runs.calm, runs.killed):
        await world.trip(run.campaign, seats=SISTERS_SEATS)
    await world.rest()
    await cancel(world, runs.calm)
    await _cancel_and_kill_twice(runs, stack)
    await world.settled(runs.calm.campaign, runs.killed.campaign)
    after = await rows_of(world, runs.calm)
    assert await rows_of(world, runs.killed) == after
    for who, row in after.items():
        rebooked = who[0] in REBOOKED
        found = (row["booking"]["state"], row["stay"]["state"], row["journey"], row["tasks"])
        wanted = ("booked", "confirmed", ("settled", None), []) if rebooked else (
            "waitlisted", "released", ("waiting", "seat"), ["no_seat"]
        )  # fmt: skip
        assert found == wanted, who
        (old,) = row["released"]
        assert (old["released_for"], old["rebooked"]) == ("cancelled", rebooked)
    states = Counter(row["booking"]["state"] for row in after.values())
    assert states == {"booked": SISTERS_SEATS, "waitlisted": PEOPLE - SISTERS_SEATS}
    for run in (runs.calm, runs.killed):
        waits = await told(stack, run, "transport.seat-waitlisted.v1")
        # What is said first; whoever looks at the pool again finds the sister full.
        reasons = Counter(next(iter(events.values())).reason for events in waits.events.values())
        assert reasons == {"no_trip": PEOPLE - SISTERS_SEATS}
    released = await told(stack, runs.killed, "transport.seat-released.v1")
    assert released.times == {1: PEOPLE}, "each seat was released once"
    assert released.records > PEOPLE, "transport died between sending and noting that it had sent"


async def _cancel_and_kill_twice(runs: Runs, stack: Plan) -> None:
    """Kill transport inside the command's transaction, and between sending and noting that."""
    world, run = runs.world, runs.killed
    async with AsyncExitStack() as noting:
        async with held(stack, "transport", _HALF_OF_THE_SEATS, list(run.people)) as waits:
            # The client asks again with the same key until it is answered.
            command = asyncio.create_task(cancel(world, run))
            await eventually(waits, "transport is in the middle of the cancellation")
            await kill(stack, "transport")
            await noting.enter_async_context(
                held(stack, "transport", "LOCK TABLE event_log IN SHARE MODE")
            )
        await command

        async def heard() -> bool:
            rows = await rows_of(world, run)
            left = [r for who, r in rows.items() if who[0] not in REBOOKED]
            return all(r["stay"]["state"] == "released" for r in left)

        await eventually(heard, "lodging has heard of the cancellation")
        killed = strike(stack, "transport")
    await reborn(stack, "transport", killed)


async def delay(world: World, run: Run) -> None:
    body = {"delay_minutes": SIX_HOURS.total_seconds() // 60, "reason": "weather"}
    await world.coordinator.post("transport", f"/v1/trips/{run.trip_id}/delay", body)


async def cancel(world: World, run: Run) -> None:
    body = {"reason": "breakdown"}
    await world.coordinator.post("transport", f"/v1/trips/{run.trip_id}/cancel", body)


async def rows_of(world: World, run: Run) -> dict[Who, Fact]:
    """Give how each person stands, without what differs between any two persons."""
    urls = database_urls(world.plan)
    bookings = _by_person(await fetched(urls["transport"], _BOOKINGS, list(run.people)))
    stays = _by_person(await fetched(urls["lodging"], _STAYS, list(run.people)))
    journeys = {j["worker_id"]: j for j in await world.journeys(run.campaign)}
    tasks = await world.all("console", "/v1/tasks")
    return {
        who: {
            "booking": bookings[worker][-1],
            "released": bookings[worker][:-1],
            "stay": stays[worker][-1],
            "stays": len(stays[worker]),
            "journey": (journeys[worker]["state"], journeys[worker]["waiting_for"]),
            "tasks": [t["kind"] for t in tasks if t["worker_id"] == worker],
        }
        for worker, who in run.people.items()
    }


def _by_person(rows: list[Fact]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = defaultdict(list)
    for row in rows:
        found[str(row.pop("worker_id"))].append(row)
    return found


async def told(stack: Plan, run: Run, kind: str) -> Told:
    """Read a topic from its start for what was said of a kind about a run's people."""
    found = Told()
    servers = stack.ports.kafka(stack.brokers).bootstrap_servers
    async for record in recount.records(servers, [f"{kind.partition('.')[0]}.events"]):
        try:
            envelope = Envelope.from_headers(record.headers)
            event: Any = decode(envelope, record.value)
        except (BrokenEnvelopeError, DecodeError):
            continue  # Other tests throw garbage into the topics.
        if envelope.type == kind and str(event.worker_id) in run.people:
            found.records += 1
            found.events.setdefault(envelope.subject, {})[envelope.id] = event
    return found


_BOOKINGS = """
SELECT b.worker_id, b.state, b.released_for, b.rebooked_as IS NOT NULL AS rebooked,
    s.departs_at, e.arrives_at, e.place_code
FROM booking b
LEFT JOIN trip_stop s ON (s.trip_id, s.ordinal) = (b.trip_id, b.board_ordinal)
LEFT JOIN trip_stop e ON (e.trip_id, e.ordinal) = (b.trip_id, b.alight_ordinal)
WHERE b.worker_id = ANY ($1::uuid[]) ORDER BY b.booking_id
"""
_STAYS = """
SELECT worker_id, state, reason, check_in_on, check_out_on, expected_at, bed_id IS NOT NULL AS bed
FROM stay WHERE worker_id = ANY ($1::uuid[]) ORDER BY created_at, stay_id
"""
_HALF_OF_THE_SEATS = """
SELECT FROM booking WHERE worker_id = ANY ($1::uuid[]) AND get_byte(uuid_send(worker_id), 0) < 128
FOR UPDATE
"""
_HALF_OF_THE_STAYS = _HALF_OF_THE_SEATS.replace("booking", "stay")
