"""Publishes a trip's manifest: a frozen version, with its difference to the last one."""

from typing import Any
from uuid import UUID

from services.transport.domain.manifest import difference, lines
from services.transport.handlers.trips import lock_trip
from services.transport.store.bookings import load_bookings_of_trips
from services.transport.store.manifests import insert_manifest, load_passengers
from services.transport.store.trips import update_trip
from shared.transaction import Tx


async def publish(tx: Tx, trip_id: UUID) -> dict[str, Any]:
    """Freeze who sits where now; without a difference the last version stands."""
    trip = await lock_trip(tx, trip_id)
    now = lines(trip, await load_bookings_of_trips(tx, [trip_id]))
    differs = difference(await load_passengers(tx, trip_id, trip.manifest_version), now)
    if trip.manifest_version == 0 or any(differs.values()):
        trip.manifest_version += 1
        await insert_manifest(tx, (trip_id, trip.manifest_version), now, differs)
        await update_trip(tx, trip)
    return {"trip_id": trip_id, "version": trip.manifest_version, "difference": differs}
