"""When a vehicle has to leave, so that it arrives in time and its drivers rest as they must."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from contracts.reference import distance_km
from contracts.transport import VehicleKind
from services.transport.domain.drivers import Breach, breaches, legs_of
from services.transport.domain.trip import Stop

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
    """A vehicle's way with times, and what stands against it by leg."""

    stops: tuple[Stop, ...]
    breaches: tuple[Breach, ...]


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
    places: Sequence[tuple[str, str]], kind: VehicleKind, drivers: int, arrive_by: datetime
) -> Itinerary:
    """Time a way over these (place, division) that ends at `arrive_by`, and check each leg."""
    drives = [drive_minutes(a[1], b[1], kind) for a, b in pairwise(places)]
    offsets = _offsets(drives, kind, drivers)
    start = arrive_by - timedelta(minutes=offsets[-1])
    last = len(places) - 1
    stops: list[Stop] = []
    for n, place in enumerate(places):
        there = start + timedelta(minutes=offsets[n])
        arrives = None if n == 0 else there
        departs = None if n == last else (there if n == 0 else there + BOARDING)
        stops.append(Stop.planned(place, arrives, departs))
    found = breaches(legs_of(stops), drivers) if kind == "coach" else []
    return Itinerary(tuple(stops), tuple(found))


def _offsets(drives: Sequence[int], kind: VehicleKind, drivers: int) -> list[int]:
    """Give the minute of arrival at each stop after the first departure."""
    offsets, driven, boarding = [0], 0, 0
    for n, minutes in enumerate(drives):
        driven += minutes
        boarding += int(BOARDING.total_seconds()) // 60 if n else 0
        offsets.append(elapsed_minutes(driven, kind, drivers) + boarding)
    return offsets
