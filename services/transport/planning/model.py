"""What is planned: parties that travel together, vehicles at hand, and the runs that come out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from contracts.transport import VehicleKind
from services.transport.domain.itinerary import BOARDING, Itinerary, itinerary
from services.transport.domain.window import Limits, Miss, Span, StopRule, Window

Unserved = Literal["no_vehicle", "below_minimum", "too_late", "window", "rules"]
Place = tuple[str, str]
#: From which instant on somebody may leave, and before which one to have arrived.
Days = tuple[datetime | None, datetime | None]
# Arrivals are planned to the minute: so much before work starts.
_BEFORE: Final = timedelta(minutes=1)

#: Persons of one place that are moved together while planning, if they are no group.
BUNDLE_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Party:
    """Who travels in one vehicle: a group, or some of one place (`place`: place, division).

    They leave from the first of `days` on, and arrive before the second begins; None: no limit.
    """

    booking_ids: tuple[UUID, ...]
    place: Place
    days: Days = (None, None)

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.booking_ids)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vehicles of one kind at hand."""

    kind: VehicleKind
    licensed_capacity: int
    count: int
    drivers: int = 2


@dataclass(frozen=True, slots=True)
class Task:
    """A plan's question: who from where, by what, until when; `windows` are by place code."""

    parties: Sequence[Party]
    fleets: Sequence[Fleet]
    destination: Place
    depart_from: datetime
    arrive_by: datetime
    minimum_load: int = 20
    seconds_max: float = 8.0
    windows: Mapping[str, Window] = field(default_factory=dict)

    @property
    def vehicles(self) -> list[Fleet]:
        """Each vehicle by itself, the largest first."""
        each = [f for f in self.fleets for _ in range(f.count)]
        return sorted(each, key=lambda f: -f.licensed_capacity)

    @property
    def is_windowed(self) -> bool:
        """Tell whether anything but the plan's own first and last moment limits the times."""
        return bool(self.windows) or any(p.days != (None, None) for p in self.parties)

    def span(self, place: Place, parties: Iterable[Party]) -> Span:
        """Give when a vehicle with these parties may leave a place."""
        window = self.windows.get(place[0], Window())
        opens = window.opens_at + BOARDING if window.opens_at else self.depart_from
        days = (p.days[0] for p in parties if p.place == place and p.days[0])
        return Span(max(self.depart_from, opens, *days), window.closes_at)

    def limits(self, places: Iterable[Place], parties: Sequence[Party]) -> Limits:
        """Give what a way over these places with these parties has to keep."""
        before = min((p.days[1] - _BEFORE for p in parties if p.days[1]), default=self.arrive_by)
        rule = StopRule.WORK_STARTS if before < self.arrive_by else StopRule.ARRIVE_BY
        leaves = tuple(self.span(place, parties) for place in places)
        return Limits(min(before, self.arrive_by), leaves, rule)


@dataclass(slots=True)
class Run:
    """One vehicle's run: who rides, over which places in which order."""

    vehicle: Fleet
    parties: list[Party]
    places: list[Place]
    itinerary: Itinerary | None = None

    @property
    def load(self) -> int:
        """How many ride."""
        return sum(p.size for p in self.parties)

    def holds(self, party: Party) -> bool:
        """Tell whether there is room for a party."""
        return self.load + party.size <= self.vehicle.licensed_capacity

    def timed(self, task: Task, *more: Party) -> Itinerary:
        """Give the run's way with times, as it would be with more parties of its places."""
        limits = task.limits(self.places, [*self.parties, *more])
        way = [*self.places, task.destination]
        return itinerary(way, self.vehicle.kind, self.vehicle.drivers, limits)

    def takes(self, task: Task, party: Party) -> bool:
        """Tell whether a party can join: its place is on the way, with room and in time."""
        fits = party.place in self.places and self.holds(party)
        return fits and (not task.is_windowed or not self.timed(task, party).misses)

    def tidy(self) -> None:
        """Visit only places where somebody boards."""
        wanted = {p.place for p in self.parties}
        self.places = [p for p in self.places if p in wanted]

    @property
    def waiting_minutes(self) -> int:
        """How long people sit aboard while others are collected, all together."""
        if self.itinerary is None:
            return 0
        left = {v.place_code: v.departs_at for v in self.itinerary.stops if v.departs_at}
        last = max(left.values())
        waits = (p.size * (last - left[p.place[0]]).total_seconds() for p in self.parties)
        return round(sum(waits) / 60)


@dataclass(slots=True)
class Plan:
    """The runs, and who isn't served, by reason; `missed` names the stop's limit behind it."""

    runs: list[Run] = field(default_factory=list)
    unserved: dict[UUID, Unserved] = field(default_factory=dict)
    missed: dict[Miss, list[UUID]] = field(default_factory=dict)

    @property
    def waiting_minutes(self) -> int:
        """Of all runs together."""
        return sum(r.waiting_minutes for r in self.runs)

    @property
    def late(self) -> set[UUID]:
        """Who isn't served because of the time."""
        return {b for ids in self.missed.values() for b in ids}

    def leave(self, parties: Sequence[Party], reason: Unserved) -> None:
        """Note who isn't served."""
        self.unserved.update({b: reason for p in parties for b in p.booking_ids})

    def leave_late(self, parties: Sequence[Party], miss: Miss) -> None:
        """Note who isn't served because of a stop's limit."""
        at_stop = miss.rule is StopRule.BOARDING_WINDOW
        self.leave(parties, "window" if at_stop else "too_late")
        self.missed.setdefault(miss, []).extend(b for p in parties for b in p.booking_ids)
