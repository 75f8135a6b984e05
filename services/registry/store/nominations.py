"""Nominations and hires: who offers a person, and who has one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.registry.domain import Profile, Wishes
from shared.transaction import Tx


@dataclass(slots=True)
class Nomination:
    """An office's offer of a person."""

    nomination_id: UUID
    worker_id: UUID
    office_id: UUID
    batch_id: UUID
    drive_id: UUID | None
    wishes: Wishes
    group_id: UUID | None = None
    group_size: int | None = None


async def insert_nominations(tx: Tx, nominations: Sequence[Nomination]) -> set[UUID]:
    """Nominate whoever is not under active nomination; give the ids of those that came in.

    Waits for an office that is just nominating the same person. In sorted order against deadlocks.
    """
    rows = await tx.fetch(
        _INSERT,
        [n.nomination_id for n in nominations],
        [n.worker_id for n in nominations],
        [n.office_id for n in nominations],
        [n.batch_id for n in nominations],
        [n.drive_id for n in nominations],
        [n.wishes.available_from for n in nominations],
        [n.wishes.boarding_place_code for n in nominations],
        [n.wishes.needs_bed for n in nominations],
        [n.group_id for n in nominations],
        [n.group_size for n in nominations],
        tx.now,
    )
    return {r["nomination_id"] for r in rows}


_INSERT = """
INSERT INTO nomination (nomination_id, worker_id, office_id, batch_id, drive_id, available_from,
    boarding_place_code, needs_bed, group_id, group_size, nominated_at, idle_since)
SELECT u.*, $11, $11 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[],
    $6::date[], $7::text[], $8::bool[], $9::uuid[], $10::int[])
    AS u (n, worker_id, o, b, d, a, p, bed, g, size)
ORDER BY u.worker_id
ON CONFLICT DO NOTHING RETURNING nomination_id
"""


async def update_groups(tx: Tx, nominations: Sequence[Nomination]) -> None:
    """Write the groups of a batch's nominations."""
    await tx.execute(
        "UPDATE nomination n SET group_id = u.g, group_size = u.s"
        " FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS u (id, g, s)"
        " WHERE n.nomination_id = u.id",
        [n.nomination_id for n in nominations],
        [n.group_id for n in nominations],
        [n.group_size for n in nominations],
    )


@dataclass(frozen=True, slots=True)
class Live:
    """A nomination with what was heard of its live placement."""

    nomination: Nomination
    enterprise_id: UUID | None
    placement_id: UUID | None


_COLUMNS = (
    "n.nomination_id, n.worker_id, n.office_id, n.batch_id, n.drive_id, n.available_from,"
    " n.boarding_place_code, n.needs_bed, n.group_id, n.group_size, p.enterprise_id, p.placement_id"
)
_LIVE_PLACEMENT = """LEFT JOIN LATERAL (
    SELECT h.enterprise_id, h.placement_id FROM heard_placement h
    WHERE h.nomination_id = n.nomination_id AND h.state IN ('confirmed', 'started') LIMIT 1
) p ON true"""


def _live(row: Any) -> Live:  # noqa: ANN401 (asyncpg's record)
    nomination = Nomination(
        nomination_id=row["nomination_id"],
        worker_id=row["worker_id"],
        office_id=row["office_id"],
        batch_id=row["batch_id"],
        drive_id=row["drive_id"],
        wishes=Wishes(row["available_from"], row["boarding_place_code"], row["needs_bed"]),
        group_id=row["group_id"],
        group_size=row["group_size"],
    )
    return Live(nomination, row["enterprise_id"], row["placement_id"])


async def load_active_of_workers_for_update(
    tx: Tx, office_id: UUID, worker_ids: Sequence[UUID]
) -> dict[UUID, Live]:
    """Lock an office's active nominations of these workers."""
    rows = await tx.fetch(_ACTIVE_OF_WORKERS, office_id, list(worker_ids))
    return {r["worker_id"]: _live(r) for r in rows}


_ACTIVE_OF_WORKERS = f"""
SELECT {_COLUMNS} FROM nomination n {_LIVE_PLACEMENT}
WHERE n.office_id = $1 AND n.worker_id = ANY ($2) AND n.state = 'active'
ORDER BY n.nomination_id FOR UPDATE OF n
"""


async def load_nominations_for_update(tx: Tx, nomination_ids: Sequence[UUID]) -> list[Live]:
    """Lock those of these nominations that are active."""
    return [_live(r) for r in await tx.fetch(_BY_ID, list(nomination_ids))]


_BY_ID = f"""
SELECT {_COLUMNS} FROM nomination n {_LIVE_PLACEMENT}
WHERE n.nomination_id = ANY ($1) AND n.state = 'active' ORDER BY n.nomination_id FOR UPDATE OF n
"""


async def load_of_relations_for_update(
    tx: Tx, worker_id: UUID, office_id: UUID | None
) -> list[Live]:
    """Lock a worker's active nominations: of one office, or (None) of any."""
    return [_live(r) for r in await tx.fetch(_OF_WORKER, worker_id, office_id)]


_OF_WORKER = f"""
SELECT {_COLUMNS} FROM nomination n {_LIVE_PLACEMENT}
WHERE n.worker_id = $1 AND ($2::uuid IS NULL OR n.office_id = $2) AND n.state = 'active'
FOR UPDATE OF n
"""


