"""INVARIANT: whatever happens in whatever order, seats, events and placements agree."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.recruitment import PlacementConfirmed
from contracts.registry import WorkerErased
from services.transport.consumers import HANDLERS
from services.transport.domain.trip import Stop
from tests.integration.transport.world import (
    IDS,
    SOON,
    World,
    a_group,
    a_placement,
    a_scan,
    a_trip,
    at,
    cancelled,
    changed,
    said,
    settle,
    trip_body,
)
from tests.support.events import heard

STEPS = 45
STARTS = [f"5309{n:02}-00" for n in (2, 21, 22, 23)]
ENDS = ["310104-00", "310114-00"]
FOLD = {
    "seat-booked": "booked",
    "seat-changed": None,
    "seat-waitlisted": "waitlisted",
    "seat-released": "released",
    "passenger-boarded": "boarded",
    "passenger-missed": "missed",
    "passenger-handed-over": "handed_over",
}


@dataclass
class Story:
    """A world in which a die decides what happens next."""

    world: World
    dice: random.Random
    live: list[PlacementConfirmed] = field(default_factory=list)
    groups: dict[UUID, set[UUID]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    async def rows(self, sql: str) -> list[Any]:
        async with self.world.db.transaction(role="worker") as tx:
            return list(await tx.fetch(sql))

    def wish(self) -> dict[str, Any]:
        place, end = self.dice.choice(STARTS), self.dice.choice(ENDS)
        site = a_placement().site.model_copy(update={"division_code": end[:6]})
        return {
            "boarding_place_code": place,
            "origin_division_code": place[:6],
            "site": site,
            "priority": self.dice.randint(0, 2),
            "starts_on": SOON + timedelta(days=self.dice.randint(1, 4)),
        }

    async def place(self) -> None:
        size = self.dice.choice([1, 1, 2, 3])
        new = a_group(size, **self.wish()) if size > 1 else [a_placement(**self.wish())]
        await self.hear(new)

    async def hear(self, new: list[PlacementConfirmed]) -> None:
        self.live += new
        if new[0].group_id:
            self.groups[new[0].group_id] = {p.placement_id for p in new}
        await heard(self.world.db, HANDLERS, new)

    def apart(self, placement_id: UUID) -> None:
        """Note that one of a group goes a way of their own, by a word about this one alone."""
        for group_id in [g for g, members in self.groups.items() if placement_id in members]:
            del self.groups[group_id]

    async def cancel(self) -> None:
        if self.live:
            gone = self.live.pop(self.dice.randrange(len(self.live)))
            self.apart(gone.placement_id)
            await heard(self.world.db, HANDLERS, [cancelled(gone)])

    async def change(self) -> None:
        if self.live:
            one = self.dice.choice(self.live)
            new: dict[str, Any] = {"starts_on": SOON + timedelta(days=self.dice.randint(0, 4))}
            if self.dice.random() < 0.3:
                new["enterprise_id"] = IDS.uuid7()
            self.apart(one.placement_id)
            await heard(self.world.db, HANDLERS, [changed(one, **new)])

    async def erase(self) -> None:
        if self.live and self.dice.random() < 0.4:
            gone = self.live.pop(self.dice.randrange(len(self.live)))
            self.apart(gone.placement_id)
            await heard(self.world.db, HANDLERS, [WorkerErased(worker_id=gone.worker_id)])

    def way(self) -> tuple[Stop, ...]:
        starts = self.dice.sample(STARTS, self.dice.randint(1, 3))
        places = [*starts, *self.dice.sample(ENDS, self.dice.randint(1, 2))]
        return tuple(
            Stop.planned((p, p[:6]), at(8 + n) if n else None, at(8.5 + n))
            for n, p in enumerate(places)
        )

    async def schedule(self) -> None:
        trip = a_trip(capacity=self.dice.randint(2, 6), minimum_load=2, stops=self.way())
        await self.world.post("trips", trip_body(trip), 201)

    async def step_of_a_trip(self) -> None:
        trips = await self.rows("SELECT trip_id, state FROM trip ORDER BY trip_id")
        if not trips:
            return
        trip = self.dice.choice(trips)
        step, body = self.dice.choice(
            [
                ("open", None),
                ("cancel", {"reason": "breakdown"}),
                ("delay", {"delay_minutes": self.dice.randint(0, 900), "reason": "snow"}),
                ("depart", None),
                ("arrive", None),
                ("close", None),
                ("change", {"vehicle": {"plate": "云S00009", "kind": "train",
                                        "licensed_capacity": self.dice.randint(2, 4)}}),
                ("change", {"stops": trip_body(a_trip(stops=self.way()))["stops"]}),
            ]
        )  # fmt: skip
        await self.may(f"trips/{trip['trip_id']}/{step}", body)

    async def step_of_a_booking(self) -> None:
        bookings = await self.rows("SELECT * FROM booking ORDER BY booking_id")
        trips = await self.rows("SELECT trip_id FROM trip ORDER BY trip_id")
        if not bookings or not trips:
            return
        booking = self.dice.choice(bookings)
        trip_id = str(self.dice.choice(trips)["trip_id"])
        path, body = self.dice.choice(
            [
                (f"bookings/{booking['booking_id']}/cancel", {}),
                (f"bookings/{booking['booking_id']}/change", {"trip_id": trip_id}),
                (
                    f"bookings/{booking['booking_id']}/change",
                    {"board_stop": self.dice.choice(STARTS)},
                ),
                ("bookings", {"placement_id": str(booking["placement_id"]), "trip_id": trip_id}),
            ]
        )
        if path.endswith("cancel"):
            self.apart(booking["placement_id"])
        await self.may(path, body)

    async def board(self) -> None:
        for row in await self.rows(
            "SELECT booking_id, trip_id FROM booking WHERE state IN ('booked', 'missed')"
        ):
            if self.dice.random() < 0.3:
                path = f"trips/{row['trip_id']}/boarding-scans"
                await self.may(path, [a_scan(row["booking_id"], stop=self.dice.choice(STARTS))])

    async def hand_over(self) -> None:
        for row in await self.rows(
            "SELECT booking_id, trip_id FROM booking WHERE state = 'boarded'"
        ):
            outcome = [{"booking_id": str(row["booking_id"]), "outcome": "received"}]
            await self.may(f"trips/{row['trip_id']}/handovers", outcome)

    async def may(self, path: str, body: Any) -> None:
        """Post what may be refused, but never fails."""
        answer = await self.world.http.post(f"/v1/{path}", json=body)
        assert answer.status_code in (200, 201, 404, 409, 422), answer.text
        self.done[f"{path.rsplit('/', maxsplit=1)[-1]} {answer.status_code}"] += 1


async def check_manifests(story: Story) -> None:
    """Hold that each trip's manifest is its live bookings, and a new version freezes just them."""
    rows = await story.rows("SELECT trip_id, state FROM trip")
    for trip_id in [r["trip_id"] for r in rows]:
        seated = await story.rows(
            "SELECT booking_id, s.place_code AS board_stop, e.place_code AS alight_stop"
            " FROM booking b JOIN trip_stop s ON (s.trip_id, s.ordinal) ="
            " (b.trip_id, b.board_ordinal) JOIN trip_stop e ON (e.trip_id, e.ordinal) ="
            " (b.trip_id, b.alight_ordinal)"
            f" WHERE b.trip_id = '{trip_id}' AND b.state IN {SEATED}"
        )
        live = {(str(r["booking_id"]), r["board_stop"], r["alight_stop"]) for r in seated}
        path = f"/v1/trips/{trip_id}/manifest"
        assert _lines((await story.world.http.get(path)).json()) == live
        if story.dice.random() < 0.2:
            version = (await story.world.http.post(path)).json()["version"]
            frozen = (await story.world.http.get(path, params={"version": version})).json()
            assert _lines(frozen) == live


