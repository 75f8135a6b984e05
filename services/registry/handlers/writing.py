"""Writes what was decided about a chunk of rows: persons into the vault, events into the outbox."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

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
from services.registry.handlers.sealing import Person, Sealer, profile_in, profile_of
from services.registry.handlers.values import day_of, wishes_of
from services.registry.roster.check import CheckedRow
from services.registry.roster.settle import Outcome
from services.registry.store import batches, nominations, people
from services.registry.store.nominations import Hire
from services.registry.store.people import Relation
from services.registry.vault import seal
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Portion:
    """A chunk's rows of which something is still to be told."""

    persons: list[Person] = field(default_factory=list)
    left_out: list[tuple[int, CheckedRow]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A portion whose persons are being sealed; `known` are those that the tenant had before."""

    portion: Portion
    known: dict[UUID, UUID]
    sealing: "asyncio.Task[list[Relation]]"


class ChunkWriter:
    """Writes what is left of one batch chunk by chunk: one is sealed while the other is written.

    `async with`: what is still to be written is written at the end, or dropped on an exception.
    """

    def __init__(self, tx: Tx, intake: Intake, claimed: Claimed) -> None:
        roster = claimed.roster
        self._tx = tx
        self._vault = intake.vault
        self._batch = roster.batch
        self._claimed = claimed
        self._sealer = Sealer(intake.vault, tx.ids, roster.batch, roster.layout)
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
        """Take a chunk, whose first row is the `start`th of the file, and write the one before."""
        portion = self._sorted(start, chunk)
        returning = [p.worker_id for p in portion.persons if not p.fresh]
        known: dict[UUID, UUID] = {}
        if returning:
            known = await people.find_relations(self._tx, self._batch.tenant_id, returning)
        # Sealing needs the key store and a thread, never this transaction.
        absent = [p for p in portion.persons if not p.entered]
        sealing = asyncio.create_task(self._sealer.seal(absent, known))
        try:
            await self._store()
        except BaseException:
            sealing.cancel()
            raise
        self._pending = _Pending(portion, known, sealing)

    def _sorted(self, start: int, chunk: Sequence[CheckedRow]) -> Portion:
        portion, claimed = Portion(), self._claimed
        for index, row in enumerate(chunk, start):
            settled = claimed.settled[index]
            if claimed.roster.told[index]:
                continue
            if settled.outcome is Outcome.REJECTED or "duplicate_in_file" in settled.codes:
                portion.left_out.append((index, row))
            elif worker_id := claimed.worker_ids[index]:
                accepted = settled.outcome is Outcome.ACCEPTED
                person = Person(
                    index=index,
                    row=row,
                    worker_id=worker_id,
                    profile=profile_in(self._batch, row, accepted=accepted),
                    accepted=accepted,
                    fresh=bool(claimed.fresh[index]),
                    entered=claimed.is_entered(index),
                )
                portion.persons.append(person)
        return portion

    async def _store(self) -> None:
        if self._pending is None:
            return
        pending, relations = self._pending, await self._pending.sealing
        self._pending = None
        if pending.portion.persons:
            await self._write_persons(pending, relations)
        if pending.portion.left_out:
            await self._write_left_out(pending.portion.left_out)

    async def _write_persons(self, pending: _Pending, relations: list[Relation]) -> None:
        persons = pending.portion.persons
        profiles = await self._write_relations(relations, pending.known)
        profiles |= {p.worker_id: p.profile for p in persons if p.entered}
        await self._write_workers(persons, profiles)
        if self._batch.kind == "origin_roster":
            links = await self._say_nominations(persons, profiles)
        else:
            links = await self._say_hires(persons, profiles)
        records = ((p.row.row, p.worker_id, *links[p.worker_id]) for p in persons)
        await batches.insert_batch_workers(self._tx, self._batch, records)

    async def _write_relations(
        self, relations: list[Relation], known: dict[UUID, UUID]
    ) -> dict[UUID, Profile]:
        tx, tenant_id = self._tx, self._batch.tenant_id
        new = [r for r in relations if r.worker_id not in known]
        await people.insert_relations(tx, tenant_id, self._batch.tenant_kind, new)
        profiles = {r.worker_id: r.profile for r in new}
        if known:
            old = [r for r in relations if r.worker_id in known]
            profiles |= await people.update_relations(tx, tenant_id, old)
        return profiles

    async def _write_workers(self, persons: list[Person], profiles: dict[UUID, Profile]) -> None:
        tx = self._tx
        fresh = [p for p in persons if p.fresh]
        new = [(p.worker_id, profiles[p.worker_id]) for p in fresh if not p.entered]
        await people.insert_workers(tx, new)
        for p in fresh:
            say_registered(tx, p.worker_id, profiles[p.worker_id])
        old = [(p.worker_id, profile_of(p.row.values)) for p in persons if not p.fresh]
        changed = await people.update_workers(tx, old) if old else {}
        for worker_id, profile in changed.items():
            say_updated(tx, worker_id, profile)

    async def _say_nominations(
        self, persons: list[Person], profiles: dict[UUID, Profile]
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
        self, persons: list[Person], profiles: dict[UUID, Profile]
    ) -> dict[UUID, tuple[UUID | None, UUID | None]]:
        tx, batch = self._tx, self._batch
        told = [_hire(tx, p) for p in persons]
        said = await nominations.upsert_hires(tx, batch.tenant_id, batch.batch_id, told)
        for p in persons:
            hire = said[p.worker_id]
            if p.accepted or hire.moved:
                say_hired(tx, batch.tenant_id, batch.batch_id, hire, profiles[p.worker_id])
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


def _hire(tx: Tx, person: Person) -> Hire:
    values = person.row.values
    day = day_of(values.get("hired_on"))
    if day is None:
        raise LookupError("an accepted new hire has its day")
    return Hire(tx.ids.uuid7(), person.worker_id, day, values.get("site"))