async def load_expired_for_update(tx: Tx, life: timedelta, limit: int) -> list[Live]:
    """Lock nominations that have been without a live placement for longer than `life`."""
    return [_live(r) for r in await tx.fetch(_EXPIRED, tx.now - life, limit)]


_EXPIRED = f"""
SELECT {_COLUMNS} FROM nomination n {_LIVE_PLACEMENT}
WHERE n.state = 'active' AND n.idle_since <= $1 AND p.placement_id IS NULL
ORDER BY n.idle_since LIMIT $2 FOR UPDATE OF n SKIP LOCKED
"""


async def update_wishes(tx: Tx, changes: Sequence[tuple[UUID, Wishes]]) -> None:
    """Write nominations' new wishes."""
    await tx.execute(
        _UPDATE_WISHES,
        [i for i, _ in changes],
        [w.available_from for _, w in changes],
        [w.boarding_place_code for _, w in changes],
        [w.needs_bed for _, w in changes],
    )


_UPDATE_WISHES = """
UPDATE nomination n SET available_from = u.a, boarding_place_code = u.p, needs_bed = u.b
FROM unnest($1::uuid[], $2::date[], $3::text[], $4::bool[]) AS u (id, a, p, b)
WHERE n.nomination_id = u.id
"""


async def end_nominations(tx: Tx, nomination_ids: Sequence[UUID], reason: str) -> None:
    """End nominations that the caller has locked."""
    await tx.execute(
        "UPDATE nomination SET state = 'ended', reason = $2, ended_at = $3, idle_since = NULL"
        " WHERE nomination_id = ANY ($1) AND state = 'active'",
        list(nomination_ids), reason, tx.now,
    )  # fmt: skip


async def update_idle(tx: Tx, nomination_ids: Sequence[UUID], *, idle: bool) -> None:
    """Start (or stop) counting the time without a live placement."""
    await tx.execute(
        "UPDATE nomination SET idle_since = $2 WHERE nomination_id = ANY ($1) AND state = 'active'",
        list(nomination_ids), tx.now if idle else None,
    )  # fmt: skip


async def find_own_nomination(tx: Tx, nomination_id: UUID) -> str | None:
    """Give the state of a nomination that the caller may see; None: there is none."""
    found: str | None = await tx.fetchval(
        "SELECT state FROM nomination WHERE nomination_id = $1", nomination_id
    )
    return found


@dataclass(frozen=True, slots=True)
class Hire:
    """An enterprise's word that a person works there, with its live placement's nomination.

    `moved`: it was said before, for another workplace.
    """

    hire_id: UUID
    worker_id: UUID
    hired_on: date
    site: dict[str, Any] | None
    live_nomination_id: UUID | None = None
    moved: bool = False


async def upsert_hires(
    tx: Tx, enterprise_id: UUID, batch_id: UUID, hires: Iterable[Hire]
) -> dict[UUID, Hire]:
    """Enter hires, or correct the enterprise's earlier ones, which keep their ids; by worker."""
    told = sorted(hires, key=lambda h: h.worker_id)
    rows = await tx.fetch(
        _UPSERT_HIRES,
        [h.hire_id for h in told],
        [h.worker_id for h in told],
        [h.hired_on for h in told],
        [h.site for h in told],
        enterprise_id,
        batch_id,
        tx.now,
    )
    return {r["worker_id"]: Hire(*r) for r in rows}


_UPSERT_HIRES = """
WITH before AS (
    SELECT worker_id, site FROM hire
    WHERE worker_id = ANY ($2) AND enterprise_id = $5 AND state = 'active'),
said AS (
    INSERT INTO hire AS h (hire_id, worker_id, hired_on, site, enterprise_id, batch_id, hired_at)
    SELECT u.*, $5, $6, $7 FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::jsonb[]) AS u
    ON CONFLICT (worker_id, enterprise_id) WHERE state = 'active'
    DO UPDATE SET hired_on = excluded.hired_on, batch_id = excluded.batch_id,
        site = COALESCE(excluded.site, h.site)
    RETURNING hire_id, worker_id, hired_on, site)
SELECT s.*, (SELECT p.nomination_id FROM heard_placement p WHERE p.worker_id = s.worker_id
    AND p.enterprise_id = $5 AND p.state IN ('confirmed', 'started') LIMIT 1),
    b.worker_id IS NOT NULL AND b.site IS DISTINCT FROM s.site
FROM said s LEFT JOIN before b USING (worker_id)
"""


async def end_hires(tx: Tx, worker_id: UUID, enterprise_id: UUID | None) -> None:
    """End a worker's hires: at one enterprise, or (None) at any."""
    await tx.execute(
        "UPDATE hire SET state = 'ended' WHERE worker_id = $1 AND state = 'active'"
        " AND ($2::uuid IS NULL OR enterprise_id = $2)",
        worker_id, enterprise_id,
    )  # fmt: skip


async def find_profiles(tx: Tx, office_id: UUID, worker_ids: Sequence[UUID]) -> dict[UUID, Profile]:
    """Give an office's own profiles of workers."""
    rows = await tx.fetch(_PROFILES, office_id, list(worker_ids))
    return {r["worker_id"]: Profile(*list(r)[1:]) for r in rows}


_PROFILES = """
SELECT worker_id, gender, birth_year_month, origin_division_code, education_code, certificate_codes,
    occupation_codes, preferred_pay_min, preferred_pay_max
FROM relation WHERE tenant_id = $1 AND worker_id = ANY ($2)
"""
