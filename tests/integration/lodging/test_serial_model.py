"""Heard in any order, twice, in batches: the stays equal those of a model that hears one by one."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts import Event
from contracts.recruitment import PlacementConfirmed
from contracts.registry import WorkerErased
from contracts.transport import PassengerBoarded, PassengerMissed, SeatBooked
from services.lodging.domain import journey
from services.lodging.domain.calendar import night_of
from tests.integration.lodging.test_race import overlaps
from tests.integration.lodging.world import JIADING, NANXIANG, World, at, site
from tests.support.events import received

PERSONS = 25
#: More of them at full length: LODGING_MODELS=100.
MODELS = int(os.environ.get("LODGING_MODELS", "4"))


@dataclass
class Person:
    """One person's facts by key, each key's in their order, and what the model makes of them."""

    placement: PlacementConfirmed
    keys: list[list[Event]] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """What a person ends with: nothing, or one live stay."""

    check_in_on: date
    check_out_on: date
    expected_at: datetime | None
    town: str
    has_bed: bool


@dataclass
class Known:
    """What the model remembers of one person."""

    placement: Any = None
    arrivals: dict[UUID, datetime] = field(default_factory=dict)
    lost: set[UUID] = field(default_factory=set)
    erased: bool = False

    def hear(self, fact: Any) -> None:
        """Take in one fact, after all that happened before it."""
        match type(fact).__name__:
            case "WorkerErased":
                self.erased = True
            case "PlacementCancelled":
                self.placement = None
            case "PlacementConfirmed" | "PlacementChanged":
                self.placement = fact
            case "SeatBooked" | "SeatChanged":
                self.arrivals[fact.booking_id] = fact.arrives_at
            case "SeatReleased" | "PassengerMissed":
                self.lost.add(fact.booking_id)
            case "PassengerBoarded":
                self.lost.discard(fact.booking_id)

    def wanted(self) -> Wanted | None:
        """Say what the person is to have by now."""
        if self.placement is None or self.erased:
            return None
        nights = timedelta(days=self.placement.nights)
        town = self.placement.site.town
        alone = self.placement.starts_on - timedelta(days=1)
        alive = [b for b in self.arrivals if b not in self.lost]
        if not self.placement.needs_seat:
            return Wanted(alone, alone + nights, None, town, has_bed=True)
        if not alive:
            waits = Wanted(alone, alone + nights, None, town, has_bed=False)
            return None if self.arrivals else waits
        (booking,) = alive
        first = night_of(self.arrivals[booking])
        return Wanted(first, first + nights, self.arrivals[booking], town, has_bed=True)


def model(facts: Sequence[Event]) -> Wanted | None:
    """Hear one person's facts one by one, in the order in which they happened."""
    known = Known()
    for fact in facts:
        known.hear(fact)
    return known.wanted()


