"""A placement that names another programme or number of nights after the bed was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.lodging.domain.calendar import Nights
from services.lodging.domain.eligibility import Rule, judge
from services.lodging.domain.journey import Person
from services.lodging.domain.programme import Programme
from services.lodging.domain.stay import BEDDED, UNDECIDED, State, Stay
from services.lodging.handlers.decide import Bench, load_bench
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.moving import Move, Mover, load_mover, set_cut_off

REFUSED: Final = "change_refused"
# Assumed as long as nobody knows how many nights a person's cap leaves.
PROVISIONAL_NIGHTS: Final = 15


def ask_anew(stay: Stay) -> None:
    """Let a stay without a bed ask for what is wanted now."""
    stay.programme = stay.programme_asked
    stay.place(Nights.of(stay.check_in_on, stay.nights_asked or PROVISIONAL_NIGHTS))


async def reconsider(desk: Desk, persons: dict[UUID, Person], stays: Sequence[Stay]) -> None:
    """Let stays with a bed follow what is asked of them now.

    Fewer nights are given back. More nights, or another programme, are a new decision with today's
    rules; what they refuse, or no bed allows, leaves the stay as it was decided, and says the rule.
    """
    for stay in stays:
        if stay.state in UNDECIDED:
            ask_anew(stay)
            desk.changed[stay.stay_id] = stay
    bedded = [s for s in stays if s.state in BEDDED]
    if not bedded:
        await desk.flush()
        return
    bench = await load_bench(desk.tx, persons, {s.enterprise_id for s in bedded})
    mover = await load_mover(desk, min(s.check_in_on for s in bedded))
    for stay in bedded:
        _Terms(desk, bench, mover, stay).follow()
    await desk.flush()


@dataclass(slots=True)
class _Terms:
    desk: Desk
    bench: Bench
    mover: Mover
    stay: Stay

    def follow(self) -> None:
        stay = self.stay
        programme = self.bench.rules.get(stay.programme_asked or stay.programme or "")
        nights = Nights.of(stay.check_in_on, stay.nights_asked or stay.nights.count)
        same = programme is not None and programme.code == stay.programme
        if same and nights == stay.nights:
            return
        less = same and nights.count <= stay.nights.count
        refused = None if less else self._objection(programme, nights)
        if refused is None and programme is not None:
            refused = self._take(programme, nights)
        if refused is not None:
            stay.rule = refused.value
            self.desk.change(stay, REFUSED)
            stay.rule = None

    def _objection(self, programme: Programme | None, nights: Nights) -> Rule | None:
        before = self.stay.nights
        self.stay.place(nights)
        verdict = judge(self.bench.case(self.stay, programme))
        self.stay.place(before)
        if verdict.failed is None:
            decision = {**self.stay.decision, "rules": verdict.explained()}
            self.stay.decision, self.stay.decided_at = decision, self.desk.tx.now
        return verdict.failed

    def _take(self, programme: Programme, nights: Nights) -> Rule | None:
        stay = self.stay
        before = stay.programme, stay.rule_version
        count, bed_id = stay.nights.count, stay.bed_id
        stay.programme, stay.rule_version = programme.code, programme.rule_version
        reason = "nights_changed" if nights != stay.nights else "programme_changed"
        if not self.mover.rebed(Move(stay, nights, reason), None):
            stay.programme, stay.rule_version = before
            return Rule.NO_BED
        if bed_id == stay.bed_id and nights.count == count:
            # The bed and its nights are the same: only the rules are others.
            if stay.state is State.CONFIRMED:
                set_cut_off(stay, programme)
            self.desk.change(stay, reason)
        stay.granted_nights += max(0, nights.count - count)
        stay.given_back_nights += max(0, count - nights.count)
        return None
