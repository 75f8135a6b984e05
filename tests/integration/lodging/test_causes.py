"""What lodging says by itself names the event it goes back to; where time is the cause, none."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts import Event
from services.lodging.handlers import decide, lapses
from tests.integration.lodging.world import IDS, World, at

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def heard_as(world: World, *events: Event) -> list[UUID]:
    """Only hear events, traced; give the ids under which they were heard."""
    await world.listen(*events)
    async with world.tx() as tx:
        await tx.execute("UPDATE unsettled SET traceparent = $1", TRACE)
        rows = await tx.fetch("SELECT cause_id FROM unsettled ORDER BY unsettled_id")
    return [r["cause_id"] for r in rows]


async def causes(world: World) -> list[tuple[str, str, str | None]]:
    return [
        (h["ce_type"].split(".")[1], h["ce_causationid"], h.get("traceparent"))
        for h in await world.headers()
    ]


async def test_a_bed_held_at_once_is_caused_by_the_seat_that_was_heard(world: World) -> None:
    await world.inn()
    placement = world.placement()
    (placed,) = await heard_as(world, placement)
    await world.settle()
    (booked,) = await heard_as(world, world.seat(placement))
    await world.settle()
    assert await causes(world) == [
        ("stay-requested", str(placed), TRACE),
        ("stay-held", str(booked), TRACE),
        ("stay-confirmed", str(booked), TRACE),
    ]


async def test_a_bed_held_later_still_names_the_event_it_goes_back_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group waits for its members; when its time is over nothing new has been heard."""
    await world.inn([4])
    group = {"group_id": IDS.uuid7(), "group_placed_count": 2, "needs_seat": False}
    (placed,) = await heard_as(world, world.placement(**group))
    await world.settle()
    assert [kind for kind, *_ in await causes(world)] == ["stay-requested"]
    monkeypatch.setattr(decide, "GROUP_WAIT", timedelta(0))
    await world.settle()
    told = await causes(world)
    assert told[1:] == [("stay-held", str(placed), TRACE), ("stay-confirmed", str(placed), TRACE)]


async def test_what_time_brings_has_no_event_for_a_cause(world: World) -> None:
    await world.inn()
    await world.withdraw_commitments()
    placement = world.placement(needs_seat=False)
    (placed,) = await heard_as(world, placement)
    await world.settle()
    world.now = at(world.first_night, 1)
    await world.tick(lapses.expire_holds)
    kind, cause, _ = (await causes(world))[-1]
    assert kind == "stay-released"
    assert cause != str(placed)


async def test_a_move_is_caused_by_the_delay_that_was_heard(world: World) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement, seat)
    late: Any = world.seat_changed(seat, arrives_at=seat.arrives_at + timedelta(days=1))
    (delayed,) = await heard_as(world, late)
    await world.settle()
    assert (await causes(world))[-1] == ("stay-changed", str(delayed), TRACE)
