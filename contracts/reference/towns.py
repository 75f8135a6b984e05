"""Towns of Shanghai: names, the lodging programme that serves them, and distances."""

import math
from dataclasses import dataclass
from functools import cache

from contracts.reference.divisions import Position, distance_of_positions_km, position
from contracts.reference.tables import rows
from contracts.reference.text import plain


@dataclass(frozen=True, slots=True)
class Town:
    """A town; without a position of its own it has its district's."""

    code: str
    name: str
    division_code: str
    position: Position | None
    programme: str | None


@cache
def towns() -> tuple[Town, ...]:
    """Give all towns, by code."""
    return tuple(
        Town(
            code=row["code"],
            name=row["name"],
            division_code=row["division_code"],
            position=_position(row["lon"], row["lat"], row["division_code"]),
            programme=row["programme"] or None,
        )
        for row in rows("towns")
    )


def towns_of(programme: str) -> tuple[Town, ...]:
    """Give the towns that a lodging programme serves: the 12 of `YOUJIA`."""
    return tuple(town for town in towns() if town.programme == programme)


def find_town(name: str, division: str) -> Town | None:
    """Find a district's town by its name, with or without its kind: 南翔, 南翔镇."""
    return _towns_by_name().get((division, plain(name)))


def town_distance_km(here: tuple[str, str], there: tuple[str, str]) -> float:
    """Give the great-circle distance of two towns, each (town's name, division code).

    An unknown town counts as its division's position; what has no position is infinitely far, but
    not from itself.
    """
    if here == there:
        return 0.0
    a, b = _place_of(*here), _place_of(*there)
    return math.inf if a is None or b is None else distance_of_positions_km(a, b)


@cache
def _towns_by_name() -> dict[tuple[str, str], Town]:
    shorts = {(r["division_code"], plain(r["short"])): r["code"] for r in rows("towns")}
    codes = shorts | {(r["division_code"], plain(r["name"])): r["code"] for r in rows("towns")}
    by_code = {town.code: town for town in towns()}
    return {key: by_code[code] for key, code in codes.items()}


def _place_of(name: str, division: str) -> Position | None:
    town = find_town(name, division)
    return town.position if town else position(division)


def _position(lon: str, lat: str, division: str) -> Position | None:
    return (float(lon), float(lat)) if lon else position(division)
