"""Inserts many rows by one statement: row security forbids COPY, and a statement a row is slow."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from shared.transaction import Tx

#: Marks a column of `text[]`: arrays of arrays would be flattened, so such a value comes joined.
JOINED: Final = "joined text"
SEPARATOR: Final = ","


async def insert_many(
    tx: Tx, table: str, columns: Mapping[str, str], records: Iterable[Sequence[object]]
) -> None:
    """Insert records that cannot conflict; `columns` maps their columns, in order, to types."""
    values: list[tuple[object, ...]] = list(zip(*records, strict=True))
    if values:
        await tx.execute(_sql(table, tuple(columns.items())), *values)


@cache
def _sql(table: str, columns: tuple[tuple[str, str], ...]) -> str:
    names = ", ".join(name for name, _ in columns)
    arrays = ", ".join(
        f"${i}::{'text' if kind == JOINED else kind}[]" for i, (_, kind) in enumerate(columns, 1)
    )
    chosen = ", ".join(
        f"string_to_array(u.{name}, '{SEPARATOR}')" if kind == JOINED else f"u.{name}"
        for name, kind in columns
    )
    return f"INSERT INTO {table} ({names}) SELECT {chosen} FROM unnest({arrays}) AS u ({names})"
