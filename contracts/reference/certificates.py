"""Certificates that rosters name and vacancies ask for."""

from collections.abc import Iterator
from functools import cache

from contracts.reference.tables import rows, words
from contracts.reference.text import longest_inside, plain, several


@cache
def _names() -> dict[str, str]:
    synonyms = {plain(w): r["code"] for r in rows("certificates") for w in words(r["synonyms"])}
    return synonyms | {plain(r["name"]): r["code"] for r in rows("certificates")}


def certificate_name(code: str) -> str | None:
    """Give a certificate's full name."""
    return next((row["name"] for row in rows("certificates") if row["code"] == code), None)


def certificate_codes(text: str) -> tuple[str, ...]:
    """Give the codes of a list (电工证、叉车证) in its order, each once, without unknown ones.

    A certificate's full name is one thing, though it may list what it is for.
    """
    whole = _names().get(plain(text))
    return (whole,) if whole else tuple(dict.fromkeys(_known(text)))


def _known(text: str) -> Iterator[str]:
    for part in several(text):
        wanted = plain(part)
        code = _names().get(wanted) or longest_inside(wanted, _names())
        if code is not None:
            yield code
