"""Levels of education (GB/T 4658): from what people write to codes, and which includes which."""

from functools import cache

from contracts.reference.tables import rows, words
from contracts.reference.text import longest_inside, plain


@cache
def _names() -> dict[str, str]:
    synonyms = {plain(w): r["code"] for r in rows("education") for w in words(r["synonyms"])}
    return synonyms | {plain(r["name"]): r["code"] for r in rows("education")}


@cache
def _ranks() -> dict[str, int]:
    return {row["code"]: int(row["rank"]) for row in rows("education")}


def education_name(code: str) -> str | None:
    """Give a level's name."""
    return next((row["name"] for row in rows("education") if row["code"] == code), None)


def education_code(text: str) -> str | None:
    """Give a level's code: its name, a synonym, or the longest of them inside the text."""
    wanted = plain(text)
    return _names().get(wanted) or longest_inside(wanted, _names())


def education_rank(code: str) -> int | None:
    """Give a level's rank: who has a higher rank has the lower ones too; None if unknown."""
    return _ranks().get(code)
