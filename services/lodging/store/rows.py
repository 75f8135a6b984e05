"""Many rows in one statement: forced row security lets nobody COPY into a table."""

from collections.abc import Iterable, Mapping, Sequence

from shared.transaction import Tx

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


async def insert_rows(
    tx: Tx, table: str, columns: Columns, rows: Iterable[Sequence[object]]
) -> None:
    """Insert rows whose values stand in the order of the columns."""
    await tx.execute(inserting(table, columns), *turned(columns, rows))
