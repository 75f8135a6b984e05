"""What people do with a stay: confirm, check in, check out, extend, move, cancel."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.lodging import GuestCheckedIn, GuestCheckedOut, StayConfirmed
from services.lodging.domain.calendar import Nights, begun_night, civil_date, night_of
from services.lodging.domain.eligibility import Rule, judge
from services.lodging.domain.stay import ARRIVING, State, Stay, Step
from services.lodging.handlers.decide import load_bench
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.moving import Move, rebed, set_cut_off
from services.lodging.handlers.overstays import keep_in_bed
from services.lodging.store import credit, facts, programmes
from services.lodging.store import stays as store
from shared.problem import NotFound, Problem, WrongState
from shared.transaction import Tx

# A clock at an inn may be a little ahead.
AHEAD_MAX: Final = timedelta(minutes=10)
NO_BED: Final = "没有空床位。No bed is free on these nights."
IN_USE: Final = "上一位住客尚未退房，无其他空床。The last guest hasn't left, and no bed is free."
#: Why a stay is cancelled; any other word may be about a person and is kept nowhere.
REASONS: Final = frozenset({"cancelled", "not_needed", "not_coming", "other_lodging", "duplicate"})


async def take_stay(tx: Tx, stay_id: UUID) -> Stay:
    """Become the only one who changes beds, and give the stay as it is now."""
    await store.lock_allocation(tx)
    stays = await store.load_stays(tx, [stay_id])
    if not stays:
        raise NotFound
    return stays[0]


async def confirm(tx: Tx, stay_id: UUID) -> Stay:
    """Confirm a hold: a new decision, with today's credit, key list and rules.

    A hold that they no longer allow is released, and the stay says by which rule.
    """
    stay = await take_stay(tx, stay_id)
    if stay.state is State.CONFIRMED:
        return stay
    if stay.state is not State.HELD:
        raise wrong_state(stay)
    desk = Desk(tx)
    if stay.expires_at is not None and stay.expires_at <= tx.now:
        desk.release(stay, "hold_expired")
    elif (failed := await _objection(tx, stay, stay.nights)) is not None:
        desk.release(stay, failed.value, failed.value)
    else:
        stay.take(Step.CONFIRM)
        stay.expires_at = None
        set_cut_off(stay, (await programmes.load_programmes(tx))[stay.programme or ""])
        desk.say(StayConfirmed, stay)
    await desk.flush()
    return stay


async def _objection(tx: Tx, stay: Stay, nights: Nights) -> Rule | None:
    """Give the rule that today stands against a stay on these nights."""
    persons = await facts.load_persons(tx, [stay.worker_id])
    bench = await load_bench(tx, persons, [stay.enterprise_id])
    before = stay.nights
    stay.place(nights)
    programme = bench.programme_of(stay)
    verdict = judge(bench.case(stay, programme))
    stay.place(before)
    stay.decision = {**stay.decision, "rules": verdict.explained()}
    stay.decided_at = tx.now
    stay.rule_version = programme.rule_version if programme else stay.rule_version
    return verdict.failed


async def check_in(tx: Tx, stay_id: UUID, at: datetime | None) -> Stay:
    """Note that the guest is in house, maybe told late.

    Who comes before the first night gets as many nights from then on, if they are free; who comes
    after the bed was given up is taken in while there is one.
    """
    stay = await take_stay(tx, stay_id)
    if stay.state is State.CHECKED_IN:
        return stay
    moment = _moment(tx, at)
    desk = Desk(tx)
    if stay.state is State.MISSED:
        await _take_in(desk, stay, moment)
    elif stay.state is not State.CONFIRMED:
        raise wrong_state(stay)
    elif civil_date(moment) < stay.check_in_on and night_of(moment) < stay.check_in_on:
        nights = stay.nights.moved_to(night_of(moment))
        if not await rebed(desk, Move(stay, nights, "arrived_early")):
            raise WrongState(NO_BED)
    elif await _bed_is_in_use(tx, stay, moment):
        stay = await take_stay(tx, stay_id)
        if stay.state is not State.CONFIRMED:
            raise WrongState(IN_USE)
    stay.take(Step.CHECK_IN)
    stay.checked_in_at = moment
    stay.cut_off_at = stay.expires_at = None
    desk.say(GuestCheckedIn, stay, at=moment)
    await desk.flush()
    return stay


async def _bed_is_in_use(tx: Tx, stay: Stay, moment: datetime) -> bool:
    """Tell whether who had the bed before hasn't left; if so, find the new guest another."""
    if stay.bed_id is None:
        return False
    not_left = await store.list_not_left(tx, stay.bed_id, night_of(moment))
    return bool(await keep_in_bed(Desk(tx), not_left, night_of(moment)))


async def _take_in(desk: Desk, stay: Stay, moment: datetime) -> None:
    tonight = max(stay.check_in_on, night_of(moment))
    if tonight >= stay.check_out_on:
        raise wrong_state(stay)
    nights = Nights(tonight, stay.check_out_on)
    if not await rebed(desk, Move(stay, nights, "arrived_late")):
        raise WrongState(NO_BED)
    stay.granted_nights += nights.count
    await credit.delete_breach(desk.tx, "no_show", stay.stay_id)


