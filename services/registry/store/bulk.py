"""Inserts many rows by one statement: row security forbids COPY, and a statement a row is slow."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final

from shared.transaction import Tx

#: Marks a column of `text[]`: arrays of arrays would be flattened, so such a value comes joined.
JOINED: Final = "joined text"
SEPARATOR: Final = ","
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


async def insert_many(
    tx: Tx,
    table: str,
    columns: Mapping[str, str],
    records: Iterable[Sequence[object]],
    same: Mapping[str, object] = NOTHING,
) -> None:
    """Insert records that cannot conflict; `columns` maps their columns, in order, to types.

    `same` are columns with one value in all of them: it is sent once, as the column's type.
    """
    values: list[tuple[object, ...]] = list(zip(*records, strict=True))
    if values:
        sql = _sql(table, tuple(columns.items()), tuple(same))
        await tx.execute(sql, *values, *same.values())


@cache
def _sql(table: str, columns: tuple[tuple[str, str], ...], same: tuple[str, ...]) -> str:
    names = ", ".join(name for name, _ in columns)
    arrays = ", ".join(
        f"${i}::{'text' if kind == JOINED else kind}[]" for i, (_, kind) in enumerate(columns, 1)
    )
    chosen = ", ".join(
        f"string_to_array(u.{name}, '{SEPARATOR}')" if kind == JOINED else f"u.{name}"
        for name, kind in columns
    )
    alike = "".join(f", ${i}" for i in range(len(columns) + 1, len(columns) + len(same) + 1))
    return (
        f"INSERT INTO {table} ({', '.join((names, *same))})"
        f" SELECT {chosen}{alike} FROM unnest({arrays}) AS u ({names})"
    )
