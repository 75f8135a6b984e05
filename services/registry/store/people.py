"""Persons and each tenant's own sealed copy of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.registry.domain import Profile
from shared.transaction import Tx

#: The sealed columns of a relation, by the roster's field.
SEALED: Final[dict[str, str]] = {
    "name": "name_sealed",
    "resident_id": "resident_id_sealed",
    "phone": "phone_sealed",
    "ethnicity": "ethnicity_sealed",
    "education": "education_sealed",
    "registered_residence": "registered_residence_sealed",
    "present_residence": "present_residence_sealed",
    "emergency_contact": "emergency_contact_sealed",
    "emergency_phone": "emergency_phone_sealed",
    "certificates": "certificates_sealed",
    "preferred_occupation": "preferred_occupation_sealed",
    "notes": "notes_sealed",
}
#: The columns of a profile, in its order, with their types.
PROFILE: Final[dict[str, str]] = {
    "gender": "text",
    "birth_year_month": "text",
    "origin_division_code": "text",
    "education_code": "text",
    "certificate_codes": "text[]",
    "occupation_codes": "text[]",
    "preferred_pay_min": "int",
    "preferred_pay_max": "int",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the registry knows of a person before a row is decided."""

    worker_id: UUID
    office_id: UUID | None
    drive_id: UUID | None
    drive_title: str | None
    hired_on: Any


async def find_standings(tx: Tx, tenant_id: UUID, blinds: Sequence[bytes]) -> dict[bytes, Standing]:
    """Find persons by blind index: who nominates them, since when this enterprise has them."""
    rows = await tx.fetch(_STANDINGS, list(blinds), tenant_id)
    return {r["blind_index"]: Standing(*list(r)[1:]) for r in rows}


_STANDINGS = """
SELECT p.blind_index, p.worker_id, n.office_id, n.drive_id, d.title, h.hired_on
FROM person_index p
LEFT JOIN nomination n ON n.worker_id = p.worker_id AND n.state = 'active'
LEFT JOIN heard_drive d ON d.drive_id = n.drive_id
LEFT JOIN hire h ON h.worker_id = p.worker_id AND h.enterprise_id = $2 AND h.state = 'active'
WHERE p.blind_index = ANY ($1)
"""


async def claim_persons(tx: Tx, blinds: Sequence[bytes], fresh: Sequence[UUID]) -> set[UUID]:
    """Enter persons under fresh worker ids; give those of persons who were new.

    The caller inserts the new ones into `worker` before the commit. In sorted order, so that two
    batches that bring the same persons wait for each other instead of deadlocking.
    """
    rows = await tx.fetch(_CLAIM, list(blinds), list(fresh))
    return {r["worker_id"] for r in rows}


_CLAIM = """
INSERT INTO person_index (blind_index, worker_id)
SELECT b, w FROM unnest($1::bytea[], $2::uuid[]) AS u (b, w) ORDER BY b
ON CONFLICT DO NOTHING RETURNING worker_id
"""


async def find_worker_ids(tx: Tx, blinds: Sequence[bytes]) -> dict[bytes, UUID]:
    """Find worker ids by blind index; their erasure waits for this commit, or this for theirs."""
    rows = await tx.fetch(_FIND_WORKER_IDS, list(blinds))
    return {r["blind_index"]: r["worker_id"] for r in rows}


_FIND_WORKER_IDS = """
SELECT blind_index, worker_id FROM person_index WHERE blind_index = ANY ($1)
ORDER BY blind_index FOR KEY SHARE
"""


async def insert_workers(tx: Tx, people: Iterable[tuple[UUID, Profile]]) -> None:
    """Insert new persons."""
    records = ((w, *_profile_record(p)) for w, p in people)
    await tx.insert("worker", _WORKER, records, {"registered_at": tx.now})


_WORKER: Final[dict[str, str]] = {"worker_id": "uuid", **PROFILE}


def _profile_record(p: Profile) -> tuple[object, ...]:
    return (
        p.gender, p.birth_year_month, p.origin_division_code, p.education_code,
        p.certificate_codes, p.occupation_codes,
        p.preferred_pay_min, p.preferred_pay_max,
    )  # fmt: skip


async def update_workers(tx: Tx, people: Sequence[tuple[UUID, Profile]]) -> dict[UUID, Profile]:
    """Take in what is new about known persons; give the new whole of those that changed."""
    rows = await tx.fetch(_UPDATE_WORKERS, *_profile_arrays(people))
    return {r["worker_id"]: _profile(r) for r in rows}


