"""Whatever order events of different aggregates arrive in, the stays end the same."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts import Event
from contracts.registry import WorkerErased
from contracts.transport import PassengerBoarded, PassengerMissed, SeatChanged, SeatWaitlisted
from services.lodging.consumers import HANDLERS
from services.lodging.domain import journey
from services.lodging.handlers import guests
from tests.integration.lodging.world import NANXIANG, World, at, site
from tests.support.events import heard

Keys = Sequence[Sequence[Event]]

LIVE = ("requested", "waitlisted", "held", "confirmed", "checked_in")


def interleavings(keys: Keys) -> Iterator[list[Event]]:
    """Give every order that keeps the order within each key, as Kafka does."""
    if not any(keys):
        yield []
    for n, key in enumerate(keys):
        if key:
            rest = [key[1:] if m == n else k for m, k in enumerate(keys)]
            for tail in interleavings(rest):
                yield [key[0], *tail]


def cancelled_placement(world: World) -> Keys:
    placement = world.placement()
    seat = world.seat(placement)
    return [[placement, world.cancelled(placement)], [seat, world.released(seat)]]


def changed_town_and_delay(world: World) -> Keys:
    placement = world.placement()
    seat = world.seat(placement)
    late = SeatChanged.model_validate(
        {**dict(seat), "arrives_at": seat.arrives_at + timedelta(days=1)}
    )
    return [[placement, world.changed(placement, site=site(NANXIANG))], [seat, late]]


def there_and_back_again(world: World) -> Keys:
    placement = world.placement()
    there = world.changed(placement, site=site(NANXIANG))
    back = world.changed(placement, starts_on=placement.starts_on)
    return [[placement, there, back], [world.seat(placement)]]


def sister_trip(world: World) -> Keys:
    placement = world.placement()
    seat = world.seat(placement)
    sister = world.seat(placement, arrives_at=seat.arrives_at + timedelta(days=1))
    return [[placement], [seat, world.released(seat, rebooked_as=sister.booking_id)], [sister]]


def trip_cancelled_and_in_the_pool(world: World) -> Keys:
    placement = world.placement()
    seat = world.seat(placement)
    pooled = SeatWaitlisted.model_validate(
        {**world.seat_values(placement), "reason": "no_trip", "trip_id": None}
    )
    return [[placement], [seat, world.released(seat)], [pooled]]


def trip_cancelled_and_booked_again(world: World) -> Keys:
    placement, seats, (pooled,) = trip_cancelled_and_in_the_pool(world)
    again = world.seat(placement[0], booking_id=pooled.booking_id)  # type: ignore[arg-type, attr-defined]
    return [placement, seats, [pooled, again]]


def missed_and_boarded(world: World) -> Keys:
    placement = world.placement()
    seat = world.seat(placement)
    facts = {**dict(seat), "at": seat.departs_at, "stop": seat.board_stop}
    scans = [PassengerMissed.model_validate(facts), PassengerBoarded.model_validate(facts)]
    return [[placement], [seat, *scans]]


def erased(world: World) -> Keys:
    placement = world.placement()
    return [[placement], [world.seat(placement)], [WorkerErased(worker_id=placement.worker_id)]]


def changed_enterprise(world: World) -> Keys:
    placement = world.placement()
    other = world.changed(placement, enterprise_id=world.other_id)
    return [[placement, other], [world.seat(placement)]]


def changed_nights(world: World) -> Keys:
    placement = world.placement()
    return [
        [placement, world.changed(placement, nights=3, priority=2)],
        [SeatWaitlisted.model_validate({**world.seat_values(placement), "reason": "full"})],
    ]


def fewer_nights_after_the_bed(world: World) -> Keys:
    placement = world.placement()
    return [[placement, world.changed(placement, nights=2)], [world.seat(placement)]]


def more_nights_and_another_day(world: World) -> Keys:
    placement = world.placement()
    seat = world.seat(placement)
    late = world.seat_changed(seat, arrives_at=seat.arrives_at + timedelta(days=1))
    return [[placement, world.changed(placement, nights=8)], [seat, late]]


STORIES = [
    cancelled_placement,
    changed_town_and_delay,
    there_and_back_again,
    sister_trip,
    trip_cancelled_and_in_the_pool,
    trip_cancelled_and_booked_again,
    missed_and_boarded,
    erased,
    changed_enterprise,
    changed_nights,
    fewer_nights_after_the_bed,
    more_nights_and_another_day,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.__name__)
async def test_every_order_of_arrival_ends_the_same(world: World, story: Any) -> None:
    """INVARIANT: a stay follows from the facts, not from the order in which they were heard."""
    ends = await _ends(world, story)
    assert len(set(ends.values())) == 1, ends


async def test_without_asking_again_the_orders_differ(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey, "ASKS_AGAIN", frozenset())
    ends = await _ends(world, missed_and_boarded)
    assert len(set(ends.values())) > 1


async def _ends(world: World, story: Any) -> dict[Any, Any]:
    """Give the end of every order, heard one by one and all at once."""
    await world.inn([8], name="嘉定店")
    await world.inn([8], place=NANXIANG, name="南翔店")
    await world.list_enterprise(world.other_id, "91310114MA1GT0001X")
    ends = {}
    for order in interleavings(story(world)):
        for at_once in (True, False):
            renamed = of_another_person(order)
            for step in [renamed] if at_once else [[e] for e in renamed]:
                await world.hear(*step)
            worker_id = renamed[0].worker_id
            ends[(at_once, *(type(e).__name__ for e in order))] = await end_of(world, worker_id)
            await world.hear(WorkerErased(worker_id=worker_id))
    return ends


def of_another_person(order: Sequence[Event]) -> list[Any]:
    """Give the same story with new ids, so that the next order starts from nothing."""
    ids: dict[Any, Any] = {}
    names = ("worker_id", "placement_id", "nomination_id", "booking_id", "rebooked_as")
    events = []
    for event in order:
        mine = {n: getattr(event, n, None) for n in names}
        new = {n: ids.setdefault(v, uuid4()) for n, v in mine.items() if v is not None}
        events.append(type(event).model_validate({**dict(event), **new}))
    return events


async def end_of(world: World, worker_id: Any) -> Any:
    """Give what the person has or waits for; whether what is over was noticed does not count."""
    live = [s for s in await world.stays(worker_id) if s["state"] in LIVE]
    async with world.tx() as tx:
        nights = await tx.fetch(
            "SELECT lower(nights) AS a, upper(nights) AS b, town FROM occupancy"
            " JOIN inn USING (inn_id) WHERE worker_id = $1",
            worker_id,
        )
    facts = ("state", "check_in_on", "check_out_on", "expected_at", "town", "inn_town", "priority")
    return (
        tuple((*(s[c] for c in facts), s["enterprise_id"]) for s in live),
        tuple(tuple(n.values()) for n in nights),
    )


async def test_a_delay_before_or_after_the_check_in_ends_the_same(world: World) -> None:
    await world.inn([2])
    ends = []
    for delay_first in (True, False):
        placement = world.placement()
        seat = world.seat(placement)
        late = SeatChanged.model_validate(
            {**dict(seat), "arrives_at": seat.arrives_at + timedelta(days=1)}
        )
        world.now = None
        await world.hear(placement, seat)
        world.now = at(world.first_night, 20)
        for step in ("delay", "check in") if delay_first else ("check in", "delay"):
            if step == "delay":
                await heard(world.db, HANDLERS, [late])
                await world.settle()
                continue
            stay = await world.stay(placement.worker_id)
            async with world.tx() as tx:
                await guests.check_in(tx, stay["stay_id"], None)
        stay = await world.stay(placement.worker_id)
        ends.append((stay["state"], stay["check_in_on"], stay["check_out_on"]))
    assert ends[0] == ends[1] == ("checked_in", world.first_night, world.first_night + timedelta(5))
