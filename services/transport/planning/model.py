"""What is planned: parties that travel together, vehicles at hand, and the runs that come out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from contracts.transport import VehicleKind
from services.transport.domain.itinerary import Itinerary

Unserved = Literal["no_vehicle", "below_minimum", "too_late", "rules"]
Place = tuple[str, str]

#: Persons of one place that are moved together while planning, if they are no group.
BUNDLE_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Party:
    """Who travels in one vehicle: a group, or some of one place (`place`: place, division)."""

    booking_ids: tuple[UUID, ...]
    place: Place

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
    """A plan's question: who from where, by what, until when."""

    parties: Sequence[Party]
    fleets: Sequence[Fleet]
    destination: Place
    depart_from: datetime
    arrive_by: datetime
    minimum_load: int = 20
    seconds_max: float = 8.0

    @property
    def vehicles(self) -> list[Fleet]:
        """Each vehicle by itself, the largest first."""
        each = [f for f in self.fleets for _ in range(f.count)]
        return sorted(each, key=lambda f: -f.licensed_capacity)


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
    """The runs, and who couldn't be served, by reason."""

    runs: list[Run] = field(default_factory=list)
    unserved: dict[UUID, Unserved] = field(default_factory=dict)

    @property
    def waiting_minutes(self) -> int:
        """Of all runs together."""
        return sum(r.waiting_minutes for r in self.runs)

    def leave(self, parties: Sequence[Party], reason: Unserved) -> None:
        """Note who isn't served."""
        self.unserved.update({b: reason for p in parties for b in p.booking_ids})
