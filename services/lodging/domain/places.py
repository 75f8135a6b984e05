"""How far an inn is from a site, for choosing among inns."""

from collections.abc import Callable
from functools import cache

from contracts.reference import find_town, town_distance_km

#: A place: its town, and the division (district or county) that the town lies in.
Place = tuple[str, str]
#: Whole kilometres between two places; 0 in the same town or as good as there.
Distance = Callable[[Place, Place], float]


@cache
def town_of(place: Place) -> str:
    """Give what is equal for one town, however it is written: 南翔, 南翔镇."""
    town = find_town(*place)
    return town.code if town else f"{place[1]} {place[0]}"


@cache
def distance(one: Place, other: Place) -> float:
    """Give the distance of two towns; what is unknown is as far as its division, or infinitely."""
    if town_of(one) == town_of(other):
        return 0.0
    km = town_distance_km(one, other)
    # Another town is never as near as the own one.
    return max(1.0, km // 1)
