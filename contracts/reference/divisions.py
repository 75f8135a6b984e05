"""Administrative divisions (GB/T 2260), present and past: names, parents, a county in a text."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from contracts.reference.tables import rows
from contracts.reference.text import plain

#: Beijing, Tianjin, Shanghai, Chongqing: their districts count as one city.
MUNICIPALITIES: Final = frozenset({"11", "12", "31", "50"})
#: Prefixes of residence permits for people of Hong Kong, Macau and Taiwan (GB 11643 numbers).
RESIDENCE_PERMITS: Final = frozenset({"81", "82", "83"})
EARTH_RADIUS_KM: Final = 6371.0

_COUNTRY: Final = ("中华人民共和国", "中国")
# Codes that hold a prefecture's districts or counties together and are none themselves.
_GROUPS: Final = frozenset({"市辖区", "县", "市区", "林区"})
_CODE_LENGTH: Final = 6
_SUFFIXES: Final = ("自治县", "自治州", "自治旗", "县", "区", "市", "旗", "州", "省")

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Division:
    """One division under its newest name; `short` is the name without its kind, empty if none.

    `position` is (longitude, latitude) in degrees, accurate to about a kilometre.
    """

    code: str
    name: str
    short: str
    present: bool
    position: Position | None
    seat: str | None


@cache
def _divisions() -> dict[str, Division]:
    found: dict[str, Division] = {}
    for row in rows("divisions"):
        earlier = found.get(row["code"])
        present = not row["until_year"]
        if earlier is None or present or not earlier.present:
            found[row["code"]] = Division(
                code=row["code"],
                name=row["name"],
                short=row["short"],
                present=present,
                position=(float(row["lon"]), float(row["lat"])) if row["lon"] else None,
                seat=row["seat"] or None,
            )
    return found


def division_name(code: str) -> str | None:
    """Give a division's newest name (临翔区), also when the code is retired; None if unknown."""
    division = _divisions().get(code)
    return division.name if division else None


def is_known_division(code: str) -> bool:
    """Tell whether GB/T 2260 has or had this code; prefixes of residence permits are in order."""
    return code in _divisions() or (
        len(code) == _CODE_LENGTH and code.isdecimal() and code[:2] in RESIDENCE_PERMITS
    )


def is_present(code: str) -> bool:
    """Tell whether the code is in force today."""
    division = _divisions().get(code)
    return division is not None and division.present


def province_of(code: str) -> str:
    """Give the province's code: 530902 is in 530000."""
    return f"{code[:2]}0000"


def prefecture_of(code: str) -> str:
    """Give the prefecture's code: 530902 is in 530900; a municipality is its own prefecture."""
    return province_of(code) if code[:2] in MUNICIPALITIES else f"{code[:4]}00"


def city_of(code: str) -> str:
    """Give the city that a division counts to: Shanghai's districts are 310000.

    A county that its province governs directly (429004) is a city of its own.
    """
    return code if code[2:4] == "90" else prefecture_of(code)


def is_county(code: str) -> bool:
    """Tell whether the code is a county's, a district's or a county-level city's, today."""
    division = _divisions().get(code)
    if division is None or not division.present or code.endswith("00"):
        return False
    return division.name not in _GROUPS


def is_inside(code: str, within: str) -> bool:
    """Tell whether a division is `within` or lies in it; `within` may be of any level."""
    return code.startswith(_stem(within))


@cache
def counties_of(within: str) -> tuple[str, ...]:
    """Give the present counties of a province, prefecture or municipality, by code."""
    stem = _stem(within)
    return tuple(c for c in sorted(_divisions()) if c.startswith(stem) and is_county(c))


def seat_of(prefecture: str) -> str | None:
    """Give the county where a prefecture has its seat: 530900 has it in 530902."""
    division = _divisions().get(prefecture)
    return division.seat if division else None


def named_prefecture(text: str) -> str | None:
    """Find the prefecture that a text is the name of (临沧, 临沧市, 红河州)."""
    return _prefectures_by_name().get(plain(text))


