"""The ways back, through real Kafka: what is undone in one service is undone in all of them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any

from shared.clock import SHANGHAI
from stack import recount
from stack.client import Request
from stack.demo.report import unbalanced
from stack.plan import Plan
from stack.runstate import running
from stack.status import database_urls
from stack.totals import totals
from tests.e2e.conftest import Settled
from tests.support.world import Campaign, Wanted, World, eventually

HOLD_MINUTES = 30
Fact = dict[str, Any]


async def stand_of(world: World, journey: Fact) -> Fact:
    """Give a person's journey, newest placement, booking and stay."""
    placement = {"placement_id": journey["placement_id"]}
    path = f"/v1/journeys/{journey['journey_id']}"
    found = {
        "journey": await world.coordinator.get("console", path),
        "placement": await world.coordinator.get(
            "recruitment", f"/v1/placements/{journey['placement_id']}"
        ),
    }
    for noun, service, path in (
        ("booking", "transport", "/v1/bookings"),
        ("stay", "lodging", "/v1/stays"),
    ):
        items = await world.all(service, path, **placement)
        found[noun] = max(items, key=lambda i: str(i[f"{noun}_id"])) if items else None
        found[f"{noun}s"] = items
    return found


async def comes_to(
    world: World, journey: Fact, wanted: Callable[[Fact], object], what: str
) -> Fact:
    """Wait until a person stands as wanted, and give how."""

    async def there() -> Fact | None:
        found = await stand_of(world, journey)
        return found if wanted(found) else None

    found: Fact = await eventually(there, what)
    return found


def in_states(**states: str) -> Callable[[Fact], bool]:
    return lambda found: all(found[n] and found[n]["state"] == s for n, s in states.items())


def stay_awaits(what: str, stay: str) -> Callable[[Fact], bool]:
    """The stay is in that state, and the journey, which the console hears of later, waits so."""

    def holds(found: Fact) -> bool:
        return in_states(stay=stay)(found) and found["journey"].get("waiting_for") == what

    return holds


async def journeys_of(settled: Settled, name: str) -> tuple[Campaign, list[Fact]]:
    campaign = settled.campaigns[name]
    return campaign, sorted(
        await settled.world.journeys(campaign), key=lambda j: str(j["journey_id"])
    )


async def test_a_cancelled_placement_gives_back_seat_and_bed(settled: Settled) -> None:
    world = settled.world
    _, (person, *_) = await journeys_of(settled, "cancelled")
    await cancel(world, person, {"reason": "other"})
    await comes_to(
        world,
        person,
        in_states(
            journey="compensated", placement="cancelled", booking="released", stay="released"
        ),
        "everything is given back",
    )
    nomination = f"/v1/nominations/{person['nomination_id']}"
    assert (await world.coordinator.get("registry", nomination))["state"] == "active"


async def test_a_placement_cancelled_for_another_is_matched_anew(settled: Settled) -> None:
    world = settled.world
    _, (_, person, *_) = await journeys_of(settled, "cancelled")
    before = await stand_of(world, person)
    await cancel(world, person, {"reason": "other", "rematch": True})

    async def anew() -> list[Fact]:
        path = "/v1/placements"
        params = {"nomination_id": person["nomination_id"], "state": "confirmed"}
        return await world.all("recruitment", path, **params)

    (placement,) = await eventually(anew, "the person has another placement")
    assert placement["vacancy_id"] != before["placement"]["vacancy_id"]
    await comes_to(
        world,
        person | {"placement_id": placement["placement_id"]},
        in_states(journey="settled", booking="booked", stay="confirmed"),
        "seat and bed of the new placement",
    )
    old = await stand_of(world, person)
    assert (old["booking"]["state"], old["stay"]["state"]) == ("released", "released")