# What a row leaves empty says nothing new.
_MERGED: Final = """
    origin_division_code = COALESCE(n.origin, t.origin_division_code),
    education_code = COALESCE(n.education, t.education_code),
    certificate_codes = COALESCE(string_to_array(n.certificates, ','), t.certificate_codes),
    occupation_codes = COALESCE(string_to_array(n.occupations, ','), t.occupation_codes),
    preferred_pay_min = CASE WHEN n.has_pay THEN n.pay_min ELSE t.preferred_pay_min END,
    preferred_pay_max = CASE WHEN n.has_pay THEN n.pay_max ELSE t.preferred_pay_max END
"""
_NEW: Final = """
unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[], $8::bool[])
    AS n (worker_id, origin, education, certificates, occupations, pay_min, pay_max, has_pay)
"""
_RETURNED: Final = ", ".join(f"t.{column}" for column in ("worker_id", *PROFILE))
_UPDATE_WORKERS: Final = f"""
UPDATE worker t SET {_MERGED} FROM {_NEW}
WHERE t.worker_id = n.worker_id AND t.erased_at IS NULL AND (
    COALESCE(n.origin, t.origin_division_code) <> t.origin_division_code
    OR COALESCE(n.education, t.education_code) IS DISTINCT FROM t.education_code
    OR COALESCE(string_to_array(n.certificates, ','), t.certificate_codes) <> t.certificate_codes
    OR COALESCE(string_to_array(n.occupations, ','), t.occupation_codes) <> t.occupation_codes
    OR (n.has_pay AND (n.pay_min, n.pay_max)
        IS DISTINCT FROM (t.preferred_pay_min, t.preferred_pay_max)))
RETURNING {_RETURNED}
"""


def _profile_arrays(people: Sequence[tuple[UUID, Profile]]) -> tuple[list[Any], ...]:
    return (
        [w for w, _ in people],
        [p.origin_division_code for _, p in people],
        [p.education_code for _, p in people],
        [",".join(p.certificate_codes) or None for _, p in people],
        [",".join(p.occupation_codes) or None for _, p in people],
        [p.preferred_pay_min for _, p in people],
        [p.preferred_pay_max for _, p in people],
        [p.preferred_pay_min is not None or p.preferred_pay_max is not None for _, p in people],
    )


def _profile(row: Any) -> Profile:  # noqa: ANN401 (asyncpg's record)
    return Profile(
        gender=row["gender"],
        birth_year_month=row["birth_year_month"],
        origin_division_code=row["origin_division_code"],
        education_code=row["education_code"],
        certificate_codes=tuple(row["certificate_codes"]),
        occupation_codes=tuple(row["occupation_codes"]),
        preferred_pay_min=row["preferred_pay_min"],
        preferred_pay_max=row["preferred_pay_max"],
    )


@dataclass(frozen=True, slots=True)
class Relation:
    """A tenant's own copy of a person; `sealed` by the roster's field, absent: nothing new."""

    relation_id: UUID
    worker_id: UUID
    profile: Profile
    sealed: dict[str, bytes]
    poverty_lifted: bool | None
    monitored: bool | None


async def find_relations(tx: Tx, tenant_id: UUID, worker_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Find this tenant's copies: worker -> relation."""
    rows = await tx.fetch(
        "SELECT worker_id, relation_id FROM relation WHERE tenant_id = $1 AND worker_id = ANY ($2)",
        tenant_id, list(worker_ids),
    )  # fmt: skip
    return {r["worker_id"]: r["relation_id"] for r in rows}


async def insert_relations(
    tx: Tx, tenant_id: UUID, tenant_kind: str, relations: Iterable[Relation]
) -> None:
    """Insert new relations."""
    records = (
        (
            r.relation_id, r.worker_id, *_profile_record(r.profile), r.poverty_lifted, r.monitored,
            *(r.sealed.get(f) for f in SEALED),
        )
        for r in relations
    )  # fmt: skip
    same: dict[str, object] = {"tenant_id": tenant_id, "tenant_kind": tenant_kind}
    same |= {"created_at": tx.now, "updated_at": tx.now}
    await tx.insert("relation", _RELATION, records, same)


_RELATION: Final[dict[str, str]] = {
    "relation_id": "uuid",
    "worker_id": "uuid",
    **PROFILE,
    "poverty_lifted": "bool",
    "monitored": "bool",
    **dict.fromkeys(SEALED.values(), "bytea"),
}


async def update_relations(
    tx: Tx, tenant_id: UUID, relations: Sequence[Relation]
) -> dict[UUID, Profile]:
    """Take in what is new in a tenant's own copies; give each one's profile as it is then."""
    rows = await tx.fetch(
        _UPDATE_RELATIONS,
        *_profile_arrays([(r.worker_id, r.profile) for r in relations]),
        tenant_id,
        tx.now,
        [r.poverty_lifted for r in relations],
        [r.monitored for r in relations],
        *([r.sealed.get(f) for r in relations] for f in SEALED),
    )
    return {r["worker_id"]: _profile(r) for r in rows}


_UPDATE_RELATIONS: Final = f"""
UPDATE relation t SET {_MERGED}, updated_at = $10,
    poverty_lifted = COALESCE(s.poverty_lifted, t.poverty_lifted),
    monitored = COALESCE(s.monitored, t.monitored),
    {", ".join(f"{c} = COALESCE(s.{c}, t.{c})" for c in SEALED.values())}
FROM {_NEW} JOIN unnest($1::uuid[], $11::bool[], $12::bool[],
    {", ".join(f"${13 + i}::bytea[]" for i in range(len(SEALED)))})
    AS s (worker_id, poverty_lifted, monitored, {", ".join(SEALED.values())}) USING (worker_id)
WHERE t.worker_id = n.worker_id AND t.tenant_id = $9
RETURNING {_RETURNED}
"""
