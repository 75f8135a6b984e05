"""What the measuring needs besides servers: the registry as a process, an office, and scales."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx2
import psutil

from bench.servers import Servers
from services.registry.vault import new_master_key_line
from shared.ids import Ids
from stack import topics
from stack.databases import at_database, provision, provision_key_store
from tests.support.issuer import Issuer

# Who asks too often measures the asking: it is the service that answers, on the same two cores.
POLL_INTERVAL_S: Final = 0.1
WEIGH_INTERVAL_S: Final = 0.2
TIMEOUT_S: Final = 600.0
_FINAL: Final = frozenset({"accepted", "partly_accepted", "rejected"})
_SEEDS = itertools.count(1)


@dataclass
class Weights:
    """The largest resident sizes that were seen, in MB: of the service, and of a child of it."""

    service_mb: float = 0.0
    child_mb: float = 0.0

    def add(self, process: psutil.Process) -> None:
        """Weigh a process and its children once."""
        self.service_mb = max(self.service_mb, _mb(process))
        children = [_mb(child) for child in process.children(recursive=True)]
        self.child_mb = max([self.child_mb, *children])


@dataclass
class Office:
    """An office with a client of its own."""

    http: httpx2.AsyncClient
    tenant_id: UUID

    async def submit(self, data: bytes) -> str:
        """Upload a roster; give the batch."""
        answer = await self.http.post("/v1/worker-batches", files={"file": ("花名册.xlsx", data)})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["batch_id"])

    async def finished(self, batch_id: str) -> dict[str, Any]:
        """Wait until a batch has its final state."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            answer = await self.http.get(f"/v1/worker-batches/{batch_id}")
            batch: dict[str, Any] = answer.json()
            if batch.get("state") in _FINAL:
                return batch
            assert time.monotonic() < deadline, f"{batch_id} is not finished: {batch}"
            await asyncio.sleep(POLL_INTERVAL_S)


class Rig(Servers):
    """Servers on a folder of their own; `running`, then `prepare`, then `service`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.issuer = Issuer()
        self.ids = Ids()
        self.master_key_file = folder / "master.key"
        self.database_url = self.keys_url = ""

    async def prepare(self) -> None:
        """Make the databases, the topics, and the master key."""
        superuser = self.postgres.superuser_url()
        self.database_url = await provision(superuser, "registry")
        self.keys_url = await provision_key_store(superuser)
        await topics.create(self.kafka.bootstrap_servers, topics.all_topics())
        self.master_key_file.touch(0o600)
        self.master_key_file.write_text(new_master_key_line("1"), "utf-8")
        self.issuer.add_key("k1")

    @asynccontextmanager
    async def service(self) -> AsyncIterator[psutil.Process]:
        """Run the registry."""
        server = await self.issuer.serve()
        environment = {
            "REGISTRY_DATABASE_URL": self.database_url,
            "REGISTRY_KEYS_DATABASE_URL": self.keys_url,
            "REGISTRY_ERASURE_LIST_FILE": str(self.folder / "erasures.jsonl"),
            "SHANHAI_MASTER_KEY_FILE": str(self.master_key_file),
            "SHANHAI_ISSUER_URL": self.issuer.url,
        }
        try:
            async with self.served("registry", environment) as process:
                yield process
        finally:
            server.close()

    @asynccontextmanager
    async def office(self) -> AsyncIterator[Office]:
        """Give a new office of Lincang."""
        tenant_id = self.ids.uuid7()
        async with self.database() as conn:
            await conn.execute(
                "INSERT INTO tenant (tenant_id, kind, name, division_code, inn_ids, active)"
                " VALUES ($1, 'office', 'bench', '530900', '{}', true)",
                tenant_id,
            )
        token = self.issuer.token(tenant_id=str(tenant_id), exp=time.time() + TIMEOUT_S)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60) as http:
            yield Office(http, tenant_id)

    @asynccontextmanager
    async def database(self) -> AsyncIterator["asyncpg.Connection"]:
        """Lend a connection of the superuser to the registry's database."""
        conn = await asyncpg.connect(at_database(self.postgres.superuser_url(), "registry"))
        try:
            yield conn
        finally:
            await conn.close()

    async def published(self) -> None:
        """Wait until Kafka has everything that was said."""
        deadline = time.monotonic() + TIMEOUT_S
        async with self.database() as conn:
            while await conn.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
                assert time.monotonic() < deadline, "the outbox is never empty"
                await asyncio.sleep(POLL_INTERVAL_S)


@asynccontextmanager
async def weighed(process: psutil.Process) -> AsyncIterator[Weights]:
    """Weigh a process and its children again and again meanwhile."""
    weights = Weights()

    async def weigh() -> None:
        while True:
            weights.add(process)
            await asyncio.sleep(WEIGH_INTERVAL_S)

    task = asyncio.create_task(weigh())
    try:
        yield weights
    finally:
        task.cancel()


def _mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0
