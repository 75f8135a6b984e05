"""What callers read: lists and single things, under their row security."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from shared.paging import page
from shared.problem import NotFound
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page: at most `limit` rows before the row `last`, with these values (None: any)."""

    limit: int
    last: UUID | None
    filters: Mapping[str, object]


_DRIVE: Final = "SELECT * FROM drive"
_VACANCY: Final = "SELECT *, openings - taken_count AS free_count FROM vacancy"
_OFFER: Final = """
SELECT offer_id, nomination_id, worker_id, office_id, enterprise_id, drive_id, vacancy_id,
    group_id, round,
       acceptance, terms, state, pending, made_at, expires_at, answered_at, reason FROM offer"""
_PLACEMENT: Final = "SELECT * FROM placement"
_CHECK: Final = """
SELECT c.*, (SELECT jsonb_agg(jsonb_build_object(
        'answer_id', a.answer_id, 'result', a.result, 'answered_on', a.answered_on,
        'answered_by', a.answered_by, 'corrects', a.corrects) ORDER BY a.answer_id)
    FROM retention_answer a WHERE a.retention_check_id = c.retention_check_id) AS answers
FROM retention_check c"""


async def list_drives(wanted: Wanted, tx: Tx) -> dict[str, object]:
    """List drives, the newest first."""
    return await _page(tx, _DRIVE, "drive_id", wanted)


async def list_vacancies(wanted: Wanted, tx: Tx) -> dict[str, object]:
    """List vacancies, the newest first."""
    return await _page(tx, _VACANCY, "vacancy_id", wanted)


async def list_offers(wanted: Wanted, tx: Tx) -> dict[str, object]:
    """List offers, the newest first."""
    return await _page(tx, _OFFER, "offer_id", wanted)


async def list_placements(wanted: Wanted, tx: Tx) -> dict[str, object]:
    """List placements, the newest first."""
    return await _page(tx, _PLACEMENT, "placement_id", wanted)


async def list_checks(wanted: Wanted, tx: Tx) -> dict[str, object]:
    """List retention checks with their answers, the newest first."""
    return await _page(tx, _CHECK, "retention_check_id", wanted)


async def _page(tx: Tx, select: str, key: str, wanted: Wanted) -> dict[str, object]:
    """Give a page; names of filters are ours, values are parameters."""
    values: list[object] = [wanted.limit + 1]
    clauses = []
    for name, value in wanted.filters.items():
        if value is not None:
            values.append(value)
            clauses.append(f"{name} = ${len(values)}")
    if wanted.last is not None:
        values.append(wanted.last)
        clauses.append(f"{key} < ${len(values)}")
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    rows = await tx.fetch(f"{select}{where} ORDER BY {key} DESC LIMIT $1", *values)
    return page(rows, wanted.limit, key)


async def find_drive(drive_id: UUID, tx: Tx) -> "Record | None":
    """Find a drive."""
    return await tx.fetchrow(f"{_DRIVE} WHERE drive_id = $1", drive_id)


async def find_vacancy(vacancy_id: UUID, tx: Tx) -> "Record | None":
    """Find a vacancy."""
    return await tx.fetchrow(f"{_VACANCY} WHERE vacancy_id = $1", vacancy_id)


async def find_offer(offer_id: UUID, tx: Tx) -> "Record | None":
    """Find an offer."""
    return await tx.fetchrow(f"{_OFFER} WHERE offer_id = $1", offer_id)


async def find_placement(placement_id: UUID, tx: Tx) -> "Record | None":
    """Find a placement."""
    return await tx.fetchrow(f"{_PLACEMENT} WHERE placement_id = $1", placement_id)


async def get_offer(tx: Tx, offer_id: UUID) -> dict[str, Any]:
    """Give an offer as callers see it; raises `NotFound`."""
    row = await find_offer(offer_id, tx)
    if row is None:
        raise NotFound
    return dict(row)


async def count_drives(tx: Tx, as_of: date, since: date | None) -> dict[str, int]:
    """Count the drives that the caller sees and that had begun, and the posts offered in them.

    A post is an opening of a vacancy that was posted by then and isn't withdrawn.
    """
    drives = await tx.fetch(_BEGUN, as_of, since)
    # Vacancies are their enterprises' own; of those in a drive of its origins an office has sums.
    await tx.as_worker()
    posts = await tx.fetchrow(_POSTS, [d["drive_id"] for d in drives], as_of)
    return {"drives_held": len(drives), **(posts or {})}


_BEGUN: Final = """
SELECT drive_id FROM drive
WHERE state <> 'announced' AND opens_on <= $1 AND ($2::date IS NULL OR opens_on >= $2)
"""
_POSTS: Final = """
SELECT count(*) AS vacancies_posted, COALESCE(sum(openings), 0) AS posts_offered FROM vacancy
WHERE drive_id = ANY ($1) AND state <> 'withdrawn'
    AND (posted_at AT TIME ZONE 'Asia/Shanghai')::date <= $2
"""


#: Name of an invariant -> a query whose every row is a violation (one text column).
INVARIANTS: Final[Mapping[str, str]] = {
    "no vacancy has more placements than openings": """
        SELECT v.vacancy_id::text FROM vacancy v JOIN placement p USING (vacancy_id)
        WHERE p.state <> 'cancelled' GROUP BY v.vacancy_id, v.openings
        HAVING count(*) > v.openings""",
    "openings in use are those of offers and placements": """
        SELECT v.vacancy_id::text FROM vacancy v LEFT JOIN (
            SELECT vacancy_id, count(*) AS n FROM placement WHERE state <> 'cancelled' GROUP BY 1
        ) p USING (vacancy_id) WHERE v.placed_count <> COALESCE(p.n, 0)""",
    "openings taken are those of offers, answers and placements": """
        SELECT v.vacancy_id::text FROM vacancy v LEFT JOIN (
            SELECT vacancy_id, count(*) AS n FROM (
                SELECT vacancy_id FROM placement WHERE state <> 'cancelled'
                UNION ALL SELECT vacancy_id FROM offer WHERE state = 'made' OR pending
            ) t GROUP BY 1
        ) taken USING (vacancy_id) WHERE v.taken_count <> COALESCE(taken.n, 0)""",
    "a nomination has one live placement": """
        SELECT nomination_id::text FROM placement WHERE state IN ('confirmed', 'started')
        GROUP BY nomination_id HAVING count(*) > 1""",
}
