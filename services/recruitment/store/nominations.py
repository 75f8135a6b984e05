"""Nominations in the database: what was heard of them, and how they stand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from contracts.registry import NominationFact
from services.recruitment.domain.states import NOMINATION
from shared.problem import NotFound
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


async def insert_nominations(
    tx: Tx, facts: Sequence[NominationFact], cause_ids: Mapping[UUID, UUID]
) -> None:
    """Insert what is new; a person who was erased meanwhile is only counted.

    Causes are the events that told so, by nomination.
    """
    await tx.execute(_INSERT, _rows(facts, cause_ids), tx.now)


def _rows(facts: Sequence[NominationFact], cause_ids: Mapping[UUID, UUID]) -> list[dict[str, Any]]:
    return [
        {**f.model_dump(mode="json"), "cause_id": str(cause_ids[f.nomination_id])} for f in facts
    ]


_TOLD = """(
    nomination_id uuid, worker_id uuid, office_id uuid, batch_id uuid, drive_id uuid, gender text,
    birth_year_month text, origin_division_code text, education_code text, certificate_codes text[],
    occupation_codes text[], preferred_pay_min integer, preferred_pay_max integer, available_from
        date,
    boarding_place_code text, needs_bed boolean, group_id uuid, group_size integer,
    cause_id uuid)"""
_INSERT = f"""
INSERT INTO nomination (nomination_id, worker_id, office_id, batch_id, named_drive_id, drive_id,
    gender,
    birth_year_month, origin_division_code, education_code, certificate_codes, occupation_codes,
    preferred_pay_min, preferred_pay_max, available_from, boarding_place_code, needs_bed, group_id,
    group_size, in_group, state, end_reason, nominated_at, cause_id)
SELECT r.nomination_id, r.worker_id, r.office_id, r.batch_id, r.drive_id, r.drive_id, r.gender,
    r.birth_year_month, r.origin_division_code, r.education_code, r.certificate_codes,
        r.occupation_codes,
    r.preferred_pay_min, r.preferred_pay_max, r.available_from, r.boarding_place_code,
        r.needs_bed, r.group_id,
    r.group_size, r.group_id IS NOT NULL AND e.worker_id IS NULL,
    CASE WHEN e.worker_id IS NULL THEN 'waiting' ELSE 'ended' END,
    CASE WHEN e.worker_id IS NOT NULL THEN 'erased' END, $2, r.cause_id
FROM jsonb_to_recordset($1::jsonb) AS r {_TOLD} LEFT JOIN erased_worker e USING (worker_id)
ORDER BY r.nomination_id ON CONFLICT (nomination_id) DO NOTHING
"""


async def update_nominations(
    tx: Tx, facts: Sequence[NominationFact], cause_ids: Mapping[UUID, UUID]
) -> "list[Record]":
    """Take over the new whole of locked nominations; give them with their earlier drive."""
    return await tx.fetch(_UPDATE, _rows(facts, cause_ids))


# Who named no drive stays in the one that was found; only who waits goes to another one.
_UPDATE = f"""
UPDATE nomination n SET
    batch_id = r.batch_id, named_drive_id = r.drive_id,
    drive_id = CASE WHEN n.state = 'waiting' THEN
        COALESCE(r.drive_id, CASE WHEN n.named_drive_id IS NULL THEN n.drive_id END) ELSE
            n.drive_id END,
    gender = r.gender, birth_year_month = r.birth_year_month, origin_division_code =
        r.origin_division_code,
    education_code = r.education_code, certificate_codes = r.certificate_codes,
    occupation_codes = r.occupation_codes, preferred_pay_min = r.preferred_pay_min,
    preferred_pay_max = r.preferred_pay_max, available_from = r.available_from,
    boarding_place_code = r.boarding_place_code, needs_bed = r.needs_bed,
    in_group = CASE WHEN n.group_id IS NOT DISTINCT FROM r.group_id THEN n.in_group
        ELSE r.group_id IS NOT NULL END,
    group_id = r.group_id, group_size = r.group_size, version = n.version + 1,
    cause_id = r.cause_id
FROM jsonb_to_recordset($1::jsonb) AS r {_TOLD}, nomination old
WHERE n.nomination_id = r.nomination_id AND old.nomination_id = n.nomination_id AND n.state <>
    'ended'
RETURNING n.*, old.drive_id AS drive_id_before
"""


async def update_profiles(tx: Tx, profiles: Sequence[Mapping[str, Any]]) -> "list[Record]":
    """Take over persons' new profiles into their locked nominations that haven't ended.

    A profile has the `cause_id` of the event that told it.
    """
    return await tx.fetch(_PROFILES, list(profiles))


_PROFILES = """
UPDATE nomination n SET gender = r.gender, birth_year_month = r.birth_year_month,
    origin_division_code = r.origin_division_code, education_code = r.education_code,
    certificate_codes = r.certificate_codes, occupation_codes = r.occupation_codes,
    preferred_pay_min = r.preferred_pay_min, preferred_pay_max = r.preferred_pay_max, version =
        n.version + 1, cause_id = r.cause_id
FROM jsonb_to_recordset($1::jsonb) AS r (
    worker_id uuid, gender text, birth_year_month text, origin_division_code text, education_code
        text,
    certificate_codes text[], occupation_codes text[], preferred_pay_min integer,
        preferred_pay_max integer, cause_id uuid)
WHERE n.worker_id = r.worker_id AND n.state <> 'ended'
    AND (n.gender, n.birth_year_month, n.origin_division_code, n.education_code,
        n.certificate_codes,
         n.occupation_codes, n.preferred_pay_min, n.preferred_pay_max)
    IS DISTINCT FROM (r.gender, r.birth_year_month, r.origin_division_code, r.education_code,
         r.certificate_codes, r.occupation_codes, r.preferred_pay_min, r.preferred_pay_max)
