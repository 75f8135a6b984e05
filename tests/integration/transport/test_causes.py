"""What a ticker says names what it answers to: the event that was heard, or a command's news."""

from typing import Any
from uuid import UUID

from services.transport.consumers import HANDLERS
from shared.database import Database
from shared.handlers import Received
from tests.integration.transport.world import (
    SOON,
    World,
    a_placement,
    cancelled,
    changed,
    settle,
)
from tests.support.events import heard, received

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def causes(db: Database, kind: str) -> dict[UUID, tuple[UUID, str | None]]:
    """Give the newest cause and trace of what was said of a kind, by the subject's id."""
    async with db.transaction(role="worker") as tx:
        rows = await tx.fetch("SELECT headers FROM outbox ORDER BY outbox_id")
    found = {}
    for headers in (dict(r["headers"]) for r in rows):
        if headers["ce_type"] == f"transport.{kind}.v1":
            subject = UUID(headers["ce_subject"].partition("/")[2])
            found[subject] = (UUID(headers["ce_causationid"]), headers.get("traceparent"))
    return found


def traced(event: Any, sequence: int = 1) -> Received[Any]:
    one = received(event, sequence)
    return Received(one.event, one.envelope._replace(traceparent=TRACE))


async def test_a_seat_names_the_placement_that_asked_for_it(world: World) -> None:
    trip_id = await world.schedule(minimum_load=2)
    first, second = traced(a_placement()), traced(a_placement())
    await heard(world.db, HANDLERS, [first])
    await settle(world.db)
    (told,) = (await causes(world.db, "seat-waitlisted")).values()
    assert told == (first.envelope.id, TRACE)
    await heard(world.db, HANDLERS, [second])
    await settle(world.db)
    # Who waited is seated by the one that filled the minimum.
    assert set((await causes(world.db, "seat-booked")).values()) == {(second.envelope.id, TRACE)}
    assert (await causes(world.db, "trip-opened"))[trip_id] == (second.envelope.id, TRACE)


async def test_who_waited_gets_a_seat_because_of_the_command_that_brought_the_trip(
    world: World,
) -> None:
    await heard(world.db, HANDLERS, [a_placement()])
    await settle(world.db)
    trip_id = await world.schedule(minimum_load=1)
    command = (await causes(world.db, "trip-scheduled"))[trip_id][0]
    ((cause, _),) = (await causes(world.db, "seat-booked")).values()
    assert cause == command


async def test_a_changed_and_a_cancelled_placement_are_named_as_the_cause(world: World) -> None:
    await world.schedule(minimum_load=1)
    placement = a_placement()
    await heard(world.db, HANDLERS, [placement])
    await settle(world.db)
    elsewhere = traced(changed(placement, starts_on=SOON), 2)
    await heard(world.db, HANDLERS, [elsewhere])
    await settle(world.db)
    released = await causes(world.db, "seat-released")
    assert set(released.values()) == {(elsewhere.envelope.id, TRACE)}
    waiting = await causes(world.db, "seat-waitlisted")
    assert set(waiting.values()) == {(elsewhere.envelope.id, TRACE)}
    end = traced(cancelled(placement), 3)
    await heard(world.db, HANDLERS, [end])
    await settle(world.db)
    released = await causes(world.db, "seat-released")
    assert (end.envelope.id, TRACE) in released.values()


async def test_a_seat_given_up_is_taken_because_of_who_gave_it_up(world: World) -> None:
    vehicle = {"plate": "云S00001", "licensed_capacity": 1, "kind": "train"}
    await world.schedule(minimum_load=1, vehicle=vehicle)
    riding, waiting = a_placement(), a_placement()
    await heard(world.db, HANDLERS, [riding, waiting])
    await settle(world.db)
    end = traced(cancelled(riding), 2)
    await heard(world.db, HANDLERS, [end])
    await settle(world.db)
    booked = await causes(world.db, "seat-booked")
    assert len(booked) == 2
    assert (end.envelope.id, TRACE) in booked.values()
