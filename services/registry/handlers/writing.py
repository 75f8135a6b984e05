"""Writes what was decided about a chunk of rows: persons into the vault, events into the outbox."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.registry.domain import REJECTED_ROWS_KEPT, Profile, changed_wishes
from services.registry.handlers.claiming import Claimed
from services.registry.handlers.intake import Intake
from services.registry.handlers.saying import (
    say_hired,
    say_nominated,
    say_nomination_changed,
    say_registered,
    say_updated,
)
from services.registry.handlers.values import day_of, wishes_of
from services.registry.roster.check import CheckedRow
from services.registry.roster.settle import Outcome
from services.registry.store import batches, nominations, people
from services.registry.store.nominations import Hire
from services.registry.store.people import SEALED, Relation
from services.registry.vault import nonces, seal, seal_with
from shared.transaction import Tx

# These are kept as they were understood; of the others the office's own text is kept.
_NORMALISED = frozenset({"resident_id", "phone", "emergency_phone"})


@dataclass(frozen=True, slots=True)
class _Person:
    """An accepted or already known row on its way into the vault."""

    index: int
    row: CheckedRow
    worker_id: UUID
    accepted: bool
    fresh: bool


@dataclass(frozen=True, slots=True)
class _Pending:
    """A chunk whose persons are being sealed; `known` are those that the tenant had before."""

    persons: list[_Person]
    left_out: list[tuple[int, CheckedRow]]
    known: dict[UUID, UUID]
    sealing: "asyncio.Task[list[Relation]]"


class ChunkWriter:
    """Writes chunk after chunk of one batch: one is sealed while the database takes the other.

    `async with`: what is still to be written is written at the end, or dropped on an exception.
    """

    def __init__(self, tx: Tx, intake: Intake, claimed: Claimed) -> None:
        batch, fields = claimed.roster.batch, claimed.roster.layout.fields
        self._tx = tx
        self._vault = intake.vault
        self._batch = batch
        self._claimed = claimed
        self._tenant_kind = "office" if batch.kind == "origin_roster" else "enterprise"
        self._columns = {f: i for i, f in enumerate(fields) if f in SEALED}
        self._pending: _Pending | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        """Write what is pending."""
        try:
            if kind is None:
                await self._store()
        finally:
            if self._pending:
                self._pending.sealing.cancel()

    async def write(self, start: int, chunk: Sequence[CheckedRow]) -> None:
        """Take a chunk, its first row being the `start`th of the file, and write the one before."""
        persons: list[_Person] = []
        left_out: list[tuple[int, CheckedRow]] = []
        for index, row in enumerate(chunk, start):
            settled = self._claimed.settled[index]
            if settled.outcome is Outcome.REJECTED or "duplicate_in_file" in settled.codes:
                left_out.append((index, row))
            elif worker_id := self._claimed.worker_ids[index]:
                accepted = settled.outcome is Outcome.ACCEPTED
                fresh = bool(self._claimed.fresh[index])
                persons.append(_Person(index, row, worker_id, accepted, fresh))
        returning = [p.worker_id for p in persons if not p.fresh]
        known: dict[UUID, UUID] = {}
        if returning:
            known = await people.find_relations(self._tx, self._batch.tenant_id, returning)
        # Sealing needs the key store and a thread, never this transaction.
        sealing = asyncio.create_task(self._sealed(persons, known))
        try:
            await self._store()
        except BaseException:
            sealing.cancel()
            raise
        self._pending = _Pending(persons, left_out, known, sealing)

    async def _store(self) -> None:
        if self._pending is None:
            return
        pending, relations = self._pending, await self._pending.sealing
        self._pending = None
        if pending.persons:
            await self._write_persons(pending, relations)
        if pending.left_out:
            await self._write_left_out(pending.left_out)

    async def _write_persons(self, pending: _Pending, relations: list[Relation]) -> None:
        persons = pending.persons
        profiles = await self._write_relations(relations, pending.known)
        await self._write_workers(persons)
        if self._batch.kind == "origin_roster":
            links = await self._say_nominations(persons, profiles)
        else:
            links = await self._say_hires(persons, profiles)
        records = ((p.row.row, p.worker_id, *links[p.worker_id]) for p in persons)
        await batches.insert_batch_workers(self._tx, self._batch, records)

    async def _sealed(self, persons: list[_Person], known: dict[UUID, UUID]) -> list[Relation]:
        if not persons:
            return []
        ids = {p.worker_id: known.get(p.worker_id) or self._tx.ids.uuid7() for p in persons}
        keys = await self._vault.load_keys(known.values()) if known else {}
        fresh = [i for i in ids.values() if i not in keys]
        keys |= {k.key_id: k.key for k in await self._vault.new_keys(self._batch.tenant_id, fresh)}
        return await asyncio.to_thread(self._relations, persons, ids, keys)

    async def _write_relations(
        self, relations: list[Relation], known: dict[UUID, UUID]
    ) -> dict[UUID, Profile]:
        tx, tenant_id = self._tx, self._batch.tenant_id
        new = [r for r in relations if r.worker_id not in known]
        await people.insert_relations(tx, tenant_id, self._tenant_kind, new)
        profiles = {r.worker_id: r.profile for r in new}
        if known:
            old = [r for r in relations if r.worker_id in known]
            profiles |= await people.update_relations(tx, tenant_id, old)
        return profiles

    def _relations(
        self, persons: list[_Person], ids: dict[UUID, UUID], keys: dict[UUID, bytes]
    ) -> list[Relation]:
        fresh = nonces(len(persons) * len(self._columns))
        return [
            self._relation(p, ids[p.worker_id], AESGCM(keys[ids[p.worker_id]]), fresh)
            for p in persons
        ]

    def _relation(
        self, person: _Person, relation_id: UUID, cipher: AESGCM, fresh: Iterator[bytes]
    ) -> Relation:
        values, cells = person.row.values, person.row.cells
        sealed = {}
        for field, column in self._columns.items():
            text = values.get(field) if field in _NORMALISED else cells[column]
            if text:
                place = field_place(relation_id, field)
                sealed[field] = seal_with(cipher, text.encode(), place, next(fresh))
        profile = _profile(values)
        return Relation(
            relation_id=relation_id,
            worker_id=person.worker_id,
            profile=self._whole(profile) if person.accepted else profile,
            sealed=sealed,
            poverty_lifted=values.get("poverty_lifted_worker"),
            monitored=values.get("monitored_person"),
        )

    def _whole(self, profile: Profile) -> Profile:
        return profile.with_origin(self._batch.division_code)

    async def _write_workers(self, persons: list[_Person]) -> None:
        tx = self._tx
        new = [(p.worker_id, self._whole(_profile(p.row.values))) for p in persons if p.fresh]
        await people.insert_workers(tx, new)
        for worker_id, profile in new:
            say_registered(tx, worker_id, profile)
        old = [(p.worker_id, _profile(p.row.values)) for p in persons if not p.fresh]
        changed = await people.update_workers(tx, old) if old else {}
        for worker_id, profile in changed.items():
            say_updated(tx, worker_id, profile)

    async def _say_nominations(
        self, persons: list[_Person], profiles: dict[UUID, Profile]
    ) -> dict[UUID, tuple[UUID | None, UUID | None]]:
        links: dict[UUID, tuple[UUID | None, UUID | None]] = {}
        for p in persons:
            nomination = self._claimed.nomination(p.index)
            if nomination:
                say_nominated(self._tx, nomination, profiles[p.worker_id])
                links[p.worker_id] = (nomination.nomination_id, None)
        known = {p.worker_id: p.row for p in persons if p.worker_id not in links}
        return links | await self._change_nominations(known, profiles) if known else links

    async def _change_nominations(
        self, known: dict[UUID, CheckedRow], profiles: dict[UUID, Profile]
    ) -> dict[UUID, tuple[UUID | None, UUID | None]]:
        tx = self._tx
        active = await nominations.load_active_of_workers_for_update(
            tx, self._batch.tenant_id, list(known)
        )
        changes = []
        for worker_id, live in active.items():
            told = wishes_of(known[worker_id].values)
            new, changed = changed_wishes(live.nomination.wishes, told, self._batch.submitted_on)
            if changed:
                live.nomination.wishes = new
                changes.append((live.nomination.nomination_id, new))
                say_nomination_changed(tx, live, profiles[worker_id], changed)
        if changes:
            await nominations.update_wishes(tx, changes)
        ids = {w: live.nomination.nomination_id for w, live in active.items()}
        return {w: (ids.get(w), None) for w in known}

    async def _say_hires(
        self, persons: list[_Person], profiles: dict[UUID, Profile]
    ) -> dict[UUID, tuple[UUID | None, UUID | None]]:
        tx, batch = self._tx, self._batch
        told = [_hire(tx, p) for p in persons]
        said = await nominations.upsert_hires(tx, batch.tenant_id, batch.batch_id, told)
        for p in persons:
            if p.accepted:
                say_hired(
                    tx, batch.tenant_id, batch.batch_id, said[p.worker_id], profiles[p.worker_id]
                )
        return {w: (None, hire.hire_id) for w, hire in said.items()}

    async def _write_left_out(self, left_out: list[tuple[int, CheckedRow]]) -> None:
        tx, batch = self._tx, self._batch
        ids = [tx.ids.uuid7() for _ in left_out]
        keys = await self._vault.new_keys(batch.tenant_id, ids)
        expires_at = tx.now + REJECTED_ROWS_KEPT
        records = [
            (
                key.key_id, batch.batch_id, row.row, batch.tenant_id,
                self._claimed.roster.rows[index].person,
                seal(key.key, json.dumps(row.cells, ensure_ascii=False).encode(), key.key_id.bytes),
                expires_at,
            )
            for key, (index, row) in zip(keys, left_out, strict=True)
        ]  # fmt: skip
        await batches.insert_rejected_rows(tx, records)


def field_place(relation_id: UUID, field: str) -> bytes:
    """Name the place of a sealed field: it opens nowhere else."""
    return relation_id.bytes + field.encode()


def _hire(tx: Tx, person: _Person) -> Hire:
    values = person.row.values
    day = day_of(values.get("hired_on"))
    if day is None:
        raise LookupError("an accepted new hire has its day")
    return Hire(tx.ids.uuid7(), person.worker_id, day, values.get("site"))


def _profile(values: dict[str, Any]) -> Profile:
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
