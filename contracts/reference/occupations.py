"""Occupations of the national classification (2022): codes of what people write, and nearness."""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from contracts.reference.tables import rows, words
from contracts.reference.text import longest_inside, plain, several

#: Whoever looks for any work in a factory (普工) or in services fits its trades more or less.
ANY_FACTORY_WORK: Final = "6-99-00-00"
ANY_SERVICE_WORK: Final = "4-99-00-00"

SAME: Final = 1.0
SAME_SMALL_GROUP: Final = 0.8
ANY_WORK_OF_THE_CLASS: Final = 0.6
SAME_MIDDLE_GROUP: Final = 0.5
SAME_CLASS: Final = 0.2
FAR: Final = 0.0


@cache
def _names() -> dict[str, str]:
    synonyms = {plain(w): r["code"] for r in rows("occupations") for w in words(r["synonyms"])}
    return synonyms | {plain(r["name"]): r["code"] for r in rows("occupations")}


@cache
def _occupations() -> dict[str, str]:
    return {row["code"]: row["name"] for row in rows("occupations")}


def occupation_name(code: str) -> str | None:
    """Give an occupation's name in the classification."""
    return _occupations().get(code)


@lru_cache(maxsize=16_384)
def occupation_code(text: str) -> str | None:
    """Give the code of an occupation by its name or a synonym, the longest inside the text."""
    wanted = plain(text)
    return _names().get(wanted) or longest_inside(wanted, _names())


def occupation_codes(text: str) -> tuple[str, ...]:
    """Give the codes of a list (缝纫工、焊工) in its order, each once, without unknown ones.

    A name of the classification is one thing, though it may say 和.
    """
    whole = _names().get(plain(text))
    return (whole,) if whole else tuple(dict.fromkeys(_known(text)))


def _known(text: str) -> Iterator[str]:
    for part in several(text):
        code = occupation_code(part)
        if code is not None:
            yield code


def occupation_nearness(a: str, b: str) -> float:
    """Tell how near two occupations are by the classification's groups: 1 the same, 0 far."""
    if a == b:
        return SAME
    if a[:1] != b[:1]:
        return FAR
    if {a, b} & {ANY_FACTORY_WORK, ANY_SERVICE_WORK}:
        return ANY_WORK_OF_THE_CLASS
    groups_a, groups_b = a.split("-"), b.split("-")
    if groups_a[:3] == groups_b[:3]:
        return SAME_SMALL_GROUP
    return SAME_MIDDLE_GROUP if groups_a[:2] == groups_b[:2] else SAME_CLASS
