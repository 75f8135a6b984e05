"""Guests who stay beyond their nights: the bed is theirs until they leave, others make way."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from uuid import UUID

from services.lodging.domain.calendar import Nights
from services.lodging.domain.house import Bed, House, Wish
from services.lodging.domain.stay import ARRIVING, Stay
from services.lodging.handlers.desk import Desk
from services.lodging.handlers.moving import Move, Mover, load_mover, wish_of
from services.lodging.store import stays as store


async def keep_in_bed(desk: Desk, overdue: Sequence[Stay], night: date) -> list[Stay]:
    """Let guests who should have left keep their beds up to and including a night.

    Who was to sleep there moves to another bed by rule, or waits for one before all who asked
    later. Gives those who keep theirs: where somebody else came into the house meanwhile, the
    guest has evidently left, and only the check-out hasn't been told yet.
    """
    if not overdue:
        return []
    mover = await load_mover(desk, min(s.check_out_on for s in overdue))
    until = night + timedelta(days=1)
    in_the_way = {s.stay_id: set(_others(mover.house, s, until)) for s in overdue}
    found = await store.load_stays(desk.tx, sorted(set().union(*in_the_way.values())))
    arriving = {s.stay_id: s for s in found if s.state in ARRIVING}
    kept = [s for s in overdue if in_the_way[s.stay_id] <= arriving.keys()]
    makes_way = sorted(set().union(*(in_the_way[s.stay_id] for s in kept)))
    for stay_id in makes_way:
        mover.house.remove(stay_id)
    for stay in kept:
        _keep(mover, stay, until)
    mover.shift([Move(s, s.nights, "bed_overstayed") for s in map(arriving.__getitem__, makes_way)])
    await desk.flush()
    return kept


def _others(house: House, stay: Stay, until: date) -> Iterator[UUID]:
    """Give whose nights stand against it: in the same bed, or of another gender in the room."""
    wish = _wish(house, stay, until)
    bed = _bed(house, stay)
    for guest in bed.room.guests:
        if guest.stay_id == stay.stay_id or not guest.mask & wish.mask:
            continue
        theirs = {b.bed_id for w, b in house.placed[guest.stay_id] if w.mask & wish.mask}
        mixed = guest.gender != wish.gender and guest.family_id != wish.family_id
        if mixed or bed.bed_id in theirs:
            yield guest.stay_id


def _keep(mover: Mover, stay: Stay, until: date) -> None:
    nights = Nights(stay.check_out_on, until)
    bed = _bed(mover.house, stay)
    mover.house.put(_wish(mover.house, stay, until), bed)
    stay.overstayed_nights += nights.count
    stay.check_out_on = until
    mover.desk.give_bed(stay, bed, nights)
    mover.desk.change(stay, "overstayed")


def _wish(house: House, stay: Stay, until: date) -> Wish:
    return wish_of(stay, house.span(stay.check_out_on, until))


def _bed(house: House, stay: Stay) -> Bed:
    if stay.bed_id is None:
        message = f"stay {stay.stay_id} is {stay.state} without a bed"
        raise ValueError(message)
    return house.beds[stay.bed_id]
