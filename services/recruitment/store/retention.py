"""Retention checks in the database: when they are due, and every answer with its date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from shared.problem import NotFound
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


@dataclass(frozen=True, slots=True)
class NewCheck:
    """A check of a started placement, due some months after the start."""

    retention_check_id: UUID
    placement_id: UUID
    milestone_months: int
    due_on: date


async def insert_checks(tx: Tx, checks: Sequence[NewCheck]) -> None:
    """Schedule checks; the placement's tenants are theirs."""
    await tx.execute(
        _INSERT,
        [c.retention_check_id for c in checks],
        [c.placement_id for c in checks],
        [c.milestone_months for c in checks],
        [c.due_on for c in checks],
    )


_INSERT = """
INSERT INTO retention_check (retention_check_id, placement_id, office_id, enterprise_id,
    milestone_months,
                             due_on, state)
SELECT u.check_id, p.placement_id, p.office_id, p.enterprise_id, u.months, u.due_on, 'scheduled'
FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::date[]) AS u (check_id, placement_id,
    months, due_on)
JOIN placement p USING (placement_id)
"""


async def mark_due(tx: Tx) -> int:
    """Make checks due whose day has come (business time); give how many."""
    sql = "UPDATE retention_check SET state = 'due' WHERE state = 'scheduled' AND due_on <= $1"
    return int((await tx.execute(sql, tx.today)).split()[-1])


async def drop_checks(tx: Tx, placement_ids: Iterable[UUID]) -> None:
    """Drop the checks of placements that nobody has answered."""
    await tx.execute(_DROP, list(placement_ids))


_DROP = """
UPDATE retention_check SET state = 'dropped'
WHERE placement_id = ANY ($1) AND state IN ('scheduled', 'due')
"""


async def get_check(tx: Tx, retention_check_id: UUID) -> "Record":
    """Give a check that the caller may see; raises `NotFound`."""
    sql = "SELECT * FROM retention_check WHERE retention_check_id = $1"
    return _found(await tx.fetchrow(sql, retention_check_id))


async def get_check_of(tx: Tx, placement_id: UUID, milestone_months: int) -> "Record":
    """Give a placement's check of a milestone that the caller may see; raises `NotFound`."""
    sql = "SELECT * FROM retention_check WHERE placement_id = $1 AND milestone_months = $2"
    return _found(await tx.fetchrow(sql, placement_id, milestone_months))


async def lock_check(tx: Tx, retention_check_id: UUID) -> "Record":
    """Give a check and keep others from answering it until commit."""
    sql = "SELECT * FROM retention_check WHERE retention_check_id = $1 FOR UPDATE"
    return _found(await tx.fetchrow(sql, retention_check_id))


async def find_last_answer(tx: Tx, retention_check_id: UUID) -> UUID | None:
    """Find the answer that counts so far: the id of the event that said it."""
    answer_id: UUID | None = await tx.fetchval(_LAST, retention_check_id)
    return answer_id


_LAST = """
SELECT answer_id FROM retention_answer WHERE retention_check_id = $1 ORDER BY answer_id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer to a check; `answer_id` is its event's id, `corrects` the earlier one's."""

    answer_id: UUID
    retention_check_id: UUID
    result: str
    answered_on: date
    answered_by: str
    corrects: UUID | None


async def insert_answer(tx: Tx, answer: NewAnswer) -> None:
    """Keep an answer beside the earlier ones."""
    await tx.execute(
        _ANSWER,
        answer.answer_id,
        answer.retention_check_id,
        answer.result,
        answer.answered_on,
        answer.answered_by,
        answer.corrects,
        tx.now,
    )
    sql = "UPDATE retention_check SET state = 'answered' WHERE retention_check_id = $1"
    await tx.execute(sql, answer.retention_check_id)


_ANSWER = """
INSERT INTO retention_answer (answer_id, retention_check_id, office_id, enterprise_id, result,
    answered_on,
                              answered_by, corrects, recorded_at)
SELECT $1, c.retention_check_id, c.office_id, c.enterprise_id, $3, $4, $5, $6, $7
FROM retention_check c WHERE c.retention_check_id = $2
"""


def _found(row: "Record | None") -> "Record":
    if row is None:
        raise NotFound
    return row
