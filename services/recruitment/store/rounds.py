"""What a matching round reads, and the record of what it decided."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.recruitment.domain.parties import Candidate, Vacancy
from services.recruitment.store.rows import Row
from shared.problem import NotFound
from shared.transaction import Tx

if TYPE_CHECKING:
    from asyncpg import Record


async def load_candidates(tx: Tx, drive_id: UUID) -> list[Candidate]:
    """Load who waits in a drive, by id: a group only once all of it was heard."""
    return [candidate(r) for r in await tx.fetch(_CANDIDATES, drive_id)]


CANDIDATE_COLUMNS = """
    n.nomination_id, n.worker_id, n.office_id, n.gender, n.birth_year_month, n.available_from,
        n.education_code,
    n.certificate_codes, n.occupation_codes, n.preferred_pay_min, n.skip_count, n.version,
    CASE WHEN n.in_group THEN n.group_id END AS group_id,
    division_inside_any(COALESCE(t.division_code, n.origin_division_code), d.origins) AS paired"""
_CANDIDATES = f"""
SELECT {CANDIDATE_COLUMNS}
FROM nomination n JOIN drive d USING (drive_id) LEFT JOIN tenant t ON t.tenant_id = n.office_id
LEFT JOIN batch b USING (batch_id)
WHERE n.drive_id = $1 AND n.state = 'waiting' AND (
    NOT n.in_group OR COALESCE(b.complete, false)
    OR (SELECT count(*) FROM nomination g WHERE g.group_id = n.group_id) >= COALESCE(n.group_size,
        1))
ORDER BY n.nomination_id
"""


def candidate(row: Row) -> Candidate:
    """Give a candidate from a row of `CANDIDATE_COLUMNS`."""
    names = Candidate.__slots__
    values: dict[str, Any] = {
        name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in names
    }
    return Candidate(**values)


async def get_candidate(tx: Tx, nomination_id: UUID) -> Candidate:
    """Give a nomination of a drive as a candidate; raises `NotFound`."""
    row = await tx.fetchrow(_CANDIDATE, nomination_id)
    if row is None:
        raise NotFound
    return candidate(row)


_CANDIDATE = f"""
SELECT {CANDIDATE_COLUMNS}
FROM nomination n JOIN drive d USING (drive_id) LEFT JOIN tenant t ON t.tenant_id = n.office_id
WHERE n.nomination_id = $1
"""


async def get_vacancy(tx: Tx, vacancy_id: UUID) -> Vacancy:
    """Give a vacancy as rounds see it; raises `NotFound`."""
    row = await tx.fetchrow("SELECT * FROM vacancy WHERE vacancy_id = $1", vacancy_id)
    if row is None:
        raise NotFound
    return _vacancy(row)


async def load_vacancies(tx: Tx, drive_id: UUID) -> list[Vacancy]:
    """Load a drive's vacancies by id; also filled ones, for they can be a nearest miss."""
    return [_vacancy(r) for r in await tx.fetch(_VACANCIES, drive_id)]


_VACANCIES = (
    "SELECT * FROM vacancy WHERE drive_id = $1 AND state <> 'withdrawn' ORDER BY vacancy_id"
)


