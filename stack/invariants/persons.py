"""Looks for ID numbers and phones in every column of every table: there must be none in clear."""

from collections.abc import Sequence
from typing import Final

import asyncpg

#: As in `topics.PERSONAL`, for PostgreSQL: nothing that could belong to a longer number or word.
PATTERN: Final = "(?<![0-9A-Za-z_.+/=-])([1-9][0-9]{16}[0-9Xx]|1[3-9][0-9]{9})(?![0-9A-Za-z_.+/=-])"
_COLUMNS: Final = """
SELECT c.oid::regclass::text AS name, array_agg(CASE
    WHEN t.typname = 'bytea' THEN format('encode(%I, ''escape'')', a.attname)
    ELSE format('%I::text', a.attname) END) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND a.attnum > 0 AND NOT a.attisdropped
AND t.typname IN ('text', 'varchar', 'json', 'jsonb', 'bytea', '_text') GROUP BY c.oid
"""


async def personal_in(conn: asyncpg.Connection) -> Sequence[str]:
    """Name the tables with such a number and how many rows have one; never the number itself."""
    found = []
    for name, columns in await conn.fetch(_COLUMNS):
        sql = f"SELECT count(*) FROM {name} WHERE concat_ws(' ', {', '.join(columns)}) ~ $1"
        if count := await conn.fetchval(sql, PATTERN):
            found.append(f"{name}: {count}")
    return found
