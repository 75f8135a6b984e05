"""Vehicles that coordinators plan with."""

from dataclasses import dataclass
from uuid import UUID

from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle; its plate is known once."""

    vehicle_id: UUID
    plate: str
    kind: str
    licensed_capacity: int
    operator: str | None


async def insert_vehicle(tx: Tx, vehicle: Vehicle) -> bool:
    """Insert a vehicle; False when its plate is known already."""
    done = await tx.fetchval(
        "INSERT INTO vehicle (vehicle_id, plate, kind, licensed_capacity, operator)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (plate) DO NOTHING RETURNING true",
        vehicle.vehicle_id,
        vehicle.plate,
        vehicle.kind,
        vehicle.licensed_capacity,
        vehicle.operator,
    )
    return bool(done)


async def update_vehicle(tx: Tx, vehicle: Vehicle) -> bool:
    """Write the whole of a vehicle; False when another one has that plate."""
    done = await tx.fetchval(
        "UPDATE vehicle v SET plate = $2, kind = $3, licensed_capacity = $4, operator = $5"
        " WHERE vehicle_id = $1 AND NOT EXISTS"
        " (SELECT FROM vehicle o WHERE o.plate = $2 AND o.vehicle_id <> $1) RETURNING true",
        vehicle.vehicle_id,
        vehicle.plate,
        vehicle.kind,
        vehicle.licensed_capacity,
        vehicle.operator,
    )
    return bool(done)


async def delete_vehicle(tx: Tx, vehicle_id: UUID) -> None:
    """Forget a vehicle; trips keep their own copy of what they need."""
    await tx.execute("DELETE FROM vehicle WHERE vehicle_id = $1", vehicle_id)
