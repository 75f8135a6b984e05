"""What the explanation of matching reads, and what persons decided about pairs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from services.recruitment.store.rounds import CANDIDATE_COLUMNS
from services.recruitment.store.rows import Row
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


async def list_nomination_ids(
    tx: Tx, drive_id: UUID, wanted: tuple[UUID | None, UUID | None, int]
) -> list[UUID]:
    """List a drive's nominations that the caller may see: (only this, after this, how many)."""
    return [r["nomination_id"] for r in await tx.fetch(_IDS, drive_id, *wanted)]


_IDS = """
SELECT nomination_id FROM nomination
WHERE drive_id = $1 AND ($2::uuid IS NULL OR nomination_id = $2) AND ($3::uuid IS NULL OR
    nomination_id > $3)
    AND state <> 'ended'
ORDER BY nomination_id LIMIT $4
"""


async def list_waiting_ids(tx: Tx, drive_id: UUID) -> list[UUID]:
    """List who waits in a drive, as far as the caller may see."""
    sql = "SELECT nomination_id FROM nomination WHERE drive_id = $1 AND state = 'waiting'"
    return [r["nomination_id"] for r in await tx.fetch(sql, drive_id)]


async def load_people(tx: Tx, nomination_ids: Sequence[UUID]) -> "list[Record]":
    """Load nominations as candidates, with how they stand."""
    return await tx.fetch(_PEOPLE, list(nomination_ids))


_PEOPLE = f"""
SELECT {CANDIDATE_COLUMNS}, n.state, n.unplaced_reason, n.nearest_miss
FROM nomination n JOIN drive d USING (drive_id) LEFT JOIN tenant t ON t.tenant_id = n.office_id
WHERE n.nomination_id = ANY ($1) ORDER BY n.nomination_id
"""


async def is_pair_of(tx: Tx, drive_id: UUID, nomination: Row, vacancy_id: UUID) -> bool:
    """Tell whether a nomination and a vacancy are both of a drive."""
    sql = "SELECT drive_id FROM vacancy WHERE vacancy_id = $1"
    of_vacancy: UUID | None = await tx.fetchval(sql, vacancy_id)
    return {of_vacancy, nomination["drive_id"]} == {drive_id}


async def put_review(tx: Tx, pair: tuple[UUID, UUID], decision: str) -> None:
    """Keep a decision about a pair; `none` takes it away."""
    if decision == "none":
        sql = "DELETE FROM match_review WHERE nomination_id = $1 AND vacancy_id = $2"
        await tx.execute(sql, *pair)
        return
    await tx.execute(_PUT, *pair, decision, tx.now)


_PUT = """
INSERT INTO match_review (nomination_id, vacancy_id, office_id, decision, reviewed_at)
SELECT $1, $2, office_id, $3, $4 FROM nomination WHERE nomination_id = $1
ON CONFLICT (nomination_id, vacancy_id) DO UPDATE SET decision = excluded.decision, reviewed_at =
    excluded.reviewed_at
"""
