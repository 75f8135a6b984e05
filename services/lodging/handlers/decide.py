"""Decides stays in a batch: rules first, then beds, by the line's order, in one look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.lodging import StayRejected
from services.lodging.domain.calendar import Nights, night_of
from services.lodging.domain.eligibility import Case, Rule, Verdict, judge, nights_left
from services.lodging.domain.journey import Person, hired_on
from services.lodging.domain.line import Line, criteria
from services.lodging.domain.programme import KeyEnterprise, Programme
from services.lodging.domain.stay import BEDDED, UNDECIDED, State, Stay, Step
from services.lodging.handlers.desk import Desk
from services.lodging.store import credit, facts, programmes
from services.lodging.store import stays as store
from shared.clock import real_now
from shared.transaction import Tx

#: So many new stays does one look decide.
NEW_MAX: Final = 2_000
# Real time that a group waits for members who aren't in yet.
GROUP_WAIT: Final = timedelta(seconds=20)


async def load_new(desk: Desk, known: dict[UUID, Person]) -> tuple[list[Stay], dict[UUID, Person]]:
    """Give the new stays that can be decided, and their persons; those `known` aren't read again.

    A group of which a member waits already is decided with that member.
    """
    workers = await store.list_workers_undecided(desk.tx, NEW_MAX)
    missing = [w for w in workers if w not in known]
    persons = {**known, **await facts.load_persons(desk.tx, missing)}
    stays = await _complete(desk.tx, _undecided(persons.values()))
    for stay in stays:
        if stay.state is State.REQUESTED:
            desk.recall_cause(stay)
    return stays, persons


def _undecided(persons: Iterable[Person]) -> list[Stay]:
    """Give one stay of each person, new ones first: the next sees what became of it.

    A group of which a member has something else to be decided first comes later, whole.
    """
    ready = [
        [s for s in p.stays if s.state in UNDECIDED and s.ready_at is not None] for p in persons
    ]
    new_groups = {s.group_id for own in ready for s in own if s.state is State.REQUESTED} - {None}
    first: list[Stay] = []
    later: set[UUID] = set()
    for own in ready:
        mine = [s for s in own if s.state is State.REQUESTED or s.group_id in new_groups]
        mine.sort(key=lambda s: s.state is State.WAITLISTED)
        first += mine[:1]
        if mine and mine[0].group_id is None:
            later |= {s.group_id for s in mine[1:] if s.group_id is not None}
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

    @property
    def line(self) -> Line:
        """The order in which beds are given."""
        return Line(
            {code: criteria(p.priorities) for code, p in self.rules.items()},
            {e: entry.credit_level for e, entry in self.key_list.items()},
        )

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


def judged(desk: Desk, bench: Bench, stays: Sequence[Stay]) -> list[Stay]:
    """Refuse who mayn't stay; give the others, with their nights."""
    eligible: list[Stay] = []
    tonight = night_of(desk.tx.now)
    for stay in stays:
        if not _still_ahead(stay, tonight):
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
    return eligible


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
