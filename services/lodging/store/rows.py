"""Columns as arrays, for the statements that do more than insert."""

from collections.abc import Iterable, Mapping, Sequence

#: Column and its PostgreSQL type, in the order of the values.
Columns = Mapping[str, str]


def inserting(table: str, columns: Columns) -> str:
    """Give the INSERT that takes one array per column."""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM {unnested(columns)}"


def unnested(columns: Columns) -> str:
    """Give the arrays `$1::uuid[], ...` as rows."""
    arrays = (f"${n}::{kind}[]" for n, kind in enumerate(columns.values(), 1))
    return f"unnest({', '.join(arrays)})"


def turned(columns: Columns, rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """Turn rows into one list per column."""
    made = list(rows)
    return [[row[n] for row in made] for n in range(len(columns))]
