"""A whole registry for tests: its database, key store, routes and tickers, without Kafka."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from contracts import Event
from services.registry.api import router
from services.registry.consumers import HANDLERS
from services.registry.handlers.erasing import Eraser
from services.registry.handlers.intake import Intake
from services.registry.set_up import set_up
from services.registry.settings import RegistrySettings
from services.registry.store import batches
from services.registry.vault import new_master_key_line
from shared.app import build_app
from shared.database import Database
from shared.http import House
from shared.identity import Identity
from stack.databases import at_database, login_url, provision_key_store
from stack.postgres import Postgres
from tests.support.events import heard
from tests.support.http import KnownTokens, bearer

_TICKS_MAX = 200


@dataclass
class Said:
    """An event in the outbox."""

    type: str
    body: dict[str, Any]
    headers: dict[str, str]


class Registry:
    """A registry whose tickers run when a test says so."""

    def __init__(self, house: House, superuser_url: str) -> None:
        self.house = house
        self.db: Database = house.db
        self._superuser_url = superuser_url
        self.app = build_app(house, router)

    @property
    def intake(self) -> Intake:
        return self.house.resource(Intake)

    @property
    def eraser(self) -> Eraser:
        return self.house.resource(Eraser)

    @asynccontextmanager
    async def client(self, identity: Identity) -> AsyncIterator[httpx2.AsyncClient]:
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://test", headers=bearer(identity), timeout=60
        ) as client:
            yield client

    async def submit(
        self, identity: Identity, data: bytes, name: str = "花名册.xlsx", **fields: str
    ) -> httpx2.Response:
        async with self.client(identity) as client:
            return await client.post(
                "/v1/worker-batches", files={"file": (name, data)}, data=fields
            )

    async def imported(
        self, identity: Identity, data: bytes, name: str = "花名册.xlsx", **fields: str
    ) -> dict[str, Any]:
        """Submit a roster and import it; give the finished batch."""
        answer = await self.submit(identity, data, name, **fields)
        assert answer.status_code in (200, 202), answer.text
        await self.tick()
        return await self.get(identity, f"/v1/worker-batches/{answer.json()['batch_id']}")

    async def get(self, identity: Identity, path: str, status: int = 200) -> Any:
        async with self.client(identity) as client:
            answer = await client.get(path)
            assert answer.status_code == status, answer.text
            return answer.json()

    async def items(self, identity: Identity, path: str) -> list[dict[str, Any]]:
        """Give all items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            glue = "&" if "?" in path else "?"
            page = await self.get(identity, f"{path}{glue}limit=200{cursor}")
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def tick(self) -> None:
        """Run all tickers until none finds anything to do."""
        for _ in range(_TICKS_MAX):
            done = 0
            for ticker in self.house.tickers:
                async with self.db.transaction(role="worker") as tx:
                    done += await ticker.run(tx)
            if not done:
                return
        raise AssertionError("the tickers never come to rest")

    async def hear(self, *events: Event) -> None:
        await heard(self.db, HANDLERS, events)

    async def said(self, *types: str) -> list[Said]:
        """Give what was said, in order; `types` are like `worker-nominated`."""
        async with self.db.transaction(role="worker") as tx:
            rows = await tx.fetch("SELECT headers, body FROM outbox ORDER BY outbox_id")
        wanted = {f"registry.{t}.v1" for t in types}
        return [
            Said(r["headers"]["ce_type"], json.loads(r["body"]), r["headers"])
            for r in rows
            if not types or r["headers"]["ce_type"] in wanted
        ]

    async def count(self, sql: str, *args: object) -> int:
        async with self.db.transaction(role="worker") as tx:
            found: int = await tx.fetchval(sql, *args)
            return found

    async def idle_keys(self) -> set[UUID]:
        """Give the keys that seal nothing."""
        keys = set(await self.intake.vault.store.list_key_ids(UUID(int=0), 0, 10_000))
        async with self.db.transaction(role="worker") as tx:
            return keys - await batches.find_used_keys(tx, [*keys])

    async def as_owner(self, sql: str) -> None:
        """Change the database as only its owner may: for negative controls and the clock."""
        async with self.db.transaction(role="worker") as tx:
            name = await tx.fetchval("SELECT current_database()")
        conn = await asyncpg.connect(at_database(self._superuser_url, name))
        try:
            await conn.execute(sql)
        finally:
            await conn.close()

    async def advance(self, interval: str) -> None:
        await self.as_owner(
            f"UPDATE business_clock SET offset_interval = offset_interval + interval '{interval}'"
        )


async def a_key_store(postgres: Postgres, number: int) -> str:
    superuser = postgres.superuser_url()
    await provision_key_store(superuser)
    name = f"registry_keys_test_{number}"
    conn = await asyncpg.connect(superuser)
    try:
        await conn.execute(
            f"CREATE DATABASE {name} TEMPLATE registry_keys OWNER registry_keys_service"
        )
    finally:
        await conn.close()
    return login_url(superuser, "registry_keys", name)


def settings_of(folder: Path, keys_url: str) -> RegistrySettings:
    master = folder / "master.key"
    if not master.exists():
        master.write_text(new_master_key_line("1"))
        master.chmod(0o600)
    return RegistrySettings(
        database_url="postgresql://unused:unused@127.0.0.1:1/unused",
        http_port=8101,
        master_key_file=master,
        keys_database_url=keys_url,
        erasure_list_file=folder / "erasures.jsonl",
        local_stack=True,
    )


@asynccontextmanager
async def a_registry(
    db: Database, settings: RegistrySettings, postgres: Postgres
) -> AsyncIterator[Registry]:
    house = House("registry", db, KnownTokens(), settings, HANDLERS, [])
    async with set_up(house):
        yield Registry(house, postgres.superuser_url())


def uuid_of(value: str) -> UUID:
    return UUID(value)
