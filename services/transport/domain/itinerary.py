"""When a vehicle has to leave, so that it arrives in time and its drivers rest as they must."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Final

from contracts.reference import distance_km
from contracts.transport import VehicleKind
from services.transport.domain.drivers import Breach, breaches, legs_of
from services.transport.domain.trip import Stop
from services.transport.domain.window import Limits, Miss, misses

#: Roads are longer than straight lines; an assumption, like the speeds (km an hour, on average).
ROAD_FACTOR: Final = 1.3
SPEED: Final[dict[VehicleKind, float]] = {
    "coach": 80.0,
    "carriage": 110.0,
    "train": 110.0,
    "flight": 600.0,
}
#: Time to board at a stop: long enough to count as the driver's rest.
BOARDING: Final = timedelta(minutes=20)
# Two drivers: 20 min to change after 4 h, and after 16 h at the wheel the rest of the 24 h stands.
_TURN_MINUTES: Final = 240
_HALT_MINUTES: Final = 20
_DUTY_MINUTES: Final = 960
_NIGHT_REST_MINUTES: Final = 400


@dataclass(frozen=True, slots=True)
class Itinerary:
    """A vehicle's way with times, and what stands against it by leg and by stop."""

    stops: tuple[Stop, ...]
    breaches: tuple[Breach, ...]
    misses: tuple[Miss, ...] = ()


def drive_minutes(a: str, b: str, kind: VehicleKind) -> int:
    """Give the minutes at the wheel between two divisions; one county counts as 10 km."""
    km = max(distance_km(a, b) or 0.0, 10.0) * ROAD_FACTOR
    return round(km / SPEED[kind] * 60)


def elapsed_minutes(driven: int, kind: VehicleKind, drivers: int) -> int:
    """Give how long so much driving takes with its rests; one driver rests at stops only."""
    if kind != "coach" or drivers < 2:  # noqa: PLR2004 (two take turns)
        return driven
    halts = driven // _TURN_MINUTES * _HALT_MINUTES
    return driven + halts + driven // _DUTY_MINUTES * _NIGHT_REST_MINUTES


def itinerary(
    places: Sequence[tuple[str, str]], kind: VehicleKind, drivers: int, limits: Limits
) -> Itinerary:
    """Time a way over these (place, division), as late as its limits allow; check legs and stops.

    It arrives at the last moment, unless a stop closes before; it waits where one opens later. A
    way that cannot keep its limits gets the earliest times that it could have.
    """
    drives = [drive_minutes(a[1], b[1], kind) for a, b in pairwise(places)]
    rides = _rides(drives, kind, drivers)
    leaves = _departures(rides, limits)
    arrives = [None, *(left + ride for left, ride in zip(leaves, rides, strict=True))]
    stops = tuple(
        Stop.planned(place, there, left)
        for place, there, left in zip(places, arrives, [*leaves, None], strict=True)
    )
    found = breaches(legs_of(stops), drivers) if kind == "coach" else []
    return Itinerary(stops, tuple(found), tuple(misses(stops, limits)))


def _rides(drives: Sequence[int], kind: VehicleKind, drivers: int) -> list[timedelta]:
    """Give how long each leg takes; rests come where the driving so far makes them due."""
    driven = [0, *accumulate(drives)]
    passed = [elapsed_minutes(minutes, kind, drivers) for minutes in driven]
    return [timedelta(minutes=after - before) for before, after in pairwise(passed)]


def _departures(rides: Sequence[timedelta], limits: Limits) -> list[datetime]:
    """Leave the first stop as late as possible, and each other one as soon as one may."""
    latest = limits.arrive_by
    for number in reversed(range(len(rides))):
        latest -= rides[number] + (BOARDING if number < len(rides) - 1 else timedelta())
        latest = min(latest, limits.span(number).latest or latest)
    leaves = [max(latest, limits.span(0).earliest or latest)]
    for number, ride in enumerate(rides[:-1], 1):
        ready = leaves[-1] + ride + BOARDING
        leaves.append(max(ready, limits.span(number).earliest or ready))
    return leaves
