"""Decides stays in a batch: rules first, then beds, by priority and time, in one look."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.lodging import StayConfirmed, StayHeld, StayRejected
from services.lodging.domain.allocation import Allocator, Unit
from services.lodging.domain.calendar import Nights, night_of
from services.lodging.domain.eligibility import Case, Rule, Verdict, judge, nights_left
from services.lodging.domain.house import Bed, House
from services.lodging.domain.journey import Person, hired_on
from services.lodging.domain.programme import KeyEnterprise, Programme
from services.lodging.domain.stay import BEDDED, UNDECIDED, State, Stay, Step
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.moving import Move, movable, relocate, set_cut_off, wish_of
from services.lodging.store import credit, facts, houses, programmes
from services.lodging.store import stays as store
from shared.clock import real_now
from shared.transaction import Tx

WHEN_FREED: Final = store.Batch(new=2_000, waiting=20_000, beside=0)
# Nothing became free: the first in line only take care that newer ones don't pass them for ever.
OTHERWISE: Final = store.Batch(new=2_000, waiting=0, beside=500)
# Real time that a group waits for members who aren't in yet.
GROUP_WAIT: Final = timedelta(seconds=20)


async def decide(tx: Tx, *, freed: bool) -> int:
    """Decide what can be decided, with `freed` the waitlist too; give the number decided."""
    workers = await store.list_workers_undecided(tx, WHEN_FREED if freed else OTHERWISE)
    if freed:
        await store.update_freed(tx, freed=False)
        await _go_home(tx)
    if not workers:
        return 0
    persons = await facts.load_persons(tx, workers)
    stays = await _complete(tx, _undecided(persons.values()))
    if not stays:
        return 0
    bench = await load_bench(tx, persons, {s.enterprise_id for s in stays})
    desk = Desk(tx)
    eligible, decided = _judged(desk, bench, stays)
    if eligible:
        decided += await _allocate(desk, bench, eligible)
    await desk.flush()
    return decided


async def _go_home(tx: Tx) -> None:
    desk = Desk(tx)
    elsewhere = [
        s for s in await store.list_elsewhere(tx) if s.state in BEDDED and movable(desk, s)
    ]
    await relocate(desk, [Move(s, s.nights, "site_changed", s.site) for s in elsewhere])


def _undecided(persons: Iterable[Person]) -> list[Stay]:
    """Give one stay of each person, new ones first: the next sees what became of it.

    A group of which a member has something else to be decided first comes later, whole.
    """
    first: list[Stay] = []
    later: set[UUID] = set()
    for person in persons:
        ready = [s for s in person.stays if s.state in UNDECIDED and s.ready_at is not None]
        ready.sort(key=lambda s: s.state is State.WAITLISTED)
        first += ready[:1]
        if ready and ready[0].group_id is None:
            later |= {s.group_id for s in ready[1:] if s.group_id is not None}
    return [s for s in first if s.group_id not in later]


async def _complete(tx: Tx, stays: Sequence[Stay]) -> list[Stay]:
    """Leave out groups that still wait for members."""
    groups = {s.group_id for s in stays if s.group_id is not None and s.state is State.REQUESTED}
    complete = await store.load_complete_groups(tx, list(groups)) if groups else {}
    late = real_now() - GROUP_WAIT
    first: dict[UUID, datetime] = {}
    for stay in stays:
        if stay.group_id is not None and stay.ready_at is not None:
            first[stay.group_id] = min(first.get(stay.group_id, stay.ready_at), stay.ready_at)
    return [
        s
        for s in stays
        if s.group_id is None
        or s.group_id not in groups
        or complete.get(s.group_id, True)
        or (s.origin == "placement" and first[s.group_id] <= late)
    ]


@dataclass(slots=True)
class Bench:
    """What decisions are made from, as it stands today."""

    persons: dict[UUID, Person]
    rules: dict[str, Programme]
    key_list: dict[UUID, KeyEnterprise]
    commitments: dict[UUID, list[str]]
    verdicts: dict[UUID, Verdict] = field(default_factory=dict)

    def programme_of(self, stay: Stay) -> Programme | None:
        """Give the programme asked for, else that of the enterprise's first standing commitment."""
        standing = self.commitments.get(stay.enterprise_id, [])
        return self.rules.get(stay.programme or next(iter(standing), ""))

    def stands(self, stay: Stay) -> bool:
        """Tell whether the enterprise's credit commitment confirms the hold at once."""
        return stay.programme in self.commitments.get(stay.enterprise_id, [])

    def case(self, stay: Stay, programme: Programme | None) -> Case:
        """Give everything the rules ask about."""
        person = self.persons[stay.worker_id]
        others = [
            s for s in person.stays if s.stay_id != stay.stay_id and s.check_out_on > s.check_in_on
        ]
        code = programme.code if programme else None
        return Case(
            programme,
            hired_on(person, stay),
            self.key_list.get(stay.enterprise_id),
            stay.nights,
            tuple(
                s.nights
                for s in others
                if s.programme == code and (s.state in BEDDED or s.state is State.CHECKED_OUT)
            ),
            tuple(s.nights for s in others if s.state in BEDDED),
        )


async def load_bench(tx: Tx, persons: dict[UUID, Person], enterprise_ids: Iterable[UUID]) -> Bench:
    """Load today's rules, key list and commitments."""
    ids = list(enterprise_ids)
    return Bench(
        persons,
        await programmes.load_programmes(tx),
        await credit.load_key_enterprises(tx, ids),
        await programmes.load_commitments(tx, ids),
    )


