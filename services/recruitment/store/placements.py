"""Placements in the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from contracts.recruitment import PlacementFact
from shared.problem import NotFound
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


async def load_grounds(tx: Tx, offer_ids: Iterable[UUID]) -> "list[Record]":
    """Load what placements follow from: offers with their nomination, vacancy and drive."""
    return await tx.fetch(_GROUNDS, list(offer_ids))


_GROUNDS = """
SELECT o.offer_id, o.group_id, n.nomination_id, n.worker_id, n.gender, n.office_id,
    n.origin_division_code,
       n.boarding_place_code, n.available_from, n.needs_bed, v.vacancy_id, v.enterprise_id,
           v.site, v.starts_on,
       v.programme, v.nights, d.drive_id, d.runs_transport, d.priority
FROM offer o JOIN nomination n USING (nomination_id) JOIN vacancy v ON v.vacancy_id = o.vacancy_id
JOIN drive d ON d.drive_id = o.drive_id
WHERE o.offer_id = ANY ($1) ORDER BY o.offer_id
"""


async def insert_placements(tx: Tx, facts: Sequence[tuple[UUID, PlacementFact]]) -> None:
    """Insert confirmed placements, each with the offer it comes from."""
    rows = [{"offer_id": str(o), **f.model_dump(mode="json")} for o, f in facts]
    await tx.execute(_INSERT, rows, tx.now)


_FIELDS = """
    placement_id uuid, offer_id uuid, nomination_id uuid, worker_id uuid, gender text, office_id
        uuid,
    enterprise_id uuid, drive_id uuid, vacancy_id uuid, site jsonb, starts_on date, hired_on date,
    origin_division_code text, boarding_place_code text, available_from date, group_id uuid,
    group_placed_count integer, needs_seat boolean, needs_bed boolean, programme text, nights
        smallint,
    priority smallint"""
_NAMES = ", ".join(line.split()[0] for line in _FIELDS.replace("\n", " ").split(","))
_INSERT = f"""
INSERT INTO placement ({_NAMES}, state, confirmed_at)
SELECT {_NAMES}, 'confirmed', $2 FROM jsonb_to_recordset($1::jsonb) AS r ({_FIELDS})
"""


async def get_placement(tx: Tx, placement_id: UUID) -> "Record":
    """Give a placement that the caller may see; raises `NotFound`."""
    row = await tx.fetchrow("SELECT * FROM placement WHERE placement_id = $1", placement_id)
    if row is None:
        raise NotFound
    return row


async def list_live_placements(tx: Tx, nomination_ids: Iterable[UUID]) -> "list[Record]":
    """List confirmed and started placements of these nominations."""
    return await tx.fetch(_LIVE, list(nomination_ids))


_LIVE = """
SELECT * FROM placement WHERE nomination_id = ANY ($1) AND state IN ('confirmed', 'started') ORDER
    BY placement_id
"""


async def list_nomination_ids_of_live_placements(tx: Tx, worker_ids: Iterable[UUID]) -> list[UUID]:
    """List the nominations, also ended ones, by which persons have a live placement."""
    return [r["nomination_id"] for r in await tx.fetch(_OF_WORKERS, list(worker_ids))]


_OF_WORKERS = """
SELECT nomination_id FROM placement WHERE worker_id = ANY ($1) AND state IN ('confirmed', 'started')
"""


async def update_placements(tx: Tx, facts: Sequence[PlacementFact]) -> None:
    """Take over the new whole of confirmed placements of locked nominations."""
    await tx.execute(_UPDATE, [f.model_dump(mode="json") for f in facts])


_UPDATE = f"""
UPDATE placement p SET gender = r.gender, enterprise_id = r.enterprise_id, vacancy_id =
    r.vacancy_id,
    site = r.site, starts_on = r.starts_on, origin_division_code = r.origin_division_code,
    boarding_place_code = r.boarding_place_code, available_from = r.available_from, needs_seat =
        r.needs_seat,
    needs_bed = r.needs_bed, programme = r.programme, nights = r.nights
FROM jsonb_to_recordset($1::jsonb) AS r ({_FIELDS})
WHERE p.placement_id = r.placement_id AND p.state = 'confirmed'
"""


async def cancel_placements(tx: Tx, reasons: Mapping[UUID, str], by: str) -> "list[Record]":
    """Cancel confirmed placements of locked nominations; give those that were."""
    return await tx.fetch(_CANCEL, list(reasons), list(reasons.values()), by)


_CANCEL = """
UPDATE placement p SET state = 'cancelled', reason = u.reason, decided_by = $3
FROM unnest($1::uuid[], $2::text[]) AS u (placement_id, reason)
WHERE p.placement_id = u.placement_id AND p.state = 'confirmed' RETURNING p.*
"""


async def start_placement(tx: Tx, placement_id: UUID, by: str, started_on: date) -> None:
    """Let a confirmed placement of a locked nomination start."""
    await tx.execute(_START, placement_id, by, started_on)


_START = """
UPDATE placement SET state = 'started', decided_by = $2, started_on = $3
WHERE placement_id = $1 AND state = 'confirmed'
"""


async def end_placements(
    tx: Tx, placement_ids: Iterable[UUID], reason: str, by: str, ended_on: date
) -> "list[Record]":
    """End started placements; give those that were."""
    return await tx.fetch(_END, list(placement_ids), reason, by, ended_on)


_END = """
UPDATE placement SET state = 'ended', reason = $2, decided_by = $3, ended_on = $4
WHERE placement_id = ANY ($1) AND state = 'started' RETURNING *
"""

Told = tuple[UUID, str, datetime]


async def note_travel(tx: Tx, told: Sequence[Told]) -> None:
    """Note what transport told; an older word never replaces a newer one."""
    await tx.execute(_TRAVEL, *_columns(told))


async def note_lodging(tx: Tx, told: Sequence[Told]) -> None:
    """Note what lodging told (placement, word, when it was said)."""
    await tx.execute(_LODGING, *_columns(told))


_NEWEST = """(
    SELECT DISTINCT ON (placement_id) * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[])
        AS t (placement_id, word, said_at) ORDER BY placement_id, said_at DESC)"""
_TRAVEL = f"""
UPDATE placement p SET travel = u.word, travel_at = u.said_at FROM {_NEWEST} AS u
WHERE p.placement_id = u.placement_id AND (p.travel_at IS NULL OR p.travel_at <= u.said_at)
"""
_LODGING = f"""
UPDATE placement p SET lodging = u.word, lodging_at = u.said_at FROM {_NEWEST} AS u
WHERE p.placement_id = u.placement_id AND (p.lodging_at IS NULL OR p.lodging_at <= u.said_at)
"""


def _columns(told: Sequence[Told]) -> tuple[list[Any], ...]:
    return [t[0] for t in told], [t[1] for t in told], [t[2] for t in told]


async def load_transport(tx: Tx, placement_ids: Iterable[UUID]) -> dict[UUID, bool]:
    """Tell of each placement whether its drive runs transport."""
    return {
        r["placement_id"]: r["runs_transport"] for r in await tx.fetch(_RUNS, list(placement_ids))
    }


_RUNS = """
SELECT p.placement_id, d.runs_transport FROM placement p JOIN drive d USING (drive_id)
WHERE p.placement_id = ANY ($1)
"""