def position(code: str) -> Position | None:
    """Give (longitude, latitude) of a present division, else None."""
    division = _divisions().get(code)
    return division.position if division else None


def distance_km(a: str, b: str) -> float | None:
    """Give the great-circle distance of two divisions; None when a position is unknown."""
    here, there = position(a), position(b)
    return None if here is None or there is None else distance_of_positions_km(here, there)


def distance_of_positions_km(a: Position, b: Position) -> float:
    """Give the great-circle distance of two positions."""
    (lon_a, lat_a), (lon_b, lat_b) = ([math.radians(x) for x in p] for p in (a, b))
    half_chord = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half_chord))


def find_division(text: str, within: str | None = None) -> str | None:
    """Find the county that an address begins with (云南省临沧市临翔区...; 临翔区...; 临翔...).

    The longest match counts; `within` leaves only counties inside it. None when the address names
    no county, one elsewhere, or (朝阳区) several.
    """
    matches = _matches(_without_country(plain(text)))
    longest = max((length for length, _ in matches), default=0)
    return _only({code for length, code in matches if length == longest}, within)


def named_division(text: str, within: str | None = None) -> str | None:
    """Find the county that a text is the name of, and nothing but the name."""
    name = _without_country(plain(text))
    return _only({code for length, code in _matches(name) if length == len(name)}, within)


@lru_cache(maxsize=16_384)
def _matches(address: str) -> tuple[tuple[int, str], ...]:
    return tuple(
        (_reach(address, length), code)
        for length in range(1, len(address) + 1)
        for code in _counties_by_ending().get(address[:length][-2:], ())
        if address[:length] in _ways_to_write(code)
    )


def _only(codes: set[str], within: str | None) -> str | None:
    inside = [code for code in codes if within is None or is_inside(code, within)]
    return inside[0] if len(inside) == 1 else None


def _stem(code: str) -> str:
    if code[:2] in MUNICIPALITIES and code[2:] in {"0000", "0100", "0200"}:
        return code[:2]
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code


def _without_country(address: str) -> str:
    for country in _COUNTRY:
        address = address.removeprefix(country)
    return address


def _reach(address: str, length: int) -> int:
    # "凤庆县" was matched as "凤庆": the kind of division belongs to the name.
    for suffix in _SUFFIXES:
        if address.startswith(suffix, length):
            return length + len(suffix)
    return length


@cache
def _counties_by_ending() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code, division in _divisions().items():
        if is_county(code):
            for ending in {division.name[-2:], division.short[-2:]} - {""}:
                found.setdefault(ending, []).append(code)
    return {ending: tuple(codes) for ending, codes in found.items()}


@cache
def _prefectures_by_name() -> dict[str, str]:
    return {
        name: code
        for code, division in _divisions().items()
        if division.present and code.endswith("00") and not code.endswith("0000")
        for name in _names_of(code)
    }


@cache
def _ways_to_write(code: str) -> frozenset[str]:
    county = _divisions()[code]
    prefecture = _divisions().get(prefecture_of(code))
    names = [county.name]
    # 红河 alone is the prefecture; 红河县 is the county.
    if county.short and (prefecture is None or county.short != prefecture.short):
        names.append(county.short)
    return frozenset(f"{above}{name}" for above in _ways_to_lead(code) for name in names)


def _ways_to_lead(code: str) -> Iterator[str]:
    provinces = ["", *_names_of(province_of(code))]
    prefectures = [""]
    if prefecture_of(code) != province_of(code):
        prefectures += _names_of(prefecture_of(code))
    else:
        # 上海市上海市嘉定区, 上海市市辖区嘉定区: so the registers print it.
        prefectures += ["市辖区", *_names_of(province_of(code))]
    return (f"{province}{prefecture}" for province in provinces for prefecture in prefectures)


def _names_of(code: str) -> list[str]:
    division = _divisions().get(code)
    if division is None or not division.short:
        return [division.name] if division and code[2:4] == "90" else []
    names = [division.name, division.short]
    if division.name.endswith("自治州"):
        names += [f"{division.short}州", f"{division.short}自治州"]
    return names
