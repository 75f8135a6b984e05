"""Looks in every table for rows whose tenant nobody knows: nobody could ever see them."""

from collections.abc import Sequence
from typing import Final

import asyncpg

#: What a tenant's id is called in a row; empty where a fact has no such tenant.
NAMES: Final = ("tenant_id", "office_id", "enterprise_id")
_COLUMNS: Final = """
SELECT c.oid::regclass::text AS name, array_agg(a.attname::text ORDER BY a.attname) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND c.relrowsecurity AND NOT a.attisdropped AND a.attname = ANY($1::text[])
AND a.atttypid = 'uuid'::regtype AND c.relname <> 'tenant'
GROUP BY c.oid
"""


async def tenantless_in(conn: asyncpg.Connection) -> Sequence[str]:
    """Name the columns that hold a tenant whom this database does not know, and in how many rows.

    A row of the well-known owner is the bureau's own.
    """
    found = []
    for name, columns in await conn.fetch(_COLUMNS, NAMES):
        for column in columns:
            sql = (
                f"SELECT count(*) FROM {name} r WHERE r.{column} IS NOT NULL"
                f" AND NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = r.{column})"
            )
            if count := await conn.fetchval(sql):
                found.append(f"{name}.{column}: {count}")
    return found