class Cast:
    """Twenty-five persons with random facts, reproducible from a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self.persons = [self._person() for _ in range(PERSONS)]

    def _person(self) -> Person:
        rng, world = self.rng, self.world
        placement = world.placement(
            needs_seat=rng.random() < 0.7, nights=rng.randint(1, 9),
            gender=rng.choice(["male", "female"]), priority=rng.randrange(3),
            starts_on=world.first_night + timedelta(days=rng.randint(1, 4)),
        )  # fmt: skip
        person = Person(placement, [[placement]])
        now = placement
        for _ in range(rng.randrange(3)):
            change = rng.choice(
                [{"site": site(NANXIANG)}, {"site": site(JIADING)}, {"nights": rng.randint(1, 9)},
                 {"priority": rng.randrange(9)}]
            )  # fmt: skip
            now = now.model_copy(update=change)
            person.keys[0].append(world.changed(now, **change))
        if placement.needs_seat and rng.random() < 0.8:
            # Transport gives a second seat only after the first was lost.
            lost = self._seat(placement, rng.choice(["released", "missed"]))
            last = self._seat(placement, rng.choice(["", "", "missed and boarded", "released"]))
            person.keys += [lost, last] if rng.random() < 0.5 else [last]
        if rng.random() < 0.15:
            person.keys[0].append(world.cancelled(placement))
        if rng.random() < 0.1:
            person.keys.append([WorkerErased(worker_id=placement.worker_id)])
        return person

    def _seat(self, placement: PlacementConfirmed, end: str) -> list[Event]:
        rng, world = self.rng, self.world
        arrival = world.first_night + timedelta(days=rng.randint(0, 3))
        seat: SeatBooked = world.seat(placement, arrives_at=at(arrival, rng.choice([3, 18, 23])))
        told: list[Event] = [seat]
        for _ in range(rng.randrange(3)):
            late = seat.arrives_at + timedelta(hours=rng.choice([1, 8, 24, 50]))
            seat = seat.model_copy(update={"arrives_at": late})
            told.append(world.seat_changed(seat))
        facts = {**dict(seat), "at": seat.departs_at, "stop": seat.board_stop}
        if end == "released":
            told.append(world.released(seat))
        elif end:
            told.append(PassengerMissed.model_validate(facts))
            if "boarded" in end:
                told.append(PassengerBoarded.model_validate(facts))
        return told

    def told(self) -> list[Any]:
        """Give all facts shuffled, each key's in its order, some of them twice under one id."""
        keys = [[*key] for person in self.persons for key in person.keys]
        counts: dict[str, int] = {}
        out: list[Any] = []
        while keys:
            key = self.rng.choice(keys)
            event = key.pop(0)
            counts[event.subject] = counts.get(event.subject, 0) + 1
            out += [received(event, counts[event.subject])] * self.rng.choice([1, 1, 1, 2])
            keys = [k for k in keys if k]
        return out


async def ends(world: World, cast: Cast) -> dict[UUID, Wanted | None]:
    live = ("requested", "waitlisted", "held", "confirmed", "checked_in")
    found: dict[UUID, Wanted | None] = {p.placement.worker_id: None for p in cast.persons}
    for stay in await world.stays():
        if stay["state"] in live:
            assert found[stay["worker_id"]] is None, "two live stays of one person"
            found[stay["worker_id"]] = Wanted(
                stay["check_in_on"], stay["check_out_on"], stay["expected_at"], stay["town"],
                has_bed=stay["state"] == "confirmed",
            )  # fmt: skip
    return found


async def in_batches(world: World, cast: Cast) -> None:
    """Hear everything in batches of random sizes; a record that comes again is one in the inbox."""
    seen: set[UUID] = set()
    told = cast.told()
    while told:
        size = cast.rng.randint(1, 30)
        batch, told = told[:size], told[size:]
        new = list({r.envelope.id: r for r in batch if r.envelope.id not in seen}.values())
        seen |= {r.envelope.id for r in new}
        # Half of the time what was heard twice gets past the inbox: the handlers must bear it.
        heard = batch if cast.rng.random() < 0.5 else new
        await world.listen(*heard)
        if cast.rng.random() < 0.6:
            await world.settle()
    await world.settle()


def wanted(cast: Cast) -> dict[UUID, Wanted | None]:
    return {
        p.placement.worker_id: model([event for key in p.keys for event in key])
        for p in cast.persons
    }


async def open_inns(world: World) -> None:
    # There is room for everybody in both towns: what a person gets depends on nobody else.
    await world.inn([2] * PERSONS, name="甲")
    await world.inn([2] * PERSONS, NANXIANG, name="乙")


@pytest.mark.parametrize("seed", range(MODELS))
async def test_batched_and_reordered_and_doubled_equals_the_serial_model(
    world: World, seed: int
) -> None:
    """INVARIANT: the final state is that of a model which hears each fact once, in its order."""
    await open_inns(world)
    cast = Cast(world, seed)
    await in_batches(world, cast)
    assert await ends(world, cast) == wanted(cast)
    assert await overlaps(world) == 0
    for stay in await world.stays():
        if stay["state"] == "confirmed":
            assert stay["inn_town"] == stay["town"]


async def test_the_model_notices_a_service_that_forgets_delays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONTROL: the comparison fails when the service no longer follows what it hears."""
    monkeypatch.setattr(journey, "_move", lambda *_: iter(()))
    await open_inns(world)
    cast = Cast(world, 0)
    await in_batches(world, cast)
    assert await ends(world, cast) != wanted(cast)
