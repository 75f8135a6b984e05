"""A key that seals nothing is swept away; one that seals something, or soon may, never is."""

from uuid import UUID

import asyncpg

from services.registry.handlers.submitting import TICKERS
from services.registry.settings import RegistrySettings
from shared.identity import Identity
from shared.ticker import TICKER_LOCK
from tests.integration.registry.world import Registry
from tests.support.rosters import a_roster


async def grow_old(settings: RegistrySettings) -> None:
    conn = await asyncpg.connect(settings.keys_database_url.get_secret_value())
    try:
        await conn.execute("UPDATE data_key SET created_at = created_at - interval '61 minutes'")
    finally:
        await conn.close()


async def test_keys_of_what_was_rolled_back_are_swept_and_no_others(
    registry: Registry, office: Identity, settings: RegistrySettings
) -> None:
    await registry.imported(office, a_roster(30, 1, faults={"id_checksum": 5}))
    waiting = (await registry.submit(office, a_roster(20, 2))).json()["batch_id"]
    vault, ids = registry.intake.vault, registry.db.ids
    used = set(await vault.store.list_key_ids(UUID(int=0), 0, 1_000))
    assert len(used) == 31
    old = [ids.uuid7() for _ in range(3)]
    await vault.new_keys(office.tenant_id, old)
    await grow_old(settings)
    young = ids.uuid7()
    await vault.new_keys(office.tenant_id, [young])
    (sweep,) = (t for t in registry.house.tickers if t.name == "sweep-keys")

    async with registry.db.transaction(role="worker") as importing:
        await importing.execute(
            "SELECT pg_advisory_xact_lock($1, hashtext($2))", TICKER_LOCK, TICKERS[1]
        )
        async with registry.db.transaction(role="worker") as tx:
            assert await sweep.run(tx) == 0
    async with registry.db.transaction(role="worker") as tx:
        assert await sweep.run(tx) == 3
    assert set(await vault.load_keys([*used, *old, young])) == {*used, young}
    await registry.tick()
    batch = await registry.get(office, f"/v1/worker-batches/{waiting}")
    assert batch["state"] == "accepted"
