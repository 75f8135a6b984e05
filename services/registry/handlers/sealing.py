"""Seals what a roster says of persons: each in the copy of the tenant that brings them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.registry.domain import Profile
from services.registry.roster.check import CheckedRow
from services.registry.roster.reading import Layout
from services.registry.store.batches import Batch
from services.registry.store.people import SEALED, Relation
from services.registry.vault import Vault, nonces, seal_with
from shared.ids import Ids

# These are kept as they were understood; of the others the office's own text is kept.
_NORMALISED = frozenset({"resident_id", "phone", "emergency_phone"})


@dataclass(frozen=True, slots=True)
class Person:
    """A row on its way into the vault.

    `accepted`: it counts, its worker need not be known; `fresh`: nobody knew the person before;
    `entered`: the person's copy is in already. `profile` is what the row says.
    """

    index: int
    row: CheckedRow
    worker_id: UUID
    profile: Profile
    accepted: bool
    fresh: bool
    entered: bool = False


class Sealer:
    """Seals the persons of one batch's rows."""

    def __init__(self, vault: Vault, ids: Ids, batch: Batch, layout: Layout) -> None:
        self._vault = vault
        self._ids = ids
        self._batch = batch
        self._columns = {f: i for i, f in enumerate(layout.fields) if f in SEALED}

    async def seal(self, persons: Sequence[Person], known: Mapping[UUID, UUID]) -> list[Relation]:
        """Make each person's copy; `known` are the tenant's old ones: worker -> relation.

        Needs the key store and a thread, never the batch's transaction.
        """
        if not persons:
            return []
        ids = {p.worker_id: known.get(p.worker_id) or self._ids.uuid7() for p in persons}
        keys = await self._vault.load_keys(known.values()) if known else {}
        fresh = [i for i in ids.values() if i not in keys]
        keys |= {k.key_id: k.key for k in await self._vault.new_keys(self._batch.tenant_id, fresh)}
        return await asyncio.to_thread(self._relations, persons, ids, keys)

    def _relations(
        self, persons: Sequence[Person], ids: dict[UUID, UUID], keys: dict[UUID, bytes]
    ) -> list[Relation]:
        fresh = nonces(len(persons) * len(self._columns))
        return [
            self._relation(p, ids[p.worker_id], AESGCM(keys[ids[p.worker_id]]), fresh)
            for p in persons
        ]

    def _relation(
        self, person: Person, relation_id: UUID, cipher: AESGCM, fresh: Iterator[bytes]
    ) -> Relation:
        values, cells = person.row.values, person.row.cells
        sealed = {}
        for field, column in self._columns.items():
            text = values.get(field) if field in _NORMALISED else cells[column]
            if text:
                place = field_place(relation_id, field)
                sealed[field] = seal_with(cipher, text.encode(), place, next(fresh))
        return Relation(
            relation_id=relation_id,
            worker_id=person.worker_id,
            profile=person.profile,
            sealed=sealed,
            poverty_lifted=values.get("poverty_lifted_worker"),
            monitored=values.get("monitored_person"),
        )


def field_place(relation_id: UUID, field: str) -> bytes:
    """Name the place of a sealed field: it opens nowhere else."""
    return relation_id.bytes + field.encode()


def profile_in(batch: Batch, row: CheckedRow, *, accepted: bool) -> Profile:
    """Give what a row says; who counts comes from the tenant's own place unless it says so."""
    profile = profile_of(row.values)
    return profile.with_origin(batch.division_code) if accepted else profile


def profile_of(values: Mapping[str, Any]) -> Profile:
    """Give what a checked row says of a person."""
    pay_min, pay_max = values.get("preferred_pay") or (None, None)
    return Profile(
        gender=values["gender"],
        birth_year_month=values["birth_year_month"],
        # Without a home county the row says nothing new about where a known person comes from.
        origin_division_code=values.get("home_county"),
        education_code=values.get("education"),
        certificate_codes=tuple(values.get("certificates") or ()),
        occupation_codes=tuple(values.get("preferred_occupation") or ()),
        preferred_pay_min=pay_min,
        preferred_pay_max=pay_max,
    )
