"""The key store's statements: wrapped keys only, in a database of their own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

# (place, master key id, wrapped) -> (the new master key's id, newly wrapped)
Rewrap = Callable[[bytes, str, bytes], tuple[str, bytes]]
# (key id, wrapped under the old version) -> (the new version, newly wrapped)
RewrapData = Callable[[UUID, bytes], tuple[int, bytes]]

_SCHEMA = Path(__file__).with_name("keystore.sql")
# Any fixed number: two services that start at once create the schema one after the other.
_LOCK_KEY = 0x4B45_5953


@dataclass(frozen=True, slots=True)
class TenantKey:
    """A tenant's key as stored: wrapped by a master key."""

    tenant_id: UUID
    version: int
    master_key_id: str
    wrapped: bytes


class KeyStore:
    """Connections to the key store; every method is a transaction of its own."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self.pool = pool

    async def create_schema(self) -> None:
        """Create the tables if they are missing."""
        async with self.pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_KEY)
            if await conn.fetchval("SELECT to_regclass('data_key')") is None:
                await conn.execute(_SCHEMA.read_text("utf-8"))

    async def get_or_insert_system_key(
        self, name: str, master_key_id: str, wrapped: bytes
    ) -> tuple[str, bytes]:
        """Insert a system key unless there is one; give the one there is."""
        async with self.pool.acquire() as conn, conn.transaction():
            await conn.execute(
                "INSERT INTO system_key (name, master_key_id, wrapped) VALUES ($1, $2, $3)"
                " ON CONFLICT DO NOTHING",
                name, master_key_id, wrapped,
            )  # fmt: skip
            rows = await conn.fetch(
                "SELECT master_key_id, wrapped FROM system_key WHERE name = $1", name
            )
            return rows[0]["master_key_id"], rows[0]["wrapped"]

    async def insert_tenant_key(self, key: TenantKey) -> None:
        """Insert a tenant's key version unless somebody else was faster."""
        await self.pool.execute(
            "INSERT INTO tenant_key (tenant_id, version, master_key_id, wrapped)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            key.tenant_id, key.version, key.master_key_id, key.wrapped,
        )  # fmt: skip

    async def list_tenant_keys(self, tenant_ids: Sequence[UUID]) -> list[TenantKey]:
        """List all versions of these tenants' keys, oldest first."""
        rows = await self.pool.fetch(
            "SELECT tenant_id, version, master_key_id, wrapped FROM tenant_key"
            " WHERE tenant_id = ANY ($1) ORDER BY tenant_id, version",
            list(tenant_ids),
        )
        return [TenantKey(*r) for r in rows]

    async def insert_data_keys(self, records: Iterable[tuple[UUID, UUID, int, bytes]]) -> None:
        """Copy data keys in: key id, tenant, the tenant key's version, the wrapped key."""
        async with self.pool.acquire() as conn:
            await conn.copy_records_to_table(
                "data_key",
                records=records,
                columns=["key_id", "tenant_id", "tenant_key_version", "wrapped"],
            )

    async def list_data_keys(self, key_ids: Sequence[UUID]) -> list["asyncpg.Record"]:
        """List the data keys that still exist of these."""
        return await self.pool.fetch(
            "SELECT key_id, tenant_id, tenant_key_version, wrapped FROM data_key"
            " WHERE key_id = ANY ($1)",
            list(key_ids),
        )

    async def list_key_ids(self, after: UUID, age_s_min: int, limit: int) -> list[UUID]:
        """List ids of data keys behind `after` that are at least so many seconds old, in order."""
        rows = await self.pool.fetch(
            "SELECT key_id FROM data_key WHERE key_id > $1"
            " AND created_at <= clock_timestamp() - make_interval(secs => $2)"
            " ORDER BY key_id LIMIT $3",
            after, age_s_min, limit,
        )  # fmt: skip
        return [r["key_id"] for r in rows]

    async def delete_data_keys(self, key_ids: Sequence[UUID]) -> int:
        """Destroy data keys; give how many there still were."""
        done = await self.pool.execute(
            "DELETE FROM data_key WHERE key_id = ANY ($1)", list(key_ids)
        )
        return int(done.rpartition(" ")[2])

    async def rewrap_system_keys(self, rewrap: Rewrap) -> int:
        """Wrap every system key anew, by `rewrap`; give how many."""
        async with self.pool.acquire() as conn, conn.transaction():
            rows = await conn.fetch(
                "SELECT name, master_key_id, wrapped FROM system_key FOR UPDATE"
            )
            for row in rows:
                new_id, wrapped = rewrap(row["name"].encode(), row["master_key_id"], row["wrapped"])
                await conn.execute(
                    "UPDATE system_key SET master_key_id = $2, wrapped = $3 WHERE name = $1",
                    row["name"], new_id, wrapped,
                )  # fmt: skip
            return len(rows)

    async def rewrap_tenant_keys(self, rewrap: Rewrap, current: str) -> int:
        """Wrap every tenant key under the current master key; give how many were not yet."""
        async with self.pool.acquire() as conn, conn.transaction():
            rows = await conn.fetch(
                "SELECT tenant_id, version, master_key_id, wrapped FROM tenant_key"
                " WHERE master_key_id <> $1 FOR UPDATE",
                current,
            )
            new = [rewrap(r["tenant_id"].bytes, r["master_key_id"], r["wrapped"]) for r in rows]
            await conn.execute(
                "UPDATE tenant_key t SET master_key_id = $1, wrapped = n.wrapped"
                " FROM unnest($2::uuid[], $3::int[], $4::bytea[])"
                " AS n (tenant_id, version, wrapped)"
                " WHERE t.tenant_id = n.tenant_id AND t.version = n.version",
                current, [r["tenant_id"] for r in rows], [r["version"] for r in rows],
                [w for _, w in new],
            )  # fmt: skip
            return len(rows)

    async def rewrap_data_keys(self, old: TenantKey, rewrap: RewrapData, limit: int) -> int:
        """Move up to `limit` data keys off an old tenant key version; give how many."""
        async with self.pool.acquire() as conn, conn.transaction():
            rows = await conn.fetch(
                "SELECT key_id, wrapped FROM data_key"
                " WHERE tenant_id = $1 AND tenant_key_version = $2"
                " ORDER BY key_id LIMIT $3 FOR UPDATE",
                old.tenant_id, old.version, limit,
            )  # fmt: skip
            new = [rewrap(r["key_id"], r["wrapped"]) for r in rows]
            await conn.execute(
                "UPDATE data_key d SET tenant_key_version = n.version, wrapped = n.wrapped"
                " FROM unnest($1::uuid[], $2::int[], $3::bytea[]) AS n (key_id, version, wrapped)"
                " WHERE d.key_id = n.key_id",
                [r["key_id"] for r in rows], [v for v, _ in new], [w for _, w in new],
            )  # fmt: skip
            return len(rows)

    async def delete_tenant_key(self, key: TenantKey) -> None:
        """Destroy a tenant key version that no data key uses any more."""
        await self.pool.execute(
            "DELETE FROM tenant_key WHERE tenant_id = $1 AND version = $2",
            key.tenant_id,
            key.version,
        )