async def check_out(tx: Tx, stay_id: UUID, at: datetime | None) -> Stay:
    """Note that the guest is gone; nights not used are given back."""
    stay = await take_stay(tx, stay_id)
    if stay.state is State.CHECKED_OUT:
        return stay
    if stay.state is not State.CHECKED_IN:
        raise wrong_state(stay)
    moment = _moment(tx, at)
    if stay.checked_in_at is not None and moment < stay.checked_in_at:
        raise Problem(422, "invalid", "退房不能早于入住。The guest came in later than this.")
    desk = Desk(tx)
    left_on = max(civil_date(moment), stay.check_in_on)
    await _settle_overstay(tx, stay, moment)
    if left_on < stay.check_out_on:
        unused = (stay.check_out_on - left_on).days
        beyond = min(unused, stay.overstayed_nights)
        stay.overstayed_nights -= beyond
        stay.given_back_nights += unused - beyond
        stay.check_out_on = left_on
        desk.give_nights_back(stay, left_on)
    stay.take(Step.CHECK_OUT)
    stay.checked_out_at = moment
    desk.say(GuestCheckedOut, stay, at=moment)
    await desk.flush()
    # What was heard during the stay (an erasure, another enterprise) takes effect now.
    await facts.insert_unsettled(tx, [facts.Note(stay.worker_id, tx.command_id, tx.traceparent)])
    tx.wake("settle")
    return stay


async def _settle_overstay(tx: Tx, stay: Stay, moment: datetime) -> None:
    """Forget an overstay that was none: the guest had left in time, it was only told late."""
    granted_until = stay.check_out_on - timedelta(days=stay.overstayed_nights)
    if stay.overstayed_at is not None and begun_night(moment) < granted_until:
        stay.overstayed_at = None
        await credit.delete_breach(tx, "overstay", stay.stay_id)


async def extend(tx: Tx, stay_id: UUID, nights: int) -> Stay:
    """Add nights at the end: a new decision; the same bed must be free on them."""
    stay = await take_stay(tx, stay_id)
    if stay.state not in {State.CONFIRMED, State.CHECKED_IN}:
        raise wrong_state(stay)
    longer = Nights.of(stay.check_in_on, stay.nights.count + nights)
    if longer.check_out_on <= night_of(tx.now):
        raise wrong_state(stay)
    failed = await _objection(tx, stay, longer)
    if failed is not None:
        raise Problem(409, failed.value, f"不符合规定。The rule {failed.value} stands against it.")
    desk = Desk(tx)
    if not await rebed(desk, Move(stay, longer, "extended"), stay.bed_id):
        raise Problem(409, "no_bed", NO_BED)
    stay.granted_nights += nights
    stay.next_home_asked_at = None
    await desk.flush()
    return stay


async def move(tx: Tx, stay_id: UUID, bed_id: UUID) -> Stay:
    """Give the guest that bed for the nights that are left."""
    stay = await take_stay(tx, stay_id)
    if stay.bed_id is None or stay.state not in {State.HELD, State.CONFIRMED, State.CHECKED_IN}:
        raise wrong_state(stay)
    if stay.check_out_on <= night_of(tx.now):
        raise wrong_state(stay)
    desk = Desk(tx)
    if not await rebed(desk, Move(stay, stay.nights, "moved"), bed_id):
        raise Problem(409, "no_bed", NO_BED)
    stay.town_missing = False
    await desk.flush()
    return stay


async def cancel(tx: Tx, stay_id: UUID, reason: str) -> Stay:
    """Give up a stay before the check-in."""
    stay = await take_stay(tx, stay_id)
    if stay.state is State.RELEASED:
        return stay
    if stay.state not in ARRIVING:
        raise wrong_state(stay)
    desk = Desk(tx)
    desk.release(stay, reason if reason in REASONS else "other")
    await desk.flush()
    return stay


async def tell_next_home(tx: Tx, stay_id: UUID, next_home: str) -> Stay:
    """Record where the guest goes from here."""
    stay = await take_stay(tx, stay_id)
    if stay.state not in {State.CONFIRMED, State.CHECKED_IN, State.CHECKED_OUT}:
        raise wrong_state(stay)
    stay.next_home = next_home
    desk = Desk(tx, changed={stay.stay_id: stay})
    if stay.state is State.CHECKED_IN and stay.next_home_asked_at is not None:
        # What was asked is answered: nobody has to look after it any more.
        desk.change(stay, "next_home_known")
    await desk.flush()
    return stay


def wrong_state(stay: Stay) -> WrongState:
    """Give the refusal of a step that isn't possible now."""
    detail = f"住宿状态为 {stay.state}，不能这样做。Not possible: the stay is {stay.state}."
    return WrongState(detail)


def _moment(tx: Tx, at: datetime | None) -> datetime:
    if at is None:
        return tx.now
    if at > tx.now + AHEAD_MAX:
        raise Problem(422, "invalid", "时间在将来。The moment is in the future.")
    return at


def summary(stay: Stay) -> dict[str, object]:
    """Give what an action answers."""
    return {
        "stay_id": stay.stay_id,
        "state": stay.state,
        "inn_id": stay.inn_id,
        "bed_id": stay.bed_id,
        "check_in_on": stay.check_in_on,
        "check_out_on": stay.check_out_on,
        "reason": stay.reason,
        "rule": stay.rule,
    }
