"""Reads the reference tables: csv files that say their version and source in lines of their own."""

import csv
from functools import cache
from importlib import resources
from typing import Final

PACKAGE: Final = "contracts.reference"

Row = dict[str, str]


def _lines(name: str) -> list[str]:
    text = resources.files(PACKAGE).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return text.splitlines()


@cache
def rows(name: str) -> tuple[Row, ...]:
    """Give a table's rows in their order; `name` is the file's without `.csv`."""
    return tuple(csv.DictReader(line for line in _lines(name) if not line.startswith("#")))


@cache
def provenance(name: str) -> tuple[tuple[str, str], ...]:
    """Give what a table says about itself: pairs of `version`, `what` or `source` and its words."""
    heads = (line[1:].partition(":") for line in _lines(name) if line.startswith("#"))
    return tuple((key.strip(), words.strip()) for key, _, words in heads)


def words(cell: str) -> list[str]:
    """Split a cell that holds several words."""
    return [word for word in cell.split("|") if word]