async def test_a_sister_takes_the_people_of_a_cancelled_trip(settled: Settled) -> None:
    world = settled.world
    campaign, people = await journeys_of(settled, "sister")
    first = (await stand_of(world, people[0]))["booking"]["trip_id"]
    await cancel_trip(world, first)
    for person in people:
        found = await comes_to(
            world,
            person,
            lambda f: f["booking"]["state"] == "booked" and f["booking"]["trip_id"] != first,
            "a seat on the sister",
        )
        assert found["booking"]["trip_id"] in campaign.trips
        (old,) = [b for b in found["bookings"] if b["booking_id"] != found["booking"]["booking_id"]]
        assert (old["state"], old["rebooked_as"]) == ("released", found["booking"]["booking_id"])
        assert len(found["stays"]) == 1
        await comes_to(world, person, in_states(journey="settled", stay="confirmed"), "settled")


async def test_without_a_sister_seat_and_bed_wait_for_another_trip(settled: Settled) -> None:
    world = settled.world
    campaign, people = await journeys_of(settled, "no sister")
    await cancel_trip(world, campaign.trips[0])
    for person in people:
        found = await comes_to(
            world, person, in_states(booking="waitlisted", stay="released"), "nothing is held"
        )
        assert found["booking"]["reason"] == "no_trip"
        await comes_to(world, person, in_states(journey="waiting"), "the journey waits")
    await world.trip(campaign)
    for person in people:
        found = await comes_to(
            world,
            person,
            in_states(journey="settled", booking="booked", stay="confirmed"),
            "the new trip takes them, and they have a bed again",
        )
        assert found["booking"]["trip_id"] == campaign.trips[-1]
        assert len(found["stays"]) == 2


async def test_a_changed_seat_moves_the_stay(settled: Settled) -> None:
    world = settled.world
    campaign, (person, other, *_) = await journeys_of(settled, "moved")
    before = (await stand_of(world, person))["stay"]
    body = {"delay_minutes": 26 * 60, "reason": "weather"}
    await world.coordinator.post("transport", f"/v1/trips/{campaign.trips[0]}/delay", body)
    day = str(campaign.window.arrives_on + timedelta(days=1))
    for one in (person, other):
        found = await comes_to(
            world, one, lambda f: f["stay"]["check_in_on"] == day, "the stay follows the seat"
        )
        assert found["stay"]["state"] == "confirmed"
        assert nights(found["stay"]) == nights(before)


async def test_a_hold_that_nobody_confirms_expires(settled: Settled) -> None:
    world = settled.world
    _, (kept, lost, *_) = await journeys_of(settled, "held")
    for person in (kept, lost):
        await comes_to(world, person, stay_awaits("confirmation", "held"), "the bed is held")
    path = f"/v1/stays/{(await stand_of(world, kept))['stay']['stay_id']}/confirm"
    await world.people["enterprise-nanxiang"].post("lodging", path)
    await world.advance_to(await world.now() + timedelta(minutes=HOLD_MINUTES + 1))
    await comes_to(world, kept, in_states(journey="settled", stay="confirmed"), "confirmed stays")
    found = await comes_to(world, lost, stay_awaits("bed", "released"), "the hold expires")
    assert found["stay"]["reason"] == "hold_expired"


async def test_who_waits_gets_the_bed_that_comes_free(settled: Settled) -> None:
    world = settled.world
    _, people = await journeys_of(settled, "two beds")
    stands = [(p, (await stand_of(world, p))["stay"]["state"]) for p in people]
    housed = [p for p, state in stands if state == "confirmed"]
    waiting = [p for p, state in stands if state == "waitlisted"]
    assert (len(housed), len(waiting)) == (2, 2)
    await cancel(world, housed[0], {"reason": "other"})

    async def promoted() -> list[Fact]:
        found = [(await stand_of(world, p)) for p in waiting]
        return [f for f in found if in_states(stay="confirmed", journey="settled")(f)]

    (lucky,) = await eventually(promoted, "one of those who wait is promoted")
    freed = await stand_of(world, housed[0])
    assert freed["stay"]["state"] == "released"
    assert lucky["stay"]["bed_id"]