def _lines(manifest: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(p["booking_id"], p["board_stop"], p["alight_stop"]) for p in manifest["passengers"]}


async def check_groups(story: Story) -> None:
    """Hold that a group of which nobody was told apart is on one trip, or waits whole."""
    rows = await story.rows(f"SELECT placement_id, trip_id, state FROM booking b WHERE {LIVE}")
    places = {
        r["placement_id"]: r["trip_id"] if r["state"] in ("booked", "boarded") else None
        for r in rows
    }
    # Who missed a trip or was handed over is on no live booking any more.
    for members in story.groups.values():
        trips = {places[m] for m in members if m in places}
        assert len(trips) <= 1, "a group is split"
        story.done["groups seated 200"] += bool(trips - {None})


SEATED = "('booked', 'boarded', 'missed', 'handed_over')"
LIVE = "b.state IN ('pooled', 'waitlisted', 'booked', 'boarded')"


async def check(story: Story) -> None:
    """Hold what must be true after every step."""
    await check_manifests(story)
    await check_groups(story)
    fullest = await story.rows(
        "SELECT t.trip_id, max(n) AS n, max(licensed_capacity) AS seats FROM trip t JOIN ("
        " SELECT trip_id, segment, count(*) AS n FROM booking, generate_series(0, 9) AS segment"
        " WHERE state IN ('booked', 'boarded', 'missed', 'handed_over')"
        " AND board_ordinal <= segment AND segment < alight_ordinal GROUP BY 1, 2) s"
        " USING (trip_id) GROUP BY 1"
    )
    assert all(r["n"] <= r["seats"] for r in fullest)
    bookings = await story.rows(
        "SELECT b.*, s.place_code AS board_stop, e.place_code AS alight_stop, s.departs_at"
        " FROM booking b LEFT JOIN trip_stop s ON (s.trip_id, s.ordinal) = (b.trip_id,"
        " b.board_ordinal) LEFT JOIN trip_stop e ON (e.trip_id, e.ordinal) = (b.trip_id,"
        " b.alight_ordinal)"
    )
    by_id = {str(b["booking_id"]): b for b in bookings}
    states = dict.fromkeys(by_id, "pooled")
    seats: dict[str, dict[str, Any]] = {}
    for kind, body in await said(story.world.db):
        if kind in FOLD:
            states[body["booking_id"]] = FOLD[kind] or states[body["booking_id"]]
        if kind in ("seat-booked", "seat-changed"):
            seats[body["booking_id"]] = body
    assert states == {i: b["state"] for i, b in by_id.items()}, "events and state differ"
    for booking_id, b in by_id.items():
        if b["state"] == "booked":
            told = seats[booking_id]
            assert told["trip_id"] == str(b["trip_id"])
            assert (told["board_stop"], told["alight_stop"]) == (b["board_stop"], b["alight_stop"])
            assert datetime.fromisoformat(told["departs_at"]) == b["departs_at"]
    owned: dict[UUID, list[str]] = {}
    for b in bookings:
        owned.setdefault(b["placement_id"], []).append(b["state"])
    for placement in story.live:
        live = [s for s in owned[placement.placement_id] if s not in ("released", "missed")]
        assert len(live) <= 1


