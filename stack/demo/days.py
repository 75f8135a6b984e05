"""Lets the demo's days pass by the clock: boarding, a delay, a cancelled trip, beds, work."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from shared.clock import SHANGHAI, real_now
from stack import clock
from stack.client import Client, Json
from stack.demo import world
from stack.demo.loading import Demo, each
from stack.demo.quiet import wait_quiet
from stack.demo.settling import Settling
from stack.status import database_urls

Say = Callable[[str], None]
#: Who doesn't come: so many of the train's passengers, and of the coaches' guests.
MISSING_PASSENGERS: Final = 2
MISSING_GUESTS: Final = 1
DELAY_MINUTES: Final = 26 * 60


@dataclass
class Days:
    """The days of a demo, each a moment of business time and what people do then."""

    demo: Demo
    settling: Settling
    say: Say

    async def pass_by(self) -> None:
        """Let all days pass, each until nothing moves."""
        for day, hour, act in self._plan():
            await self._advance_to(day, hour)
            await act()
            await self._rest()
        while (leaving := await self._next_leaving()) is not None:
            await self._advance_to(leaving, 10.0)
            await self._check_out()
            await self._rest()

    def _plan(self) -> Sequence[tuple[int, float, Callable[[], Awaitable[None]]]]:
        return (
            (1, 15.0, self._check_in),
            (2, 12.0, self._train_leaves),
            (2, 14.0, self._carriages_are_late),
            (2, 18.0, self._carriages_leave),
            (3, 10.0, self._a_coach_is_cancelled),
            (4, 9.0, self._coaches_leave),
            (4, 12.0, self._train_and_carriages_arrive),
            (4, 19.0, self._coaches_arrive),
            (5, 11.0, self._late_carriages_arrive),
            (5, 20.0, self._check_in),
            (world.STARTS_ON, 9.0, self._start_work),
        )

    async def _train_leaves(self) -> None:
        (trip,) = self.demo.trips[world.TRAIN.key]
        await self._leave(trip, world.TRAIN, missing=MISSING_PASSENGERS)

    async def _carriages_are_late(self) -> None:
        trip = self.demo.trips[world.CARRIAGES.key][0]
        self.say(f"第一节包车厢晚点 {DELAY_MINUTES // 60} 小时  a carriage is late")
        body = {"delay_minutes": DELAY_MINUTES, "reason": "weather"}
        await self.demo.coordinator.post("transport", f"/v1/trips/{trip}/delay", body)

    async def _carriages_leave(self) -> None:
        for trip in self.demo.trips[world.CARRIAGES.key][1:]:
            await self._leave(trip, world.CARRIAGES)

    async def _a_coach_is_cancelled(self) -> None:
        trip = self.demo.trips[world.COACHES.key][0]
        self.say("一辆大巴停运,乘客改乘其他班次  a coach is cancelled, its sisters take the people")
        await self.demo.coordinator.post(
            "transport", f"/v1/trips/{trip}/cancel", {"reason": "breakdown"}
        )

    async def _coaches_leave(self) -> None:
        await self._leave(self.demo.trips[world.CARRIAGES.key][0], world.CARRIAGES)
        for trip in self.demo.trips[world.COACHES.key][1:]:
            await self._leave(trip, world.COACHES)

    async def _train_and_carriages_arrive(self) -> None:
        arriving = (*self.demo.trips[world.TRAIN.key], *self.demo.trips[world.CARRIAGES.key][1:])
        await self._arrive(arriving)

    async def _coaches_arrive(self) -> None:
        await self._arrive(self.demo.trips[world.COACHES.key][1:], but=MISSING_GUESTS)

    async def _late_carriages_arrive(self) -> None:
        await self._arrive(self.demo.trips[world.CARRIAGES.key][:1])

    async def _leave(self, trip: str, service: world.Service, *, missing: int = 0) -> None:
        """Scan everybody at the stops, out of order and some twice, then let the trip depart."""
        booked = await self._with_a_bed_first(await self._bookings(trip, "booked"))
        transport = self.demo.coordinator
        if not booked:
            # One that never opened is cancelled by its departure.
            if (await transport.get("transport", f"/v1/trips/{trip}"))["state"] == "open":
                await transport.post(
                    "transport", f"/v1/trips/{trip}/cancel", {"reason": "not_needed"}
                )
            return
        aboard = booked[missing:]
        at = (await self._now()).isoformat()
        scans = [
            {
                "scan_id": str(uuid.uuid4()),
                "booking_id": one["booking_id"],
                "scanned_at": at,
                "stop": one["board_stop"],
            }
            for one in reversed(aboard)
        ]
        await transport.post("transport", f"/v1/trips/{trip}/depart")
        for part in (scans, scans[: len(scans) // 10]):
            await transport.post("transport", f"/v1/trips/{trip}/boarding-scans", part)
        for place, _ in service.stops[:-1]:
            await transport.post("transport", f"/v1/trips/{trip}/stops/{place}/synced")
        self.say(f"{service.key}:{len(aboard)} 人上车  aboard")

    async def _with_a_bed_first(self, booked: list[Json]) -> list[Json]:
        """Put first whoever has a bed, so that the first to stay away give one back each."""
        lodged = {stay["worker_id"] for stay in await self._stays("confirmed")}
        return sorted(booked, key=lambda one: one["worker_id"] not in lodged)

    async def _arrive(self, trips: Sequence[str], *, but: int = 0) -> None:
        await each(trips, self._arrive_one)
        await self._rest()
        await self._check_in(but=but)

    async def _arrive_one(self, trip: str) -> None:
        transport = self.demo.coordinator
        if (await transport.get("transport", f"/v1/trips/{trip}"))["state"] != "departed":
            return
        await transport.post("transport", f"/v1/trips/{trip}/arrive")
        aboard = await self._bookings(trip, "boarded")
        received = [{"booking_id": b["booking_id"], "outcome": "received"} for b in aboard]
        await transport.post("transport", f"/v1/trips/{trip}/handovers", received)
        await transport.post("transport", f"/v1/trips/{trip}/close")
        self.say(f"{len(aboard)} 人到达并交接  arrived and handed over")

    async def _check_in(self, *, but: int = 0) -> None:
        """Check in whoever is expected by now, but for some."""
        now = await self._now()
        stays = await self._stays("confirmed")
        here = [s for s in stays if _is_here(s, now)]
        await each(here[but:], lambda s: self._desk(s, "check-in"))
        if here:
            self.say(f"{len(here) - but} 人入住  checked in")

    async def _check_out(self) -> None:
        today = (await self._now()).date()
        stays = await self._stays("checked_in")
        leaving = [s for s in stays if date.fromisoformat(s["check_out_on"]) <= today]
        await each(leaving, lambda s: self._desk(s, "check-out"))
        if leaving:
            self.say(f"{len(leaving)} 人退房  checked out")

    async def _next_leaving(self) -> int | None:
        """Give the next day, counted from the demo's first, on which somebody leaves an inn."""
        days = [date.fromisoformat(s["check_out_on"]) for s in await self._stays("checked_in")]
        return (min(days) - self.demo.today).days if days else None

    async def _start_work(self) -> None:
        await self._check_out()
        pages = self.demo.coordinator.pages("recruitment", "/v1/placements", state="confirmed")
        placements = [p async for p in pages]
        await each(placements, self._start)
        self.say(f"{len(placements)} 人上岗  started work")

    async def _start(self, placement: Json) -> None:
        path = f"/v1/placements/{placement['placement_id']}/start"
        await self._as_enterprise(placement).post("recruitment", path)

    async def _desk(self, stay: Json, step: str) -> None:
        own = {
            inn: name
            for name in ("inn-jiading", "inn-nanxiang")
            for inn in self.demo.clients[name].account.inn_ids
        }
        client = self.demo.clients[own.get(stay["inn_id"], "coordinator")]
        await client.post("lodging", f"/v1/stays/{stay['stay_id']}/{step}")

    def _as_enterprise(self, fact: Json) -> Client:
        """Give the enterprise's own account when it has one."""
        for name in ("enterprise-changxing", "enterprise-nanxiang"):
            if self.demo.clients[name].account.tenant_id == fact["enterprise_id"]:
                return self.demo.clients[name]
        return self.demo.coordinator

    async def _bookings(self, trip: str, state: str) -> list[dict[str, Any]]:
        pages = self.demo.coordinator.pages("transport", "/v1/bookings", trip_id=trip, state=state)
        return [b async for b in pages]

    async def _stays(self, state: str) -> list[dict[str, Any]]:
        return [s async for s in self.demo.coordinator.pages("lodging", "/v1/stays", state=state)]

    async def _now(self) -> datetime:
        offset = await clock.offset_s(database_urls(self.demo.plan))
        return (real_now() + timedelta(seconds=offset)).astimezone(SHANGHAI)

    async def _advance_to(self, day: int, hour: float) -> None:
        midnight = datetime.combine(self.demo.today + timedelta(days=day), time(), SHANGHAI)
        by = midnight + timedelta(hours=hour) - await self._now()
        if by > timedelta():
            await clock.advance(database_urls(self.demo.plan), by)
        self.say(f"—— 第 {day} 天 {int(hour):02d}:00  day {day}")

    async def _rest(self) -> None:
        async def at_rest() -> bool:
            return not (await self.settling.answer() or await self.settling.anyone_moves())

        await wait_quiet(self.demo.plan, at_rest)


def _is_here(stay: Json, now: datetime) -> bool:
    if date.fromisoformat(stay["check_in_on"]) > now.date():
        return False
    expected = stay.get("expected_at")
    return expected is None or datetime.fromisoformat(expected) <= now