RETURNING n.*
"""


async def get_nomination(tx: Tx, nomination_id: UUID) -> "Record":
    """Give a nomination that the caller may see; raises `NotFound`."""
    row = await tx.fetchrow("SELECT * FROM nomination WHERE nomination_id = $1", nomination_id)
    if row is None:
        raise NotFound
    return row


async def load_nominations_for_update(
    tx: Tx, nomination_ids: Iterable[UUID]
) -> "dict[UUID, Record]":
    """Lock nominations together with everyone of their groups, in the order of their ids.

    Every command about offers and placements takes these locks first: whoever holds them decides
    about all offers of the person and of the group.
    """
    rows = await tx.fetch(_LOCK, list(nomination_ids))
    return {r["nomination_id"]: r for r in rows}


_LOCK = """
SELECT * FROM nomination
WHERE nomination_id = ANY ($1)
   OR group_id IN (SELECT group_id FROM nomination WHERE nomination_id = ANY ($1) AND group_id IS
       NOT NULL)
ORDER BY nomination_id FOR UPDATE
"""


async def list_nomination_ids_of_workers(tx: Tx, worker_ids: Iterable[UUID]) -> list[UUID]:
    """List the nominations of persons that haven't ended."""
    return [r["nomination_id"] for r in await tx.fetch(_OF_WORKERS, list(worker_ids))]


_OF_WORKERS = "SELECT nomination_id FROM nomination WHERE worker_id = ANY ($1) AND state <> 'ended'"


async def list_nomination_ids_of_drive(tx: Tx, drive_id: UUID) -> list[UUID]:
    """List the nominations of a drive that have no live placement and aren't over."""
    return [r["nomination_id"] for r in await tx.fetch(_OF_DRIVE, drive_id)]


_OF_DRIVE = """
SELECT nomination_id FROM nomination
WHERE drive_id = $1 AND state IN ('waiting', 'offered', 'accepted', 'set_aside')
"""


async def step_nominations(tx: Tx, nomination_ids: Iterable[UUID], step: str) -> "list[Record]":
    """Make one step of the table for locked nominations that allow it; give those that made it."""
    sources = NOMINATION.sources(step)
    targets = [NOMINATION.after(source, step) for source in sources]
    return await tx.fetch(_STEP, list(nomination_ids), list(sources), targets)


_STEP = """
UPDATE nomination n SET state = s.after, version = n.version + 1
FROM unnest($2::text[], $3::text[]) AS s (before, after)
WHERE n.nomination_id = ANY ($1) AND n.state = s.before RETURNING n.*
"""


async def note_causes(tx: Tx, cause_ids: Mapping[UUID, UUID]) -> None:
    """Note the events that let these locked nominations wait: rounds speak of them with those."""
    await tx.execute(_NOTE_CAUSES, list(cause_ids), list(cause_ids.values()))


_NOTE_CAUSES = """
UPDATE nomination n SET cause_id = u.cause_id
FROM unnest($1::uuid[], $2::uuid[]) AS u (nomination_id, cause_id)
WHERE n.nomination_id = u.nomination_id
"""


async def take_causes(tx: Tx, nomination_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Take the causes of locked nominations away, to be spoken with once; those that have one."""
    rows = await tx.fetch(_TAKE_CAUSES, list(nomination_ids))
    return {r["nomination_id"]: r["cause_id"] for r in rows}


_TAKE_CAUSES = """
UPDATE nomination n SET cause_id = NULL FROM nomination old
WHERE n.nomination_id = ANY ($1) AND old.nomination_id = n.nomination_id
    AND old.cause_id IS NOT NULL
RETURNING n.nomination_id, old.cause_id
"""


async def put_into_drive(tx: Tx, nomination_id: UUID, drive_id: UUID) -> None:
    """Let a locked nomination that named no drive take part in this one."""
    sql = "UPDATE nomination SET drive_id = $2 WHERE nomination_id = $1 AND drive_id IS NULL"
    await tx.execute(sql, nomination_id, drive_id)


async def leave_groups(tx: Tx, nomination_ids: Iterable[UUID]) -> None:
    """Let locked nominations go on without their group."""
    await tx.execute(_LEAVE, list(nomination_ids))


_LEAVE = "UPDATE nomination SET in_group = false WHERE nomination_id = ANY ($1) AND in_group"


async def end_nominations(tx: Tx, reasons: Mapping[UUID, str]) -> "list[Record]":
    """End locked nominations, each with its reason; give those that hadn't ended."""
    return await tx.fetch(_END, list(reasons), list(reasons.values()))


_END = """
UPDATE nomination n SET state = 'ended', end_reason = u.reason
FROM unnest($1::uuid[], $2::text[]) AS u (nomination_id, reason)
WHERE n.nomination_id = u.nomination_id AND n.state <> 'ended' RETURNING n.*
"""


async def erase_workers(tx: Tx, worker_ids: Sequence[UUID]) -> None:
    """Keep a tombstone of persons and nothing that describes them."""
    await tx.execute(_TOMBSTONE, sorted(worker_ids), tx.now)
    await tx.execute(_SCRUB, list(worker_ids))


_TOMBSTONE = """
INSERT INTO erased_worker (worker_id, erased_at) SELECT w, $2 FROM unnest($1::uuid[]) AS w ON
    CONFLICT DO NOTHING
"""
_SCRUB = """
UPDATE nomination SET birth_year_month = '1900-01', education_code = NULL, certificate_codes = '{}',
    occupation_codes = '{}', preferred_pay_min = NULL, preferred_pay_max = NULL, nearest_miss = NULL
WHERE worker_id = ANY ($1)
"""
