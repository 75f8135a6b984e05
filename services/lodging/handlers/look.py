"""One look at all inns: new guests and those who wait get beds in the line's order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from contracts.lodging import StayConfirmed, StayHeld
from services.lodging.domain.allocation import Allocation, Allocator, Unit
from services.lodging.domain.calendar import night_of
from services.lodging.domain.eligibility import Rule
from services.lodging.domain.house import Bed, House, Wish
from services.lodging.domain.journey import Person
from services.lodging.domain.line import Line, Turn
from services.lodging.domain.stay import BEDDED, State, Stay, Step
from services.lodging.handlers.decide import Bench, judged, load_bench, load_new, reject
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.moving import Move, movable, relocate, set_cut_off
from services.lodging.store import facts, houses
from services.lodging.store import stays as store

#: So often are beds given anew because today's rules refuse somebody who would get one.
ROUNDS_MAX: Final = 4


async def decide(desk: Desk, known: dict[UUID, Person], *, freed: bool) -> int:
    """Decide what can be decided, with `freed` the waitlist too; give the number decided.

    `known` are persons as they stand on the desk; they aren't read again.
    """
    if desk.must_flush or freed:
        await desk.flush()
    if freed:
        await store.update_freed(desk.tx, freed=False)
        # Who has gone home stands otherwise than on the desk.
        known = {} if await _go_home(desk) else known
    new, persons = await load_new(desk, known)
    decided = 0
    if new or freed:
        tonight = night_of(desk.tx.now)
        waiting = _behind(new, await store.load_waiting(desk.tx, tonight))
        enterprises = {s.enterprise_id for s in new} | {t.enterprise_id for t in waiting}
        bench = await load_bench(desk.tx, persons, enterprises)
        eligible = judged(desk, bench, new)
        decided = len(new) - len(eligible)
        if eligible or (freed and waiting):
            house = await houses.load_house(desk.tx, tonight)
            decided += await _Look(desk, bench, house, eligible).give_beds(waiting)
    await desk.flush()
    return decided


async def _go_home(desk: Desk) -> int:
    elsewhere = [
        s for s in await store.list_elsewhere(desk.tx) if s.state in BEDDED and movable(desk, s)
    ]
    own = Desk(desk.tx)
    await relocate(own, [Move(s, s.nights, "site_changed", s.site) for s in elsewhere])
    return len(elsewhere)


def _behind(new: Sequence[Stay], waiting: Iterable[Turn]) -> list[Turn]:
    """Leave out who is looked at anew anyway, and more than one wish of a person."""
    units = {s.group_id or s.stay_id for s in new}
    seen = {s.worker_id for s in new}
    left: list[Turn] = []
    # A group comes later, whole, when a member has something else to be decided first.
    later: set[UUID] = set()
    for turn in waiting:
        if turn.unit_id in units or turn.worker_id in seen:
            later.add(turn.unit_id)
            continue
        seen.add(turn.worker_id)
        left.append(turn)
    return [t for t in left if t.unit_id not in later]


@dataclass(slots=True)
class _Look:
    desk: Desk
    bench: Bench
    house: House
    new: list[Stay]
    near: dict[UUID, UUID] = field(default_factory=dict)
    promoted: dict[UUID, Stay] = field(default_factory=dict)

    async def give_beds(self, waiting: Sequence[Turn]) -> int:
        """Give beds in the line's order; give the number of stays that were decided."""
        turns = [*map(_turn, self.new), *waiting]
        groups = list({t.group_id for t in turns if t.group_id is not None})
        self.near = await store.load_inns_of_groups(self.desk.tx, groups) if groups else {}
        line, refused = self.bench.line, 0
        for _ in range(ROUNDS_MAX):
            units = line.queue(turns)
            result = Allocator(self.house).allocate([self._unit(u) for u in units])
            gone = await self._judge_promoted(turns, result)
            if not gone:
                return refused + await self._write(line, units, result)
            refused += len(gone)
            for stay_id in result.beds:
                self.house.remove(stay_id)
            turns = [t for t in turns if t.stay_id not in gone]
        # Others may be refused as well: the next look, at once, goes through the line again.
        self.desk.freed = True
        return refused

    async def _judge_promoted(self, turns: Sequence[Turn], result: Allocation) -> set[UUID]:
        """Ask today's rules about who waited and would get a bed; give those they refuse."""
        asked = [
            t
            for t in turns
            if t.waiting and t.stay_id in result.beds and t.stay_id not in self.promoted
        ]
        if not asked:
            return set()
        persons = await facts.load_persons(self.desk.tx, [t.worker_id for t in asked])
        self.bench.persons.update(persons)
        ids = {t.stay_id for t in asked}
        stays = [s for p in persons.values() for s in p.stays if s.stay_id in ids]
        passed = judged(self.desk, self.bench, stays)
        self.promoted |= {s.stay_id: s for s in passed}
        return ids - {s.stay_id for s in passed}

    async def _write(self, line: Line, units: Sequence[list[Turn]], result: Allocation) -> int:
        stays = {s.stay_id: s for s in self.new} | self.promoted
        decided, passed = 0, []
        for place, unit in enumerate(units, 1):
            size = sum(t.stay_id in result.beds for t in unit)
            for turn in unit:
                stay, bed = stays.get(turn.stay_id), result.beds.get(turn.stay_id)
                if stay is not None and (bed is not None or not turn.waiting):
                    where = {"by": line.explained(turn), "place": place, "of": len(units)}
                    stay.decision["line"] = where
                    decided += self._answer(stay, bed, size)
                if turn.stay_id in result.passed and turn.waiting:
                    passed.append(turn.stay_id)
        await store.update_passed(self.desk.tx, passed)
        return decided

    def _answer(self, stay: Stay, bed: Bed | None, size: int) -> int:
        if bed is not None:
            stay.group_size = size
            hold(self.desk, self.bench, stay, bed)
            return 1
        return _left_over(self.desk, stay)

    def _unit(self, turns: Sequence[Turn]) -> Unit:
        first = turns[0]
        return Unit(
            tuple(self._wish(t) for t in turns),
            first.programme,
            None if first.town is None else (first.town, first.division_code or ""),
            first.wanted_inn_id,
            passed_count=max(t.passed_count for t in turns),
            waiting=all(t.waiting for t in turns),
            near_inn_id=self.near.get(first.group_id) if first.group_id else None,
        )

    def _wish(self, turn: Turn) -> Wish:
        mask = self.house.span(turn.check_in_on, turn.check_out_on)
        family_id = turn.family_id or turn.stay_id
        return Wish(turn.stay_id, turn.worker_id, turn.gender, mask, family_id)


def _turn(stay: Stay) -> Turn:
    return Turn(
        stay.stay_id, stay.worker_id, stay.enterprise_id, stay.gender or "", stay.check_in_on,
        stay.check_out_on, stay.requested_at, stay.programme or "", stay.priority, stay.group_id,
        stay.group_size, stay.family_id, stay.wanted_inn_id, stay.town, stay.division_code,
        stay.passed_count, stay.origin == "placement", stay.state is State.WAITLISTED,
    )  # fmt: skip


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
    return 0
