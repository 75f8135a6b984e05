"""Writes `services/<name>/schema.sql`: a service's database as its migrations make it.

`python -m stack.schema` starts a PostgreSQL of its own, migrates all five, and writes what its
catalogs say: tables with columns, constraints and indexes, and types, then functions, then who
sees what.
"""

import asyncio
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import asyncpg

from stack.databases import SERVICES, at_database, migrations_of, provision
from stack.postgres import Postgres
from stack.sockets import free_ports

# Names that PostgreSQL gives by itself, and would give again.
_OWN_NAMES: Final = r"{table}_(?:.*_)?(?:pkey|key|check|fkey|excl)"

_EXTENSIONS: Final = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"
# The months' partitions come and go with the calendar: only the default one is the schema's.
_TABLES: Final = """
SELECT c.oid, c.relname AS name, c.relkind = 'c' AS is_type,
    c.relrowsecurity AS guarded, c.relforcerowsecurity AS forced,
    array_to_string(c.reloptions, ', ') AS options, pg_get_partkeydef(c.oid) AS partition_key,
    i.inhparent::regclass::text AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'c') AND c.relnamespace = 'public'::regnamespace
  AND COALESCE(pg_get_expr(c.relpartbound, c.oid), 'DEFAULT') = 'DEFAULT'
ORDER BY c.oid
"""
_COLUMNS: Final = """
SELECT a.attrelid AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    a.attnotnull AS required, a.attidentity::text AS identity, a.attgenerated::text AS generated,
    pg_get_expr(d.adbin, d.adrelid, true) AS default,
    CASE WHEN a.attstorage <> t.typstorage AND a.attstorage = 'e' THEN 'EXTERNAL' END AS storage
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
_CONSTRAINTS: Final = """
SELECT conrelid AS oid, conname AS name, pg_get_constraintdef(oid, true) AS definition
FROM pg_constraint
WHERE conrelid = ANY ($1::oid[]) AND contype IN ('p', 'u', 'c', 'f', 'x') AND coninhcount = 0
ORDER BY conrelid, contype <> 'p', pg_constraint.oid
"""
_INDEXES: Final = """
SELECT i.indrelid AS oid, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY ($1::oid[]) AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid
    AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, c.relname
"""
_FUNCTIONS: Final = """
SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS definition,
    p.proacl IS NOT NULL AND NOT EXISTS (
        SELECT FROM aclexplode(p.proacl) x WHERE x.grantee = 0) AS closed,
    ARRAY(SELECT x.grantee::regrole::text FROM aclexplode(p.proacl) x
        WHERE x.grantee NOT IN (0, p.proowner) ORDER BY 1) AS callers
FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY p.oid
"""
_GRANTS: Final = """
SELECT c.oid, x.grantee::regrole::text AS role,
    string_agg(x.privilege_type, ', ' ORDER BY array_position(
        ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'], x.privilege_type)) AS rights
FROM pg_class c, aclexplode(c.relacl) WITH ORDINALITY AS x (grantor, grantee, privilege_type, _, n)
WHERE c.oid = ANY ($1::oid[]) AND x.grantee <> c.relowner GROUP BY c.oid, x.grantee
ORDER BY c.oid, min(x.n)
"""
_POLICIES: Final = """
SELECT polrelid AS oid, polname AS name, polpermissive AS permissive, polcmd::text AS command,
    ARRAY(SELECT r::regrole::text FROM unnest(polroles) r ORDER BY 1) AS roles,
    pg_get_expr(polqual, polrelid, true) AS using,
    pg_get_expr(polwithcheck, polrelid, true) AS check
FROM pg_policy WHERE polrelid = ANY ($1::oid[]) ORDER BY polrelid, polname
"""
_COMMANDS: Final = {"r": " FOR SELECT", "a": " FOR INSERT", "w": " FOR UPDATE", "d": " FOR DELETE"}


def schema_file(service: str) -> Path:
    """Give the file that holds a service's schema."""
    return migrations_of(service).parent / "schema.sql"


async def document(url: str, service: str) -> str:
    """Write down the schema of a migrated database, the same text for the same migrations."""
    conn = await asyncpg.connect(url)
    try:
        # Names of ours stay short, whatever the connection's own path is.
        await conn.execute("SET search_path = public")
        tables = await conn.fetch(_TABLES)
        oids = [t["oid"] for t in tables]
        parts = [await _by_table(conn, sql, oids) for sql in (_COLUMNS, _CONSTRAINTS, _INDEXES)]
        rights = [await _by_table(conn, sql, oids) for sql in (_GRANTS, _POLICIES)]
        extensions = await conn.fetch(_EXTENSIONS)
        functions = await conn.fetch(_FUNCTIONS)
    finally:
        await conn.close()
    return (
        "\n\n".join(
            [
                *_head(service, [e["extname"] for e in extensions]),
                *(_table(t, *(p[t["oid"]] for p in parts)) for t in tables),
                *(_function(f) for f in functions),
                *filter(None, (_guards(t, *(r[t["oid"]] for r in rights)) for t in tables)),
            ]
        )
        + "\n"
    )


async def _by_table(
    conn: asyncpg.Connection, sql: str, oids: Sequence[int]
) -> dict[int, list[asyncpg.Record]]:
    found: dict[int, list[asyncpg.Record]] = defaultdict(list)
    for row in await conn.fetch(sql, oids):
        found[row["oid"]].append(row)
    return found


def _head(service: str, extensions: Sequence[str]) -> list[str]:
    sentence = (
        f"-- The database of {service} as its migrations make it. Read this and change those;\n"
        "-- `python -m stack.schema` writes it anew."
    )
    roles = (
        f"SET ROLE {service}_owner;\n"
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;\n"
        f"GRANT USAGE ON SCHEMA public TO {service}_api, {service}_worker;"
    )
    return [sentence, *(f"CREATE EXTENSION IF NOT EXISTS {e};" for e in extensions), roles]


def _table(
    table: asyncpg.Record,
    columns: Sequence[asyncpg.Record],
    constraints: Sequence[asyncpg.Record],
    indexes: Sequence[asyncpg.Record],
) -> str:
    name = table["name"]
    if table["parent"]:
        return f"CREATE TABLE {name} PARTITION OF {table['parent']} {table['bound']};"
    lines = [_column(c) for c in columns] + [_constraint(name, c) for c in constraints]
    if table["is_type"]:
        return "\n".join([f"CREATE TYPE {name} AS (", ",\n".join(f"    {c}" for c in lines), ");"])
    end = f" PARTITION BY {table['partition_key']}" if table["partition_key"] else ""
    end += f" WITH ({table['options']})" if table["options"] else ""
    body = ",\n".join(f"    {line}" for line in lines)
    return "\n".join([f"CREATE TABLE {name} (\n{body}\n){end};", *map(_index, indexes)])


def _column(column: asyncpg.Record) -> str:
    words = [column["name"], column["type"].replace("timestamp with time zone", "timestamptz")]
    if column["storage"]:
        words.append(f"STORAGE {column['storage']}")
    if column["required"]:
        words.append("NOT NULL")
    if column["identity"]:
        always = {"a": "ALWAYS", "d": "BY DEFAULT"}[column["identity"]]
        words.append(f"GENERATED {always} AS IDENTITY")
    elif column["generated"]:
        words.append(f"GENERATED ALWAYS AS ({_plain(column['default'])}) STORED")
    elif column["default"]:
        words.append(f"DEFAULT {_plain(column['default'])}")
    return " ".join(words)


def _constraint(table: str, constraint: asyncpg.Record) -> str:
    own = re.fullmatch(_OWN_NAMES.format(table=table), constraint["name"])
    name = "" if own else f"CONSTRAINT {constraint['name']} "
    return name + _plain(constraint["definition"])


def _index(index: asyncpg.Record) -> str:
    text = re.sub(r" ON (ONLY )?public\.", " ON ", index["definition"], count=1)
    return _plain(text.replace(" USING btree", "", 1)) + ";"


def _function(function: asyncpg.Record) -> str:
    head, _, body = function["definition"].partition("AS $")
    head = " ".join(head.split()).replace("CREATE OR REPLACE", "CREATE", 1)
    head = re.sub(r"(FUNCTION|PROCEDURE) public\.", r"\1 ", head, count=1)
    body = f"AS ${body.strip()}"
    if "$$" not in body:
        body = re.sub(r"\$(function|procedure)\$", "$$", body)
    kind = "PROCEDURE" if head.startswith("CREATE PROCEDURE") else "FUNCTION"
    lines = [f"{head}\n    {body};"]
    if function["closed"]:
        lines.append(f"REVOKE ALL ON {kind} {function['name']} FROM PUBLIC;")
    if function["callers"]:
        callers = ", ".join(function["callers"])
        lines.append(f"GRANT EXECUTE ON {kind} {function['name']} TO {callers};")
    return "\n".join(lines)


def _plain(expression: str) -> str:
    """Write an expression as one would: on one line, lists as lists, literals without their type.

    In these places PostgreSQL finds the same types again by itself.
    """
    text = " ".join(expression.split())
    text = re.sub(r"('(?:[^']|'')*')::(?:text|interval)(?!\[)", r"\1", text)
    return re.sub(r"= ANY \(ARRAY\[([^\[\]]*)\]\)", r"IN (\1)", text)


def _guards(
    table: asyncpg.Record, grants: Sequence[asyncpg.Record], policies: Sequence[asyncpg.Record]
) -> str:
    name = table["name"]
    lines = [f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"] if table["guarded"] else []
    lines += [f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"] if table["forced"] else []
    lines += [f"GRANT {g['rights']} ON {name} TO {g['role']};" for g in grants]
    return "\n".join(lines + [_policy(name, p) for p in policies])


def _policy(table: str, policy: asyncpg.Record) -> str:
    kind = "" if policy["permissive"] else " AS RESTRICTIVE"
    command = _COMMANDS.get(policy["command"], "")
    head = (
        f"CREATE POLICY {policy['name']} ON {table}{kind}{command} TO {', '.join(policy['roles'])}"
    )
    parts = [f"USING ({_plain(policy['using'])})"] if policy["using"] else []
    parts += [f"WITH CHECK ({_plain(policy['check'])})"] if policy["check"] else []
    return "\n    ".join([head, " ".join(parts)]) + ";"


async def _write(superuser_url: str, services: Iterable[str]) -> None:
    for service in services:
        await provision(superuser_url, service)
        text = await document(at_database(superuser_url, service), service)
        schema_file(service).write_text(text, "utf-8")


def main() -> int:
    """Write the schemas of all services; gives the exit code."""
    with tempfile.TemporaryDirectory(prefix="shanhai-schema-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postgres(folder, free_ports(1)[0], settings={"fsync": "off"})
        server.start()
        try:
            asyncio.run(_write(server.superuser_url(), SERVICES))
        finally:
            server.stop("immediate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
