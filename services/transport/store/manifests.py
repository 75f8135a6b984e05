"""Published manifests, frozen, and the key that signs the tickets."""

from typing import Any
from uuid import UUID

from shared.transaction import Tx


async def insert_manifest(
    tx: Tx, key: tuple[UUID, int], passengers: list[dict[str, Any]], difference: dict[str, Any]
) -> None:
    """Freeze a version (`key`: trip and number) of who sits where, and what is new about it."""
    await tx.execute(
        "INSERT INTO manifest (trip_id, version, published_at, passengers, difference)"
        " VALUES ($1, $2, $3, $4, $5)",
        *key,
        tx.now,
        passengers,
        difference,
    )


async def load_passengers(tx: Tx, trip_id: UUID, version: int) -> list[dict[str, Any]]:
    """Load who sat where in a published version; nobody before the first."""
    found = await tx.fetchval(
        "SELECT passengers FROM manifest WHERE trip_id = $1 AND version = $2", trip_id, version
    )
    return list(found or [])


async def load_ticket_key(tx: Tx) -> bytes:
    """Load the key that signs tickets; only the service's own role reads it."""
    key: bytes = await tx.fetchval("SELECT key FROM ticket_key")
    return key
