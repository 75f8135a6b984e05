"""What time brings: holds expire, beds unclaimed at the cut-off go on, stays end."""

from datetime import timedelta
from typing import Final

from contracts.lodging import GuestMissed
from services.lodging.domain.calendar import begun_night, civil_date, night_of
from services.lodging.domain.stay import Stay, Step
from services.lodging.handlers.credit import breach
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.overstays import keep_in_bed
from services.lodging.store import stays as store
from services.lodging.store.credit import Breach
from shared.transaction import Tx

STAYS_MAX: Final = 500
# So long before the end of a stay somebody has to know where the guest goes.
NEXT_HOME_AHEAD: Final = timedelta(days=3)


async def expire_holds(tx: Tx) -> int:
    """Release holds that nobody confirmed in time."""
    await store.lock_allocation(tx)
    desk = Desk(tx)
    expired = await store.list_expired_holds(tx, tx.now, STAYS_MAX)
    for stay in expired:
        desk.release(stay, "hold_expired")
    await desk.flush()
    return len(expired)


async def cut_off(tx: Tx) -> int:
    """Give up beds that nobody claimed; the waitlist is asked right after this commit."""
    await store.lock_allocation(tx)
    desk = Desk(tx)
    unclaimed = await store.list_unclaimed(tx, tx.now, STAYS_MAX)
    for stay in unclaimed:
        desk.give_nights_back(stay)
        stay.take(Step.MISS)
        stay.give_back()
        stay.missed_at = tx.now
        desk.say(GuestMissed, stay, at=tx.now)
    await desk.flush()
    if unclaimed:
        await breach(tx, "no_show", _breaches(unclaimed))
    return len(unclaimed)


async def note_overstays(tx: Tx) -> int:
    """Note guests who are still in house when a night begins that they weren't granted.

    Nobody is put out by this: the bed stays theirs for that night, it counts once against the
    enterprise's credit, and people look after it.
    """
    await store.lock_allocation(tx)
    night = begun_night(tx.now)
    overdue = await store.list_overdue(tx, night, STAYS_MAX)
    first = [s for s in overdue if s.overstayed_at is None]
    for stay in first:
        stay.overstayed_at = tx.now
    desk = Desk(tx, changed={s.stay_id: s for s in first})
    kept = await keep_in_bed(desk, [s for s in overdue if s.check_out_on <= night], night)
    await desk.flush()
    if first:
        await breach(tx, "overstay", _breaches(first))
    return len({s.stay_id for s in (*first, *kept)})


async def lapse_waiting(tx: Tx) -> int:
    """Release stays whose nights went by on the waitlist."""
    await store.lock_allocation(tx)
    desk = Desk(tx)
    lapsed = await store.list_lapsed(tx, night_of(tx.now), STAYS_MAX)
    for stay in lapsed:
        desk.release(stay, "lapsed")
    await desk.flush()
    return len(lapsed)


async def ask_next_homes(tx: Tx) -> int:
    """Say of stays that end soon that nobody knows where their guests go."""
    await store.lock_allocation(tx)
    desk = Desk(tx)
    ending = await store.list_ending(tx, civil_date(tx.now) + NEXT_HOME_AHEAD, STAYS_MAX)
    for stay in ending:
        stay.next_home_asked_at = tx.now
        desk.change(stay, "next_home_unknown")
    await desk.flush()
    return len(ending)


def _breaches(stays: list[Stay]) -> list[Breach]:
    return [Breach(s.stay_id, s.enterprise_id) for s in stays]
