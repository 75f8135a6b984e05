"""A registry that is killed while it imports counts every row once."""

import asyncio
import os
import random
import subprocess
import sys
from uuid import UUID

import pytest

from services.registry.settings import RegistrySettings
from shared.identity import Identity
from stack.databases import login_url
from stack.postgres import Postgres
from tests.integration.registry.world import Registry
from tests.support.flow import eventually
from tests.support.ports import free_port
from tests.support.rosters import a_roster

ROWS = 4_000


def worker(settings: RegistrySettings, database_url: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {
        "REGISTRY_DATABASE_URL": database_url,
        "REGISTRY_HTTP_PORT": str(free_port()),
        "REGISTRY_KEYS_DATABASE_URL": settings.keys_database_url.get_secret_value(),
        "REGISTRY_ERASURE_LIST_FILE": str(settings.erasure_list_file),
        "SHANHAI_MASTER_KEY_FILE": str(settings.master_key_file),
        "SHANHAI_LOCAL_STACK": "true",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "services.registry", "--role", "worker"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
async def test_an_import_killed_at_random_points_counts_every_row_once(
    registry: Registry,
    office: Identity,
    settings: RegistrySettings,
    postgres: Postgres,
    kills: int,
) -> None:
    async with registry.db.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    url = login_url(postgres.superuser_url(), "registry", name)
    chance = random.Random(kills)
    batch_ids = [await submitted(registry, office, 1)]
    # Only those count that broke an import off; one that was faster makes room for the next.
    while kills:
        process = worker(settings, url)
        try:
            await wait_for_work(registry, batch_ids[-1])
            # Random points of the work are what this test is about.
            await asyncio.sleep(chance.uniform(0, 0.7))
        finally:
            process.kill()
            process.wait()
        batch = await registry.get(office, f"/v1/worker-batches/{batch_ids[-1]}")
        assert batch["row_count"] in (0, ROWS)
        if batch["row_count"] == 0:
            kills -= 1
        else:
            batch_ids.append(await submitted(registry, office, len(batch_ids) + 1))
    process = worker(settings, url)
    try:
        path = f"/v1/worker-batches/{batch_ids[-1]}"
        await eventually(
            lambda: registry.get(office, path), lambda b: b["row_count"] > 0, deadline_s=120
        )
    finally:
        process.kill()
        process.wait()
    for batch_id in batch_ids:
        batch = await registry.get(office, f"/v1/worker-batches/{batch_id}")
        assert batch["state"] == "partly_accepted"
        counted = [batch[f"{name}_count"] for name in ("row", "accepted", "rejected", "duplicate")]
        assert counted == [ROWS, ROWS - 50, 30, 20]
    kinds = [s.type for s in await registry.said()]
    persons = (ROWS - 50) * len(batch_ids)
    assert kinds.count("registry.worker-nominated.v1") == persons
    assert kinds.count("registry.worker-registered.v1") == persons
    assert kinds.count("registry.worker-batch-validated.v1") == len(batch_ids)
    assert await registry.count("SELECT count(*) FROM rejected_row") == 50 * len(batch_ids)
    assert await registry.count("SELECT count(*) FROM relation") == persons


async def submitted(registry: Registry, office: Identity, seed: int) -> str:
    faults = {"id_checksum": 30, "duplicate_in_file": 20}
    answer = await registry.submit(office, a_roster(ROWS, seed, faults=faults))
    return str(answer.json()["batch_id"])


async def wait_for_work(registry: Registry, batch_id: str) -> None:
    """Wait until somebody holds the batch, or it is finished."""

    async def is_held() -> bool:
        started = await registry.count(_STARTED, UUID(batch_id))
        return bool(started) and await registry.count(_FREE) == 0

    await eventually(is_held, bool)


_STARTED = "SELECT count(*) FROM worker_batch WHERE batch_id = $1 AND state <> 'received'"
_FREE = """
SELECT count(*) FROM (
    SELECT 1 FROM worker_batch WHERE state = 'validating' FOR UPDATE SKIP LOCKED) f
"""
