"""Anybody's producer may write anything: it is parked with its reason, and nobody else notices."""

import asyncio
import json
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx2
import psutil

from contracts import OWNER_TENANT_ID, SPEAKERS, Envelope
from contracts.hearing import HEARERS, sources_of
from stack.plan import Plan
from stack.reading import records
from stack.status import database_urls, status
from stack.topics import all_topics
from tests.e2e.conftest import Settled
from tests.e2e.garbage import Piece, Thrown, pieces, throw, thrower
from tests.support.world import Wanted, World, eventually

AT_ONCE = 8
QUIET_CPU_PERCENT = 60.0
KINDS = len(pieces("registry"))
Letter = dict[str, Any]
Readers = dict[str, tuple[str, ...]]


def readers() -> Readers:
    """Give the services that read each service's topic."""
    return {s: tuple(h for h in HEARERS if s in sources_of(h)) for s in SPEAKERS}


#: Who hears what is said of a nomination.
TOLD = {"recruitment", "console"}


async def letters_of(world: World) -> list[Letter]:
    return await world.all("console", "/v1/dead-letters")


async def discard(world: World, letters: list[Letter]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(letter: Letter) -> None:
        async with gate:
            path = f"/v1/dead-letters/{letter['dead_letter_id']}/discard"
            await world.coordinator.post("console", path, {"reason": "garbage"})

    await asyncio.gather(*(one(letter) for letter in letters))


async def heard_counts(world: World) -> Counter[str]:
    """Give how many records each service has taken since it started."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        urls = {s: world.plan.ports.url(s) for s in HEARERS}
        answers = {s: (await http.get(f"{u}/readyz")).json() for s, u in urls.items()}
    return Counter({s: answer["heard_count"] for s, answer in answers.items()})


async def test_garbage_of_every_kind_is_parked_while_its_neighbours_go_on(
    settled: Settled, stack: Plan, thrown: Thrown
) -> None:
    world, servers = settled.world, stack.ports.kafka(stack.brokers).bootstrap_servers
    campaign = await world.campaign(Wanted())
    async with thrower(servers) as producer:
        await world.roster(campaign, 12, form="csv")
        for service in SPEAKERS:
            for piece in pieces(service).values():
                await throw(producer, f"{service}.events", piece, thrown)
    journeys = await world.settled(campaign)
    assert {j["state"] for j in journeys} == {"settled"}

    expected = Counter(
        {(h, f"{s}.events"): KINDS for s, hearing in readers().items() for h in hearing}
    )
    letters = await letters_of(world)
    assert Counter((x["service"], x["topic"]) for x in letters) == expected
    assert all(x["reason"] and x["detail"] for x in letters)
    await _everything_is_quiet(world, stack)
    await _copies_lie_in_the_dead_letter_topics(servers, expected)
    await discard(world, letters)
    assert await letters_of(world) == []


async def _everything_is_quiet(world: World, stack: Plan) -> None:
    """What is parked is neither read again nor costs anything."""
    found = await asyncio.to_thread(status, stack.data_dir)
    pids = [p["pid"] for s in found["services"].values() for p in s["processes"]]
    before = await heard_counts(world)

    async def at_rest() -> bool:
        busy = await asyncio.gather(
            *(asyncio.to_thread(psutil.Process(pid).cpu_percent, 1.0) for pid in pids)
        )
        return sum(busy) < QUIET_CPU_PERCENT

    # Some ticker may be at work just now; who reads garbage again and again always is.
    await eventually(at_rest, "the services rest")
    assert await heard_counts(world) == before


async def _copies_lie_in_the_dead_letter_topics(
    servers: str, expected: Counter[tuple[str, str]]
) -> None:
    topics = [t.name for t in all_topics() if t.name.endswith(".dlt")]

    async def all_there() -> bool:
        found = Counter([r.topic async for r in records(servers, topics)])
        return all(found[f"{t}.{s}.dlt"] >= n for (s, t), n in expected.items())

    await eventually(all_there, "each parked record has its copy in the service's own topic")


async def test_a_parked_record_blocks_its_subject_until_it_is_discarded(
    settled: Settled, stack: Plan, thrown: Thrown
) -> None:
    """The next of its subject, with a valid envelope, holds up the real one; nobody else."""
    world, campaign = settled.world, settled.campaigns["blocked"]
    blocked, free = (await world.journeys(campaign))[:2]
    servers = stack.ports.kafka(stack.brokers).bootstrap_servers
    async with thrower(servers) as producer:
        await throw(producer, "registry.events", await _forged(stack, blocked), thrown)

    async def parked() -> list[Letter]:
        subject = f"nomination/{blocked['nomination_id']}"
        return [x for x in await letters_of(world) if x["subject"] == subject]

    async def parked_by_both() -> list[Letter]:
        found = await parked()
        return found if {x["service"] for x in found} == TOLD else []

    forged = await eventually(parked_by_both, "the forged record is parked")
    office = world.people[campaign.office]
    for journey in (blocked, free):
        path = f"/v1/nominations/{journey['nomination_id']}/withdraw"
        await office.post("registry", path, {"reason": "withdrawn"})
    await _reaches(world, free, {"compensated", "done"})
    assert (await _journey(world, blocked))["placement_id"]
    assert await _placement_state(world, blocked) == "confirmed"

    real = await eventually(lambda: _new_ones(parked, forged), "the real one is kept beside it")
    assert {x["service"] for x in real} == TOLD
    assert {x["sequence"] for x in (*forged, *real)} == {forged[0]["sequence"]}
    await discard(world, forged)
    await _reaches(world, blocked, {"compensated", "done"})
    assert await _placement_state(world, blocked) == "cancelled"
    await world.rest()
    assert await parked() == []


async def _new_ones(parked: Any, forged: list[Letter]) -> list[Letter]:
    known = {x["dead_letter_id"] for x in forged}
    found = [x for x in await parked() if x["dead_letter_id"] not in known]
    return found if len(found) == len(forged) else []


async def _forged(stack: Plan, journey: dict[str, Any]) -> Piece:
    """Write what looks like the next word about a nomination, but says nothing."""
    subject = f"nomination/{journey['nomination_id']}"
    conn = await asyncpg.connect(database_urls(stack)["registry"])
    try:
        sql = "SELECT last_sequence FROM aggregate_sequence WHERE subject = $1"
        last = await conn.fetchval(sql, subject)
    finally:
        await conn.close()
    envelope = Envelope(
        uuid.uuid4(), "registry.nomination-ended.v1", "/registry", subject, last + 1,
        OWNER_TENANT_ID, uuid.UUID(journey["journey_id"]), uuid.uuid4(), datetime.now(UTC),
    )  # fmt: skip
    body = json.dumps({"colour": "red"}).encode()
    return Piece(body, envelope.to_headers(), journey["nomination_id"].encode())


async def _journey(world: World, journey: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await world.coordinator.get(
        "console", f"/v1/journeys/{journey['journey_id']}"
    )
    return found


async def _placement_state(world: World, journey: dict[str, Any]) -> str:
    path = f"/v1/placements/{journey['placement_id']}"
    return str((await world.coordinator.get("recruitment", path))["state"])


async def _reaches(world: World, journey: dict[str, Any], states: set[str]) -> None:
    async def there() -> bool:
        return (await _journey(world, journey))["state"] in states

    await eventually(there, f"the journey is one of {states}")
