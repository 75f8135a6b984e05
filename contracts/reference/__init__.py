"""Reference tables, read-only: divisions, places, towns, occupations, education, certificates."""

from contracts.reference.certificates import certificate_codes, certificate_name
from contracts.reference.divisions import (
    Division,
    Position,
    city_of,
    counties_of,
    distance_km,
    distance_of_positions_km,
    division_name,
    find_division,
    is_county,
    is_inside,
    is_known_division,
    is_present,
    named_division,
    named_prefecture,
    position,
    prefecture_of,
    province_of,
    seat_of,
)
from contracts.reference.education import education_code, education_name, education_rank
from contracts.reference.occupations import (
    occupation_code,
    occupation_codes,
    occupation_name,
    occupation_nearness,
)
from contracts.reference.places import Place, find_place, place, places_of, station_of
from contracts.reference.tables import provenance
from contracts.reference.towns import Town, find_town, town_distance_km, towns, towns_of

__all__ = [
    "Division",
    "Place",
    "Position",
    "Town",
    "certificate_codes",
    "certificate_name",
    "city_of",
    "counties_of",
    "distance_km",
    "distance_of_positions_km",
    "division_name",
    "education_code",
    "education_name",
    "education_rank",
    "find_division",
    "find_place",
    "find_town",
    "is_county",
    "is_inside",
    "is_known_division",
    "is_present",
    "named_division",
    "named_prefecture",
    "occupation_code",
    "occupation_codes",
    "occupation_name",
    "occupation_nearness",
    "place",
    "places_of",
    "position",
    "prefecture_of",
    "provenance",
    "province_of",
    "seat_of",
    "station_of",
    "town_distance_km",
    "towns",
    "towns_of",
]
