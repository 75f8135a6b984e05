"""Boarding places: a county's coach station, railway stations, airports; and one in a text."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from contracts.reference.divisions import (
    Position,
    is_inside,
    named_division,
    named_prefecture,
    prefecture_of,
    province_of,
    seat_of,
)
from contracts.reference.tables import rows, words
from contracts.reference.text import plain

#: The number of a county's coach station.
STATION: Final = "00"

_COACH_WORDS: Final = (
    "长途汽车客运站", "汽车客运总站", "汽车客运中心", "公路客运站", "汽车客运站", "长途客运站",
    "长途汽车站", "客运汽车站", "中心客运站", "客运总站", "客运中心", "汽车总站", "客运站",
    "汽车站", "班车站", "大巴站", "车站",
)  # fmt: skip


_CENTRES: Final = ("县城", "城区", "城关", "中心", "城")


@dataclass(frozen=True, slots=True)
class Place:
    """A boarding place; `position` is (longitude, latitude) in degrees, to about a kilometre."""

    code: str
    name: str
    division_code: str
    position: Position


@cache
def _places() -> dict[str, Place]:
    return {
        row["code"]: Place(
            row["code"], row["name"], row["division_code"], (float(row["lon"]), float(row["lat"]))
        )
        for row in rows("places")
    }


def place(code: str) -> Place | None:
    """Give a boarding place by its code, `<division code>-<nn>`."""
    return _places().get(code)


@cache
def places_of(division: str) -> tuple[Place, ...]:
    """Give the places of a county, prefecture or province, by code."""
    return tuple(p for p in _places().values() if is_inside(p.division_code, division))


def station_of(division: str) -> str | None:
    """Give the coach station of a county, or of a prefecture's seat."""
    county = seat_of(division) or division
    code = f"{county}-{STATION}"
    return code if code in _places() else None


@lru_cache(maxsize=16_384)
def find_place(text: str, within: str) -> str | None:
    """Find the place that a text names; `within` is the county or prefecture where it is said.

    A plain 客运站 is the coach station there (a prefecture's: at its seat); a name is looked for in
    the county first, then in its prefecture, then in its province. A code names its place anywhere.
    None when there is none.
    """
    if text in _places():
        return text
    wanted = plain(text)
    for scope in _scopes(within):
        found = _named(scope).get(wanted)
        if found is not None:
            return found
    return _coach_station(wanted, within)


def _scopes(within: str) -> Iterator[str]:
    yield from dict.fromkeys((within, prefecture_of(within), province_of(within)))


@cache
def _named(scope: str) -> dict[str, str]:
    # A name that two places of the scope bear says nothing there.
    found: dict[str, str | None] = {}
    for row in rows("places"):
        if is_inside(row["division_code"], scope):
            for name in {plain(row["name"]), *(plain(w) for w in words(row["synonyms"]))}:
                found[name] = None if name in found else row["code"]
    return {name: code for name, code in found.items() if code is not None}


def _coach_station(wanted: str, within: str) -> str | None:
    coach = next((w for w in _COACH_WORDS if wanted.endswith(w)), "")
    where = wanted.removesuffix(coach)
    if coach:
        for centre in _CENTRES:
            where = where.removesuffix(centre)
    if not where:
        return station_of(within) if coach else None
    prefecture = named_prefecture(where) if coach else None
    counties = (named_division(where, scope) for scope in _scopes(within))
    division = next(filter(None, counties), prefecture)
    return station_of(division) if division else None
