"""Whatever happens to an inn's guests in whatever order, its books stay in order."""

import os
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.recruitment import PlacementConfirmed
from contracts.registry import WorkerErased
from contracts.transport import SeatBooked
from services.lodging.domain.calendar import Nights
from services.lodging.handlers import guests, lapses
from services.lodging.handlers.inns import close_beds, reopen_bed
from services.lodging.handlers.requests import Guest, StayRequest, request_stays
from services.lodging.store.houses import Closure
from services.lodging.store.programmes import Rules, put_rules
from shared.problem import Problem
from tests.integration.lodging.test_race import overlaps
from tests.integration.lodging.world import IDS, NANXIANG, World, at, site

STEPS = 60
#: More of them at full length: LODGING_STORIES=200.
STORIES = int(os.environ.get("LODGING_STORIES", "6"))
CAP = 15


class Story:
    """A random story, reproducible from its seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self.inns: list[UUID] = []
        self.placements: list[PlacementConfirmed] = []
        self.seats: list[SeatBooked] = []
        self.closed: list[tuple[UUID, UUID]] = []
        self.told: list[str] = []

    async def open(self) -> None:
        world = self.world
        world.now = at(world.today, 12)
        self.inns = [
            await world.inn([2, 2, 1], name="甲"),
            await world.inn([3, 1], name="乙"),
            await world.inn([2], place=NANXIANG, name="丙"),
        ]

    async def step(self) -> None:
        """Let something happen; a refusal is an answer, too."""
        acts: list[Callable[[], Awaitable[None]]] = [
            self.place, self.place, self.place, self.ask, self.book, self.book, self.delay,
            self.cancel_placement, self.other_town, self.repeat, self.erase, self.check_in,
            self.check_in, self.check_out, self.extend, self.cancel, self.move, self.close,
            self.reopen, self.pass_time, self.other_nights, self.other_rules,
        ]  # fmt: skip
        act = self.rng.choice(acts)
        self.told.append(act.__name__)
        try:
            await act()
        except Problem as refused:
            self.told.append(refused.code)
        await self.world.settle()

    def _starts_on(self) -> date:
        today = self.world.now.date() if self.world.now else self.world.today
        return today + timedelta(days=self.rng.randint(1, 6))

    async def place(self) -> None:
        size = self.rng.choice([1, 1, 1, 2, 3])
        group = {"group_id": IDS.uuid7(), "group_placed_count": size} if size > 1 else {}
        common = {
            "starts_on": self._starts_on(),
            "nights": self.rng.choice([1, 2, 3, 5, 8, None]),
            "needs_seat": self.rng.random() < 0.5,
            "priority": self.rng.choice([0, 0, 3]),
            **group,
        }
        made = [
            self.world.placement(**common, gender=self.rng.choice(["male", "female"]))
            for _ in range(size)
        ]
        self.placements += made
        await self.world.listen(*made)
        if group:
            self.seats += [self.world.seat(p) for p in made if p.needs_seat]
            await self.world.listen(*(s for s in self.seats if s.group_id == group["group_id"]))

    async def ask(self) -> None:
        if not self.placements:
            return
        some = self.rng.sample(self.placements, min(len(self.placements), self.rng.randint(1, 3)))
        request = StayRequest(
            IDS.uuid7(), self.world.enterprise_id, "YOUJIA", self._starts_on(),
            self.rng.randint(1, 6),
            tuple(Guest(p.worker_id, self.rng.choice([None, None, "李家"])) for p in some),
            together=self.rng.random() < 0.5, wait=self.rng.random() < 0.7, inn_id=None,
        )  # fmt: skip
        async with self.world.tx() as tx:
            await request_stays(tx, request)

    async def book(self) -> None:
        waiting = [p for p in self.placements if p.needs_seat and p.group_id is None]
        if waiting:
            arrival = self.world.first_night + timedelta(days=self.rng.randint(-2, 3))
            hour = self.rng.choice([5, 18, 23])
            seat = self.world.seat(self.rng.choice(waiting), arrives_at=at(arrival, hour))
            self.seats.append(seat)
            await self.world.listen(seat)

    async def delay(self) -> None:
        if self.seats:
            seat = self.rng.choice(self.seats)
            late = seat.arrives_at + timedelta(hours=self.rng.choice([1, 8, 24, 50]))
            await self.world.listen(self.world.seat_changed(seat, arrives_at=late))

    async def cancel_placement(self) -> None:
        if self.placements:
            await self.world.listen(self.world.cancelled(self.rng.choice(self.placements)))

    async def other_town(self) -> None:
        if self.placements:
            one = self.rng.choice(self.placements)
            await self.world.listen(self.world.changed(one, site=site(NANXIANG)))

    async def other_nights(self) -> None:
        if self.placements:
            one = self.rng.choice(self.placements)
            nights = self.rng.choice([1, 2, 4, 9, 20])
            await self.world.listen(self.world.changed(one, nights=nights))

    async def other_rules(self) -> None:
        words = self.rng.sample(["credit", "group", "short_stay", "placement", "check_in"], 2)
        cap = self.rng.choice([CAP, CAP, 9])
        async with self.world.tx() as tx:
            await put_rules(tx, "YOUJIA", Rules(90, cap, 30, time(22), words))

    async def repeat(self) -> None:
        if self.placements:
            await self.world.listen(self.rng.choice(self.placements))

    async def erase(self) -> None:
        if self.placements and self.rng.random() < 0.3:
            worker_id = self.rng.choice(self.placements).worker_id
            await self.world.listen(WorkerErased(worker_id=worker_id))

    async def _one(self, *states: str) -> Any:
        found = [s for s in await self.world.stays() if s["state"] in states]
        return self.rng.choice(found) if found else None

    async def check_in(self) -> None:
        if stay := await self._one("confirmed", "missed"):
            await self.world.act(guests.check_in, stay["stay_id"], None)

    async def check_out(self) -> None:
        if stay := await self._one("checked_in"):
            await self.world.act(guests.check_out, stay["stay_id"], None)

    async def extend(self) -> None:
        if stay := await self._one("checked_in", "confirmed"):
            await self.world.act(guests.extend, stay["stay_id"], self.rng.randint(1, 3))

    async def cancel(self) -> None:
        if stay := await self._one("confirmed", "waitlisted", "requested"):
            await self.world.act(guests.cancel, stay["stay_id"], "not_needed")

    async def move(self) -> None:
        if stay := await self._one("confirmed", "checked_in"):
            _, bed_id = await self._bed()
            await self.world.act(guests.move, stay["stay_id"], bed_id)

    async def _bed(self) -> tuple[UUID, UUID]:
        async with self.world.tx() as tx:
            beds = await tx.fetch("SELECT inn_id, bed_id FROM bed ORDER BY bed_id")
        bed = self.rng.choice(beds)
        return bed["inn_id"], bed["bed_id"]

    async def close(self) -> None:
        inn_id, bed_id = await self._bed()
        nights = Nights.of(self._starts_on(), self.rng.randint(1, 5))
        async with self.world.tx() as tx:
            (period,) = await close_beds(
                tx, Closure(inn_id, (bed_id,), nights, "repair"), nights.check_out_on
            )
        self.closed.append((inn_id, period))

    async def reopen(self) -> None:
        if self.closed:
            inn_id, period = self.closed.pop(self.rng.randrange(len(self.closed)))
            async with self.world.tx() as tx:
                await reopen_bed(tx, inn_id, period)

    async def pass_time(self) -> None:
        assert self.world.now is not None
        self.world.now += timedelta(hours=self.rng.choice([2, 6, 13, 25]))
        for run in (lapses.cut_off, lapses.expire_holds, lapses.note_overstays):
            await self.world.tick(run)
        await self.world.tick(lapses.lapse_waiting)


@pytest.mark.parametrize("seed", range(STORIES))
async def test_the_books_are_in_order_after_every_step(world: World, seed: int) -> None:
    """INVARIANT: beds, guests, genders, groups, caps and nights are right, whatever happens."""
    story = Story(world, seed)
    await story.open()
    for _ in range(STEPS):
        await story.step()
        stays = await world.stays()
        try:
            assert await overlaps(world) == 0
            await check_occupancy(world, stays)
            check_nights(stays)
            check_caps(stays)
            await check_groups(world)
        except AssertionError as wrong:
            message = f"seed {seed} after {story.told}"
            raise AssertionError(message) from wrong
    assert {s["state"] for s in await world.stays()} & {"confirmed", "checked_in"}


async def check_occupancy(world: World, stays: list[Any]) -> None:
    """Who has a bed has it on every night of the stay; who has none is in no bed."""
    async with world.tx() as tx:
        rows = await tx.fetch(
            "SELECT stay_id, bed_id, lower(nights) AS a, upper(nights) AS b FROM occupancy"
        )
        closed = await tx.fetchval(
            "SELECT count(*) FROM occupancy o JOIN out_of_service c USING (bed_id)"
            " JOIN stay s USING (stay_id) WHERE c.ended_at IS NULL AND o.nights && c.nights"
            " AND s.state <> 'checked_in' AND s.state <> 'checked_out'"
        )
    assert closed == 0
    nights: dict[UUID, int] = defaultdict(int)
    for row in rows:
        nights[row["stay_id"]] += (row["b"] - row["a"]).days
    for stay in stays:
        wanted = (stay["check_out_on"] - stay["check_in_on"]).days
        if stay["state"] in {"held", "confirmed", "checked_in", "checked_out"}:
            assert nights[stay["stay_id"]] == wanted, dict(stay)
        else:
            assert nights[stay["stay_id"]] == 0, dict(stay)


def check_nights(stays: list[Any]) -> None:
    """Nights granted are used, open or given back; an overstay's nights are beyond them."""
    for stay in stays:
        has = stay["state"] in {"held", "confirmed", "checked_in", "checked_out"}
        kept = (stay["check_out_on"] - stay["check_in_on"]).days if has else 0
        granted = stay["granted_nights"] + stay["overstayed_nights"]
        assert granted == kept + stay["given_back_nights"], dict(stay)


def check_caps(stays: list[Any]) -> None:
    """Nobody has more nights than the cap (all stories are within one year)."""
    nights: dict[UUID, int] = defaultdict(int)
    for stay in stays:
        if stay["state"] in {"held", "confirmed", "checked_in", "checked_out"}:
            count = (stay["check_out_on"] - stay["check_in_on"]).days
            nights[stay["worker_id"]] += count - stay["overstayed_nights"]
    assert all(count <= CAP for count in nights.values())


async def check_groups(world: World) -> None:
    """Members of a group who got their beds in one decision got them in one inn."""
    async with world.tx() as tx:
        split = await tx.fetchval(
            # One decision is one transaction.
            "SELECT count(*) FROM (SELECT body->>'group_id', decision FROM ("
            "  SELECT xmin::text AS decision, convert_from(body, 'UTF8')::jsonb AS body FROM outbox"
            "  WHERE headers->>'ce_type' = 'lodging.stay-held.v1') held"
            " WHERE body ? 'group_id' GROUP BY 1, 2"
            " HAVING count(DISTINCT body->>'inn_id') > 1) split"
        )
    assert split == 0
