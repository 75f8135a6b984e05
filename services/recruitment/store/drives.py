"""Drives in the database."""

from typing import TYPE_CHECKING
from uuid import UUID

from contracts.recruitment import DriveFact
from services.recruitment.domain.states import DRIVE
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
    """Put a locked drive into another state, as a person wants it."""
    sql = "UPDATE drive SET state = $2, by_calendar = false WHERE drive_id = $1"
    await tx.execute(sql, drive_id, state)


async def note_calendar(tx: Tx, drive_id: UUID) -> None:
    """Note of a locked drive that its date made the last step."""
    await tx.execute("UPDATE drive SET by_calendar = true WHERE drive_id = $1", drive_id)


async def open_those_due(tx: Tx) -> "list[Record]":
    """Open the announced drives whose first day has come since; give them."""
    sources = DRIVE.sources("open")
    after = [DRIVE.after(source, "open") for source in sources]
    return await tx.fetch(_OPEN_DUE, list(sources), after, tx.today)


# A drive that was announced on its first day or later is in the hands of whoever announced it.
_OPEN_DUE = """
UPDATE drive d SET state = s.after, by_calendar = true
FROM unnest($1::text[], $2::text[]) AS s (before, after)
WHERE d.state = s.before AND d.opens_on <= $3 AND d.closes_on >= $3
    AND d.opens_on > (d.announced_at AT TIME ZONE 'Asia/Shanghai')::date
RETURNING d.*
"""


async def find_over(tx: Tx) -> UUID | None:
    """Find a drive whose last day is over and that isn't closed; the one that ended first."""
    found: UUID | None = await tx.fetchval(_OVER, list(DRIVE.sources("close")), tx.today)
    return found


# Dates that were past when the drive was announced say nothing about its end.
_OVER = """
SELECT drive_id FROM drive WHERE state = ANY ($1) AND closes_on < $2
    AND closes_on >= (announced_at AT TIME ZONE 'Asia/Shanghai')::date
ORDER BY closes_on, drive_id LIMIT 1
"""


def _found(row: "Record | None") -> "Record":
    if row is None:
        raise NotFound
    return row
