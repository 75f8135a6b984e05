"""Brings stays in line with what was heard and decides them: the only giver of beds."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, assert_never
from uuid import UUID

from services.lodging.domain.calendar import Nights
from services.lodging.domain.journey import (
    Action,
    Arrival,
    Arrive,
    Ask,
    Hire,
    Person,
    Placement,
    Recognize,
    Release,
    Request,
    Resite,
    reconcile,
)
from services.lodging.domain.stay import BEDDED, State, Stay
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.look import decide
from services.lodging.handlers.moving import Move, movable, relocate, set_cut_off
from services.lodging.handlers.terms import PROVISIONAL_NIGHTS, ask_anew, reconsider
from services.lodging.store import facts, programmes
from services.lodging.store import stays as store
from services.lodging.store.facts import Note
from shared.clock import real_now
from shared.transaction import Tx

PERSONS_MAX: Final = 2_000
# Real time until a guest nobody has heard of is refused.
UNHEARD_S: Final = 60


async def settle(tx: Tx) -> int:
    """Follow what was heard, then decide what can be decided; give the number of both."""
    await store.lock_allocation(tx)
    await store.update_unheard_ready(tx, real_now() - timedelta(seconds=UNHEARD_S))
    desk = Desk(tx)
    persons = await follow(desk)
    return len(persons) + await decide(desk, persons, freed=await store.lock_allocation(tx))


async def follow(desk: Desk) -> dict[UUID, Person]:
    """Make, move and release stays as the facts want it; give the persons looked at.

    What was only recognized or made is still on the desk: its decision is written with it.
    """
    tx = desk.tx
    desk.causes = causes = await facts.take_unsettled(tx, PERSONS_MAX)
    if not causes:
        return {}
    persons = await facts.load_persons(tx, list(causes))
    rules = await programmes.load_programmes(tx)
    follower = _Follower(desk)
    for person in persons.values():
        for action in reconcile(person):
            if not isinstance(action, Request):
                desk.remember_cause(action.stay)
            follower.take(person, action)
    await _forget(tx, persons.values())
    for stay in follower.hours:
        if stay.state is State.CONFIRMED and stay.programme in rules:
            set_cut_off(stay, rules[stay.programme])
        follower.desk.change(stay, "arrival_changed")
    if desk.must_flush or follower.moves or follower.resited or follower.otherwise:
        await desk.flush()
    again = [(w, causes[w]) for w in follower.again]
    await facts.insert_unsettled(tx, [Note(w, c.cause_id, c.traceparent) for w, c in again])
    await relocate(desk, follower.moves)
    await reconsider(desk, persons, follower.otherwise)
    # Who waits for a bed by now has none to keep.
    kept = [s for s in follower.resited if s.state in BEDDED and movable(desk, s)]
    await relocate(desk, [Move(s, s.nights, "site_changed", s.site) for s in kept])
    return persons


async def _forget(tx: Tx, persons: Iterable[Person]) -> None:
    """Drop what was heard of erased persons, once nobody of them is in house."""
    gone = [
        p.worker_id
        for p in persons
        if p.erased and not any(s.state is State.CHECKED_IN for s in p.stays)
    ]
    if gone:
        await facts.delete_facts(tx, gone)


class _Follower:
    """Applies actions; what needs another bed is kept for one look at the house."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.moves: list[Move] = []
        # Stays that keep their nights and are expected at another hour.
        self.hours: list[Stay] = []
        self.resited: list[Stay] = []
        # Stays with a bed that are to have other nights, or another programme.
        self.otherwise: list[Stay] = []
        # Persons whose new stay may already be overtaken by what is known.
        self.again: list[UUID] = []

    def take(self, person: Person, action: Action) -> None:
        """Apply one action."""
        match action:
            case Request(placement, arrival):
                self._request(person, placement, arrival)
            case Release(stay, reason):
                self.desk.release(stay, reason)
            case Arrive(stay, arrival):
                self._arrive(stay, arrival)
            case Resite(stay, site):
                self._resite(stay, site)
            case Ask(stay, placement):
                self._ask(stay, placement)
            case Recognize():
                self._recognize(person, action)
            case _:
                assert_never(action)

    def _request(self, person: Person, placement: Placement, arrival: Arrival) -> None:
        made = self._new_stay(person, placement, arrival)
        self.desk.remember_cause(made)
        self.desk.add(made)
        person.stays.append(made)
        if person.bookings and not arrival.known:
            self.again.append(person.worker_id)

    def _new_stay(self, person: Person, placement: Placement, arrival: Arrival) -> Stay:
        nights = Nights.of(arrival.check_in_on, placement.nights or PROVISIONAL_NIGHTS)
        return Stay(
            stay_id=self.desk.tx.ids.uuid7(),
            origin="placement",
            worker_id=person.worker_id,
            gender=placement.gender,
            enterprise_id=placement.enterprise_id,
            check_in_on=nights.check_in_on,
            check_out_on=nights.check_out_on,
            requested_at=self.desk.tx.now,
            office_id=placement.office_id,
            placement_id=placement.placement_id,
            nomination_id=placement.nomination_id,
            journey_id=placement.nomination_id,
            programme=placement.programme,
            programme_asked=placement.programme,
            nights_asked=placement.nights,
            group_id=placement.group_id,
            group_size=placement.group_size,
            town=placement.town,
            division_code=placement.division_code,
            priority=placement.priority,
            arrival_on=arrival.check_in_on,
            expected_at=arrival.expected_at,
            booking_id=arrival.booking_id,
            ready_at=real_now() if arrival.known else None,
        )

    def _arrive(self, stay: Stay, arrival: Arrival) -> None:
        nights = stay.nights.moved_to(arrival.check_in_on)
        same = nights == stay.nights and stay.expected_at == arrival.expected_at
        stay.arrival_on = arrival.check_in_on
        stay.expected_at, stay.booking_id = arrival.expected_at, arrival.booking_id
        if stay.state in BEDDED and nights != stay.nights:
            self.moves.append(Move(stay, nights, "arrival_changed"))
        elif stay.state in BEDDED:
            self.hours.append(stay)
        else:
            stay.place(nights)
            first = stay.ready_at is None
            if arrival.known and first:
                stay.ready_at = real_now()
            if not same and not (first and arrival.known):
                self.desk.change(stay, "arrival_changed")
        self.desk.changed[stay.stay_id] = stay

    def _ask(self, stay: Stay, placement: Placement) -> None:
        otherwise = (stay.programme_asked, stay.nights_asked) != (
            placement.programme, placement.nights,
        )  # fmt: skip
        stay.programme_asked, stay.nights_asked = placement.programme, placement.nights
        stay.priority = placement.priority
        self.desk.changed[stay.stay_id] = stay
        if not otherwise:
            return
        if stay.state in BEDDED:
            self.otherwise.append(stay)
        else:
            ask_anew(stay)

    def _resite(self, stay: Stay, site: Placement | Hire) -> None:
        other_town = stay.town != site.town
        stay.town, stay.division_code = site.town, site.division_code
        self.desk.changed[stay.stay_id] = stay
        # Who asked for one inn stays there.
        if stay.state in BEDDED and other_town and stay.wanted_inn_id is None:
            self.resited.append(stay)

    def _recognize(self, person: Person, action: Recognize) -> None:
        stay, hire, placement = action.stay, action.hire, action.placement
        stay.gender = person.gender
        stay.hire_id = hire.hire_id if hire else None
        if placement is not None:
            stay.placement_id, stay.nomination_id = placement.placement_id, placement.nomination_id
            stay.office_id, stay.priority = placement.office_id, placement.priority
        # The nomination's journey, else the hire's; never the request's.
        stay.journey_id = stay.nomination_id or stay.hire_id
        if stay.town is None and (site := placement or hire) is not None:
            stay.town, stay.division_code = site.town, site.division_code
        stay.ready_at = real_now()
        self.desk.changed[stay.stay_id] = stay
        if not stay.announced:
            self.desk.announce(stay)