def _vacancy(row: "Record") -> Vacancy:
    wanted: dict[str, Any] = row["requirements"]
    site: dict[str, str] = row["site"]
    return Vacancy(
        vacancy_id=row["vacancy_id"],
        enterprise_id=row["enterprise_id"],
        town=f"{site['division_code']} {site['town']}",
        occupation_code=row["occupation_code"],
        starts_on=row["starts_on"],
        pay_min=row["monthly_pay_min"],
        pay_max=row["monthly_pay_max"],
        free=row["openings"] - row["taken_count"] if row["state"] == "posted" else 0,
        openings=row["openings"],
        gender=wanted.get("gender"),
        age_min=wanted.get("age_min"),
        age_max=wanted.get("age_max"),
        education_code=wanted.get("education_code"),
        certificate_codes=tuple(wanted.get("certificate_codes") or ()),
    )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of nomination and vacancy: offered before, excluded or preferred by a person."""

    offered: frozenset[tuple[UUID, UUID]]
    excluded: frozenset[tuple[UUID, UUID]]
    preferred: frozenset[tuple[UUID, UUID]]


async def load_pairs(tx: Tx, nomination_ids: Iterable[UUID]) -> Pairs:
    """Load what was decided about pairs before."""
    kinds: dict[str, set[tuple[UUID, UUID]]] = {"offered": set(), "exclude": set(), "prefer": set()}
    for row in await tx.fetch(_PAIRS, list(nomination_ids)):
        kinds[row["kind"]].add((row["nomination_id"], row["vacancy_id"]))
    return Pairs(
        frozenset(kinds["offered"]), frozenset(kinds["exclude"]), frozenset(kinds["prefer"])
    )


_PAIRS = """
SELECT nomination_id, vacancy_id, 'offered' AS kind FROM offer WHERE nomination_id = ANY ($1)
UNION ALL SELECT nomination_id, vacancy_id, decision FROM match_review WHERE nomination_id = ANY
    ($1)
"""


async def load_office_counts(tx: Tx, drive_id: UUID) -> dict[UUID, tuple[int, int]]:
    """Count of each office in a drive: those with a place or an offer, and all who take part."""
    rows = await tx.fetch(_OFFICES, drive_id)
    return {r["office_id"]: (r["placed_count"], r["all_count"]) for r in rows}


_OFFICES = """
SELECT office_id, count(*) AS all_count,
       count(*) FILTER (WHERE state <> 'waiting' AND state <> 'set_aside' AND state <> 'closed')
           AS placed_count
FROM nomination WHERE drive_id = $1 AND (state <> 'ended' OR end_reason = 'started') GROUP BY
    office_id
"""


async def lock_unchanged(tx: Tx, candidates: Sequence[Candidate]) -> "dict[UUID, Record]":
    """Lock those who still wait as the round has seen them; the others wait for the next round."""
    rows = await tx.fetch(
        _UNCHANGED, [c.nomination_id for c in candidates], [c.version for c in candidates]
    )
    return {r["nomination_id"]: r for r in rows}


# The lock comes before the comparison: PostgreSQL checks the row again that it waited for.
_UNCHANGED = """
SELECT n.* FROM nomination n
JOIN unnest($1::uuid[], $2::integer[]) AS u (nomination_id, version) USING (nomination_id)
WHERE n.state = 'waiting' AND n.version = u.version ORDER BY n.nomination_id FOR UPDATE OF n
"""


async def get_last_round(tx: Tx, drive_id: UUID) -> "Record | None":
    """Give the record of a drive's last round, if there was one."""
    sql = "SELECT * FROM match_round WHERE drive_id = $1 ORDER BY round DESC LIMIT 1"
    return await tx.fetchrow(sql, drive_id)


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """What a round decided; equity is the points of each office, by its id as text."""

    drive_id: UUID
    round: int
    candidate_count: int
    offered_count: int
    unplaced_count: int
    score_total: int
    score_bound: int
    equity: dict[str, int]


async def insert_round(tx: Tx, record: RoundRecord) -> None:
    """Keep the record of a round."""
    await tx.insert("match_round", _ROUND, [astuple(record)], {"matched_at": tx.now})


_ROUND = {
    "drive_id": "uuid",
    "round": "int",
    "candidate_count": "int",
    "offered_count": "int",
    "unplaced_count": "int",
    "score_total": "bigint",
    "score_bound": "bigint",
    "equity": "jsonb",
}


async def add_skips(tx: Tx, nomination_ids: Iterable[UUID]) -> None:
    """Count for the members of groups that a round has passed over them."""
    sql = "UPDATE nomination SET skip_count = skip_count + 1 WHERE nomination_id = ANY ($1)"
    await tx.execute(sql, list(nomination_ids))
