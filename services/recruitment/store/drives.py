"""Drives in the database."""

from typing import TYPE_CHECKING
from uuid import UUID

from contracts.recruitment import DriveFact
from shared.problem import NotFound
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


async def insert_drive(tx: Tx, fact: DriveFact) -> None:
    """Insert a drive as it was announced."""
    await tx.execute(_INSERT, fact.model_dump(mode="json"), tx.now)


_INSERT = """
INSERT INTO drive (drive_id, title, kind, origins, enterprises, opens_on, closes_on, acceptance,
                   runs_transport, priority, state, announced_at)
SELECT r.drive_id, r.title, r.kind, r.origins, r.enterprises, r.opens_on, r.closes_on, r.acceptance,
       r.runs_transport, r.priority, 'announced', $2
FROM jsonb_to_record($1::jsonb) AS r (
    drive_id uuid, title text, kind text, origins text[], enterprises uuid[], opens_on date,
    closes_on date, acceptance text, runs_transport boolean, priority smallint)
"""


async def get_drive(tx: Tx, drive_id: UUID) -> "Record":
    """Give a drive that the caller may see; raises `NotFound`."""
    return _found(await tx.fetchrow("SELECT * FROM drive WHERE drive_id = $1", drive_id))


async def get_drive_for_share(tx: Tx, drive_id: UUID) -> "Record":
    """Give a drive and keep its state until commit: offers are made under this lock."""
    sql = "SELECT * FROM drive WHERE drive_id = $1 FOR SHARE"
    return _found(await tx.fetchrow(sql, drive_id))


async def get_drive_for_update(tx: Tx, drive_id: UUID) -> "Record":
    """Give a drive and keep everybody from making offers in it until commit."""
    sql = "SELECT * FROM drive WHERE drive_id = $1 FOR UPDATE"
    return _found(await tx.fetchrow(sql, drive_id))


async def find_drive(tx: Tx, drive_id: UUID) -> "Record | None":
    """Find a drive."""
    return await tx.fetchrow("SELECT * FROM drive WHERE drive_id = $1", drive_id)


async def update_drive_state(tx: Tx, drive_id: UUID, state: str) -> None:
    """Put a locked drive into another state."""
    await tx.execute("UPDATE drive SET state = $2 WHERE drive_id = $1", drive_id, state)


def _found(row: "Record | None") -> "Record":
    if row is None:
        raise NotFound
    return row