@pytest.mark.parametrize("seed", range(4))
async def test_any_story_keeps_seats_events_and_placements_together(
    world: World, seed: int
) -> None:
    story = Story(world, random.Random(seed))
    acts: list[Callable[[], Awaitable[None]]] = [
        *(story.place,) * 5, story.cancel, *(story.change,) * 2, story.erase,
        *(story.schedule,) * 2, *(story.step_of_a_trip,) * 3, *(story.step_of_a_booking,) * 3,
        story.board, story.hand_over,
    ]  # fmt: skip
    await world.schedule(minimum_load=1)
    await story.hear(a_group(3))
    for n in range(STEPS):
        await (story.place if n < 3 else story.dice.choice(acts))()
        if story.dice.random() < 0.7:
            await settle(world.db)
        await check(story)
    await settle(world.db)
    await check(story)
    waiting = await story.rows(
        "SELECT count(*) AS n FROM booking b JOIN placement p USING (placement_id)"
        " WHERE b.state = 'pooled' AND b.group_id IS NULL AND p.state = 'confirmed'"
    )
    assert waiting[0]["n"] == 0, "everybody alone was told something"
    assert any(name.endswith("200") for name in story.done), "nothing was ever allowed"
    assert story.done["groups seated 200"], "no group ever had seats"