def _judged(desk: Desk, bench: Bench, stays: Sequence[Stay]) -> tuple[list[Stay], int]:
    """Refuse who mayn't stay; give the others, with their nights, and how many were decided."""
    eligible: list[Stay] = []
    for stay in stays:
        if not _still_ahead(stay, night_of(desk.tx.now)):
            desk.release(stay, "lapsed")
            continue
        programme = bench.programme_of(stay)
        if programme is not None and stay.nights_asked is None and stay.state is State.REQUESTED:
            used = bench.case(stay, programme).in_programme
            # With no night left the cap is asked about one night, and refuses.
            count = nights_left(programme, stay.check_in_on, used) or 1
            stay.place(Nights.of(stay.check_in_on, count))
        verdict = judge(bench.case(stay, programme))
        _note(desk, stay, programme, verdict)
        if verdict.failed is not None:
            reject(desk, stay, verdict.failed)
        else:
            eligible.append(stay)
    return eligible, len(stays) - len(eligible)


def _still_ahead(stay: Stay, tonight: date) -> bool:
    """Leave out nights that are over: a first decision grants as many later, a promotion fewer."""
    if stay.check_in_on >= tonight:
        return True
    if stay.state is State.REQUESTED:
        stay.place(stay.nights.moved_to(tonight))
    elif stay.check_out_on > tonight:
        stay.place(Nights(tonight, stay.check_out_on))
    return stay.check_in_on >= tonight


def _note(desk: Desk, stay: Stay, programme: Programme | None, verdict: Verdict) -> None:
    if programme is not None:
        stay.programme, stay.rule_version = programme.code, programme.rule_version
    stay.decided_at = desk.tx.now
    stay.decision = {"rules": verdict.explained()}


def reject(desk: Desk, stay: Stay, rule: Rule) -> None:
    """Refuse a stay by a rule's name."""
    stay.take(Step.REJECT)
    stay.reason = stay.rule = rule.value
    desk.say(StayRejected, stay)


async def _allocate(desk: Desk, bench: Bench, stays: Sequence[Stay]) -> int:
    by_id = {s.stay_id: s for s in stays}
    base = min(night_of(desk.tx.now), *(s.check_in_on for s in stays))
    house = await houses.load_house(desk.tx, base)
    groups = [s.group_id for s in stays if s.group_id is not None]
    near = await store.load_inns_of_groups(desk.tx, groups) if groups else {}
    result = Allocator(house).allocate(_units(house, stays, near))
    sizes: dict[UUID, int] = defaultdict(int)
    for stay_id in result.beds:
        sizes[by_id[stay_id].group_id or stay_id] += 1
    for stay_id, bed in result.beds.items():
        stay = by_id[stay_id]
        stay.group_size = sizes[stay.group_id or stay_id]
        hold(desk, bench, stay, bed)
    decided = len(result.beds)
    for unit in result.unplaced:
        decided += sum(_left_over(desk, by_id[w.stay_id]) for w in unit.wishes)
    for stay_id in result.passed:
        by_id[stay_id].passed_count += 1
        desk.changed[stay_id] = by_id[stay_id]
    return decided


def hold(desk: Desk, bench: Bench, stay: Stay, bed: Bed) -> None:
    """Hold the bed; with a standing commitment of the enterprise the same decision confirms it."""
    programme = bench.rules[stay.programme or ""]
    stay.take(Step.HOLD)
    stay.reason = stay.rule = None
    stay.granted_nights += stay.nights.count
    stay.decision["bed"] = {
        "inn_id": str(bed.room.inn.inn_id),
        "room": bed.room.name,
        "bed": bed.name,
    }
    desk.give_bed(stay, bed, stay.nights)
    set_cut_off(stay, programme)
    if bench.stands(stay):
        desk.say(StayHeld, stay)
        stay.take(Step.CONFIRM)
        desk.say(StayConfirmed, stay)
    else:
        stay.expires_at = desk.tx.now + timedelta(minutes=programme.hold_minutes)
        desk.say(StayHeld, stay)


def _left_over(desk: Desk, stay: Stay) -> int:
    if not stay.wait:
        reject(desk, stay, Rule.NO_BED)
        return 1
    if stay.state is State.REQUESTED:
        desk.waitlist(stay, "no_bed")
        return 1
    desk.changed[stay.stay_id] = stay
    return 0


def _units(house: House, stays: Sequence[Stay], near: dict[UUID, UUID]) -> list[Unit]:
    grouped: dict[UUID, list[Stay]] = {}
    for stay in sorted(stays, key=lambda s: (-s.priority, s.requested_at, s.stay_id)):
        grouped.setdefault(stay.group_id or stay.stay_id, []).append(stay)
    return [_unit(house, members, near.get(key)) for key, members in grouped.items()]


def _unit(house: House, members: Sequence[Stay], near: UUID | None) -> Unit:
    first = members[0]
    return Unit(
        tuple(wish_of(s, house.mask(s.nights)) for s in members),
        first.programme or "",
        first.site,
        first.wanted_inn_id,
        passed_count=max(s.passed_count for s in members),
        waiting=all(s.state is State.WAITLISTED for s in members),
        near_inn_id=near,
    )