async def test_a_cancellation_that_comes_before_the_bed_leaves_nothing_held(
    settled: Settled, stack: Plan
) -> None:
    """Lodging stands still while a placement is confirmed, booked and cancelled again."""
    world = settled.world
    campaign = await world.campaign(Wanted())
    with standing_still(stack, "lodging-1"):
        await world.roster(campaign, 2, form="csv", bed_share=1.0, boarding_share=1.0)

        async def booked() -> list[Fact]:
            found = await world.all("transport", "/v1/bookings", trip_id=campaign.trips[0])
            return found if len(found) == 2 else []

        bookings = await eventually(booked, "both have a seat")
        for booking in bookings:
            await cancel(world, booking, {"reason": "other"})

        async def released() -> bool:
            return all(b["state"] == "released" for b in await booked())

        await eventually(released, "both seats are given back")
    for journey in await world.settled(campaign):
        assert journey["state"] == "compensated"
        stays = (await stand_of(world, journey))["stays"]
        assert not {s["state"] for s in stays} & {"held", "confirmed", "waitlisted"}


async def test_an_erased_person_is_gone_everywhere(settled: Settled) -> None:
    world = settled.world
    _, (person, other, *_) = await journeys_of(settled, "erased")
    path = f"/v1/workers/{person['worker_id']}"
    answer = await world.people["admin"].send(Request("DELETE", "registry", path))
    assert answer.status_code == 202
    found = await comes_to(
        world,
        person,
        lambda f: (
            in_states(placement="cancelled", booking="released", stay="released")(f)
            and f["journey"]["state"] in {"compensated", "done"}
        ),
        "everything of the person is given back",
    )
    assert found["placement"]["reason"] == "erased"
    assert (await stand_of(world, other))["journey"]["state"] == "settled"


async def test_a_guest_in_house_keeps_the_bed_when_the_trip_is_late(settled: Settled) -> None:
    """Moves the clock by days, whose no-shows cost an enterprise its credit: so it comes last."""
    world = settled.world
    campaign, (early, later, *_) = await journeys_of(settled, "late")
    arrives = datetime.combine(campaign.window.arrives_on, time(), SHANGHAI)
    await world.advance_to(arrives + timedelta(hours=1))
    before = (await stand_of(world, early))["stay"]
    await world.coordinator.post("lodging", f"/v1/stays/{before['stay_id']}/check-in")
    body = {"delay_minutes": 26 * 60, "reason": "weather"}
    await world.coordinator.post("transport", f"/v1/trips/{campaign.trips[0]}/delay", body)
    day = str(campaign.window.arrives_on + timedelta(days=1))
    moved = await comes_to(
        world, later, lambda f: f["stay"]["check_in_on"] == day, "who is not there yet comes later"
    )
    assert moved["stay"]["state"] == "confirmed"
    assert nights(moved["stay"]) == nights(before)
    kept = (await stand_of(world, early))["stay"]
    assert kept["state"] == "checked_in"
    assert [kept[n] for n in ("bed_id", "check_in_on", "check_out_on")] == [
        before[n] for n in ("bed_id", "check_in_on", "check_out_on")
    ]


async def test_after_all_ways_back_the_totals_still_reconcile(
    settled: Settled, stack: Plan
) -> None:
    """INVARIANT: databases and topics count the same, and nothing that was cancelled is held."""
    await settled.world.rest()
    servers = stack.ports.kafka(stack.brokers).bootstrap_servers
    counted = totals(await recount.from_databases(database_urls(stack)))
    assert unbalanced(counted) == []
    assert totals((await recount.from_topics(servers)).standing()) == counted


@contextmanager
def standing_still(stack: Plan, process: str) -> Iterator[None]:
    """Stop a process without ending it."""
    state = running(stack.data_dir)
    assert state
    os.kill(state.processes[process], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(state.processes[process], signal.SIGCONT)


async def cancel(world: World, fact: Fact, body: Fact) -> None:
    path = f"/v1/placements/{fact['placement_id']}/cancel"
    await world.people["enterprise-changxing"].post("recruitment", path, body)


async def cancel_trip(world: World, trip_id: str) -> None:
    body = {"reason": "breakdown"}
    await world.coordinator.post("transport", f"/v1/trips/{trip_id}/cancel", body)


def nights(stay: Fact) -> int:
    stays = (datetime.fromisoformat(stay[n]) for n in ("check_out_on", "check_in_on"))
    return (next(stays) - next(stays)).days
