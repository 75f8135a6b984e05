"""Makes, finds, rotates and destroys data keys, each wrapped by its tenant's key."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.registry.vault.crypto import KEY_BYTES, open_sealed, seal_with
from services.registry.vault.keys import MasterKeys
from services.registry.vault.store import KeyStore, TenantKey
from shared.database import nothing_to_reset, prepare

CONNECT_TIMEOUT_S: Final = 2.5
# Its statements are small: who hears nothing for so long has a line that hangs.
ANSWER_TIMEOUT_S: Final = 10.0
REWRAP_CHUNK: Final = 2_000
_INDEX: Final = b"blind-index"
# A tenant's key is destroyed and made anew at most so often while we hold an older one.
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key in the clear, in memory only; `key_id` is the id of what it seals."""

    key_id: UUID
    key: bytes


class Vault:
    """Data keys by the id of what they seal (a relation, a batch's file, a rejected row)."""

    def __init__(self, store: KeyStore, master: MasterKeys) -> None:
        self.store = store
        self.master = master
        self._index_key: bytes | None = None
        self._opening = asyncio.Lock()
        self._tenant_keys: dict[tuple[UUID, int], bytes] = {}
        self._newest: dict[UUID, int] = {}

    @classmethod
    async def open(cls, url: str, master: MasterKeys) -> Self:
        """Prepare connections to the key store at `url`; none is made before it is needed."""
        pool: asyncpg.Pool[Any] = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=4,
            init=prepare,
            reset=nothing_to_reset,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=ANSWER_TIMEOUT_S,
        )
        return cls(KeyStore(pool), master)

    async def index_key(self) -> bytes:
        """Give the key of the blind index, making it and the store's tables when they are missing.

        Raises `MasterKeyError` when the file's keys are not the ones that wrapped it.
        """
        async with self._opening:
            if self._index_key is None:
                await self.store.create_schema()
                fresh = self.master.wrap(os.urandom(KEY_BYTES), _INDEX)
                known = await self.store.get_or_insert_system_key(_INDEX.decode(), *fresh)
                self._index_key = self.master.unwrap(*known, _INDEX)
            return self._index_key

    async def close(self) -> None:
        """Close the connections to the key store."""
        await self.store.pool.close()

    async def new_keys(self, tenant_id: UUID, key_ids: Sequence[UUID]) -> list[DataKey]:
        """Make a data key for each id and store it, wrapped by the tenant's newest key.

        They are durable when this returns: commit what they seal afterwards, so that a crash
        between leaves keys without a seal, never a seal without its key.
        """
        if not key_ids:
            return []
        material = os.urandom(KEY_BYTES * len(key_ids))
        keys = [
            DataKey(k, material[i * KEY_BYTES : (i + 1) * KEY_BYTES]) for i, k in enumerate(key_ids)
        ]
        for attempt in range(_ATTEMPTS):
            version = await self._newest_version(tenant_id)
            cipher = AESGCM(self._tenant_keys[tenant_id, version])
            try:
                await self.store.insert_data_keys(
                    (k.key_id, tenant_id, version, seal_with(cipher, k.key, _place(k.key_id)))
                    for k in keys
                )
                break
            except asyncpg.ForeignKeyViolationError:
                # The tenant's key was rotated elsewhere and the version we knew is gone.
                self._newest.pop(tenant_id, None)
                if attempt == _ATTEMPTS - 1:
                    raise
        return keys

    async def load_keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Give the keys that still exist of these; a destroyed one is simply absent."""
        rows = await self.store.list_data_keys(list(key_ids))
        missing = {
            r["tenant_id"]
            for r in rows
            if (r["tenant_id"], r["tenant_key_version"]) not in self._tenant_keys
        }
        await self._load_tenants(sorted(missing))
        return {
            r["key_id"]: open_sealed(
                self._tenant_keys[r["tenant_id"], r["tenant_key_version"]],
                r["wrapped"],
                _place(r["key_id"]),
            )
            for r in rows
        }

    async def destroy(self, key_ids: Sequence[UUID]) -> int:
        """Destroy keys: what they sealed can never be read again. Gives how many there were."""
        return await self.store.delete_data_keys(key_ids) if key_ids else 0

    async def rotate_master(self) -> int:
        """Wrap system and tenant keys under the current master key; give how many moved."""
        await self.store.rewrap_system_keys(self._rewrap)
        return await self.store.rewrap_tenant_keys(self._rewrap, self.master.current)

    async def rotate_tenant(self, tenant_id: UUID) -> int:
        """Give a tenant a new key, move its data keys to it, destroy the old; give how many moved.

        Works while others read and write: each data key says which version wraps it.
        """
        old = await self.store.list_tenant_keys([tenant_id])
        await self._insert_tenant_key(tenant_id, old[-1].version + 1 if old else 1)
        version = await self._newest_version(tenant_id, fresh=True)
        moved = 0
        for key in old:
            moved += await self._drain(key, version)
        return moved

    async def _drain(self, old: TenantKey, version: int) -> int:
        plain = self._tenant_keys[old.tenant_id, old.version]
        cipher = AESGCM(self._tenant_keys[old.tenant_id, version])

        def rewrap(key_id: UUID, wrapped: bytes) -> tuple[int, bytes]:
            return version, seal_with(
                cipher, open_sealed(plain, wrapped, _place(key_id)), _place(key_id)
            )

        moved = 0
        while True:
            done = await self.store.rewrap_data_keys(old, rewrap, REWRAP_CHUNK)
            moved += done
            if done:
                continue
            try:
                await self.store.delete_tenant_key(old)
            except asyncpg.ForeignKeyViolationError:
                # Somebody who still knew only the old version has just used it: move that one, too.
                continue
            self._tenant_keys.pop((old.tenant_id, old.version), None)
            return moved

    async def _newest_version(self, tenant_id: UUID, *, fresh: bool = False) -> int:
        if fresh or tenant_id not in self._newest:
            await self._load_tenants([tenant_id])
        if tenant_id not in self._newest:
            await self._insert_tenant_key(tenant_id, 1)
            await self._load_tenants([tenant_id])
        return self._newest[tenant_id]

    async def _insert_tenant_key(self, tenant_id: UUID, version: int) -> None:
        wrapped = self.master.wrap(os.urandom(KEY_BYTES), tenant_id.bytes)
        await self.store.insert_tenant_key(TenantKey(tenant_id, version, *wrapped))

    async def _load_tenants(self, tenant_ids: Sequence[UUID]) -> None:
        if not tenant_ids:
            return
        for key in await self.store.list_tenant_keys(tenant_ids):
            plain = self.master.unwrap(key.master_key_id, key.wrapped, key.tenant_id.bytes)
            self._tenant_keys[key.tenant_id, key.version] = plain
            self._newest[key.tenant_id] = max(key.version, self._newest.get(key.tenant_id, 0))

    def _rewrap(self, place: bytes, master_key_id: str, wrapped: bytes) -> tuple[str, bytes]:
        return self.master.wrap(self.master.unwrap(master_key_id, wrapped, place), place)


def _place(key_id: UUID) -> bytes:
    return b"data\0" + key_id.bytes
