"""What offices write about places, trades and schooling, brought to the reference tables' codes."""

from functools import lru_cache
from typing import Any, Final

from contracts import reference
from contracts.fields import holds_long_number
from services.registry.roster.parsed import Parsed, warned

_NONE: Final = ("", "无", "没有", "暂无", "/", "-")
_CACHED: Final = 8_192


@lru_cache(maxsize=_CACHED)
def home_county(residence: str, division_code: str, *, anywhere: bool = False) -> str | None:
    """Give the county that a residence names inside the tenant's own division, else None.

    `anywhere`: an enterprise's people may come from any county.
    """
    return reference.find_division(residence, None if anywhere else division_code)


@lru_cache(maxsize=_CACHED)
def boarding_place(text: str, origin_code: str) -> Parsed[str]:
    """Give the place's code; text that names none is the origin's (or its seat's) coach station."""
    if not text:
        return Parsed(None)
    found = reference.find_place(text, origin_code)
    return Parsed(found) if found else warned(reference.station_of(origin_code), "value_unknown")


@lru_cache(maxsize=_CACHED)
def education(text: str) -> Parsed[str]:
    """Give the level's code."""
    if not text:
        return Parsed(None)
    code = reference.education_code(text)
    return Parsed(code) if code else warned(None, "value_unknown")


@lru_cache(maxsize=_CACHED)
def certificates(text: str) -> Parsed[tuple[str, ...]]:
    """Give the certificates' codes."""
    if text in _NONE:
        return Parsed(())
    codes = reference.certificate_codes(text)
    return Parsed(codes) if codes else warned((), "value_unknown")


@lru_cache(maxsize=_CACHED)
def occupations(text: str) -> Parsed[tuple[str, ...]]:
    """Give the occupations' codes."""
    if text in _NONE:
        return Parsed(())
    codes = reference.occupation_codes(text)
    return Parsed(codes) if codes else warned((), "value_unknown")


@lru_cache(maxsize=_CACHED)
def site(text: str, division_code: str) -> Parsed[dict[str, Any]]:
    """Give a workplace: a town where the text names one of the enterprise's, else its name.

    A text with a long number is no name of a site: it stays in the vault.
    """
    if not text:
        return Parsed(None)
    if holds_long_number(text):
        return warned(None, "value_unknown")
    town = reference.find_town(text, division_code) or _only_town(text)
    if town is None:
        return Parsed({"name": text, "division_code": division_code})
    return Parsed({"name": text, "division_code": town.division_code, "town": town.name})


@lru_cache(maxsize=_CACHED)
def _only_town(text: str) -> reference.Town | None:
    found = [t for t in reference.towns() if reference.find_town(text, t.division_code) == t]
    return found[0] if len(found) == 1 else None
