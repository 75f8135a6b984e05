"""Vacancies in the database, and the count of their openings that are in use."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from contracts.recruitment import VacancyFact
from shared.problem import NotFound
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


async def insert_vacancies(tx: Tx, facts: Sequence[VacancyFact]) -> None:
    """Insert vacancies as they were posted."""
    await tx.execute(_INSERT, [f.model_dump(mode="json") for f in facts], tx.now)


_INSERT = """
INSERT INTO vacancy (vacancy_id, drive_id, enterprise_id, site, title, occupation_code, openings,
    starts_on, monthly_pay_min, monthly_pay_max, requirements, programme, nights, labour_brand,
    state, posted_at)
SELECT r.vacancy_id, r.drive_id, r.enterprise_id, r.site, r.title, r.occupation_code, r.openings,
    r.starts_on, r.monthly_pay_min, r.monthly_pay_max, r.requirements, r.programme, r.nights,
    r.labour_brand, 'posted', $2
FROM jsonb_to_recordset($1::jsonb) AS r (
    vacancy_id uuid, drive_id uuid, enterprise_id uuid, site jsonb, title text,
    occupation_code text, openings integer, starts_on date, monthly_pay_min integer,
    monthly_pay_max integer, requirements jsonb, programme text, nights smallint,
    labour_brand text)
"""


async def get_vacancy(tx: Tx, vacancy_id: UUID) -> "Record":
    """Give a vacancy that the caller may see; raises `NotFound`."""
    row = await tx.fetchrow("SELECT * FROM vacancy WHERE vacancy_id = $1", vacancy_id)
    if row is None:
        raise NotFound
    return row


async def load_vacancies(tx: Tx, vacancy_ids: Iterable[UUID]) -> "dict[UUID, Record]":
    """Load vacancies by id."""
    rows = await tx.fetch("SELECT * FROM vacancy WHERE vacancy_id = ANY ($1)", list(vacancy_ids))
    return {r["vacancy_id"]: r for r in rows}


async def load_vacancies_for_update(tx: Tx, vacancy_ids: Iterable[UUID]) -> "dict[UUID, Record]":
    """Lock vacancies, by id and after the nominations, so that nobody deadlocks."""
    rows = await tx.fetch(_LOCK, list(vacancy_ids))
    return {r["vacancy_id"]: r for r in rows}


_LOCK = "SELECT * FROM vacancy WHERE vacancy_id = ANY ($1) ORDER BY vacancy_id FOR UPDATE"


async def lock_vacancies_of_offers(tx: Tx, offer_ids: Iterable[UUID]) -> None:
    """Lock the vacancies of all open offers that the acceptance of these can end."""
    await tx.execute(_LOCK_OF_OFFERS, list(offer_ids))


_LOCK_OF_OFFERS = """
WITH person AS (
    SELECT nomination_id FROM offer WHERE offer_id = ANY ($1)
), theirs AS (
    SELECT o.vacancy_id, o.set_id FROM offer o JOIN person USING (nomination_id)
    WHERE o.state = 'made' OR o.pending
), involved AS (
    SELECT vacancy_id FROM theirs
    UNION SELECT o.vacancy_id FROM offer o JOIN theirs t ON t.set_id = o.set_id
)
SELECT 1 FROM vacancy WHERE vacancy_id IN (SELECT vacancy_id FROM involved)
ORDER BY vacancy_id FOR UPDATE
"""


async def take_opening(tx: Tx, vacancy_id: UUID) -> bool:
    """Take one opening of a posted vacancy if there is one, by one statement."""
    return await tx.fetchval(_TAKE_ONE, vacancy_id) is not None


_TAKE_ONE = """
UPDATE vacancy SET taken_count = taken_count + 1
WHERE vacancy_id = $1 AND state = 'posted' AND taken_count < openings RETURNING true
"""


async def add_taken(tx: Tx, counts: Mapping[UUID, int]) -> None:
    """Take or give back (below zero) openings; the table's check is the last line."""
    await tx.execute(_ADD_TAKEN, *_columns(counts))


_ADD_TAKEN = """
UPDATE vacancy v SET taken_count = v.taken_count + u.n
FROM unnest($1::uuid[], $2::integer[]) AS u (vacancy_id, n) WHERE v.vacancy_id = u.vacancy_id
"""


async def add_placed(tx: Tx, counts: Mapping[UUID, int]) -> "list[Record]":
    """Count placements of locked vacancies; give those that are filled by it."""
    return await tx.fetch(_ADD_PLACED, *_columns(counts))


_ADD_PLACED = """
WITH counted AS (
    UPDATE vacancy v SET placed_count = v.placed_count + u.n,
           state = CASE WHEN v.state = 'posted' AND v.placed_count + u.n = v.openings THEN
               'filled' ELSE v.state END
    FROM unnest($1::uuid[], $2::integer[]) AS u (vacancy_id, n) WHERE v.vacancy_id = u.vacancy_id
    RETURNING v.*
) SELECT * FROM counted WHERE state = 'filled' ORDER BY vacancy_id
"""


async def free_placed(tx: Tx, counts: Mapping[UUID, int]) -> "list[Record]":
    """Give back openings of placements that are off; give the vacancies that look again."""
    return await tx.fetch(_FREE_PLACED, *_columns(counts))


_FREE_PLACED = """
WITH before AS (
    SELECT v.vacancy_id, v.state, u.n FROM vacancy v
    JOIN unnest($1::uuid[], $2::integer[]) AS u (vacancy_id, n) USING (vacancy_id)
), freed AS (
    UPDATE vacancy v SET taken_count = v.taken_count - b.n, placed_count = v.placed_count - b.n,
           state = CASE WHEN v.state = 'filled' THEN 'posted' ELSE v.state END
    FROM before b WHERE v.vacancy_id = b.vacancy_id RETURNING v.*, b.state AS before_state
) SELECT * FROM freed WHERE before_state = 'filled' ORDER BY vacancy_id
"""


async def update_vacancy_state(tx: Tx, vacancy_id: UUID, state: str) -> None:
    """Put a locked vacancy into another state."""
    await tx.execute("UPDATE vacancy SET state = $2 WHERE vacancy_id = $1", vacancy_id, state)


def _columns(counts: Mapping[UUID, int]) -> tuple[list[UUID], list[int]]:
    ids = sorted(counts)
    return ids, [counts[i] for i in ids]
