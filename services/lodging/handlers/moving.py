"""Guests who have a bed and need another, or other nights: delays, towns, beds out of service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.lodging.domain.allocation import Allocator, Unit
from services.lodging.domain.calendar import Nights, cut_off, night_of
from services.lodging.domain.house import Bed, House, Wish
from services.lodging.domain.places import Place, town_of
from services.lodging.domain.programme import Programme
from services.lodging.domain.stay import BEDDED, State, Stay
from services.lodging.handlers.desk import EVER, Desk
from services.lodging.store import houses, programmes


@dataclass(frozen=True, slots=True)
class Move:
    """A stay that needs a bed on these nights; with a town only there, else it keeps its own."""

    stay: Stay
    nights: Nights
    reason: str
    only_town: Place | None = None


async def relocate(desk: Desk, moves: Sequence[Move]) -> list[Stay]:
    """Find beds for all of them; give those in house who keep a bed that they should leave.

    Who isn't in house yet and finds no bed waits for one, before all who asked later. Guests in
    house are moved from tonight on. Groups move whole.
    """
    if not moves:
        return []
    tonight = night_of(desk.tx.now)
    first = min(
        tonight, *(m.nights.check_in_on for m in moves), *(m.stay.check_in_on for m in moves)
    )
    mover = await load_mover(desk, first)
    stuck = mover.shift([m for m in moves if m.only_town is None])
    mover.resite([m for m in moves if m.only_town is not None])
    await desk.flush()
    return stuck


async def rebed(desk: Desk, move: Move, bed_id: UUID | None = None) -> bool:
    """Give one guest other nights, in the bed named or the nearest one; tell whether they are free.

    Without a free bed nothing changes. The caller flushes.
    """
    stay = move.stay
    first = min(night_of(desk.tx.now), move.nights.check_in_on, stay.check_in_on)
    return (await load_mover(desk, first)).rebed(move, bed_id)


async def load_mover(desk: Desk, base: date) -> "Mover":
    """Look at the inns from a night on."""
    house = await houses.load_house(desk.tx, base)
    rules = await programmes.load_programmes(desk.tx)
    return Mover(desk, house, Allocator(house), rules, night_of(desk.tx.now))


@dataclass(slots=True)
class Mover:
    """Moves guests within one look at the inns; the caller flushes the desk."""

    desk: Desk
    house: House
    allocator: Allocator
    rules: dict[str, Programme]
    tonight: date

    def shift(self, moves: Sequence[Move]) -> list[Stay]:
        """Find beds for these guests; give those in house who keep one that they should leave."""
        old = {m.stay.stay_id: self.house.beds[_bed_of(m.stay)] for m in moves}
        for move in moves:
            self._free(move.stay)
        stuck: list[Stay] = []
        for unit in _units(moves):
            placed = self.allocator.move(self._unit(unit), old)
            for move in unit:
                if placed is not None:
                    self._rebed(move, placed[move.stay.stay_id])
                elif move.stay.state is State.CHECKED_IN:
                    self.house.put(self._wish(move), old[move.stay.stay_id])
                    stuck.append(move.stay)
                else:
                    move.stay.place(move.nights)
                    self.desk.waitlist(move.stay, "no_bed")
        return stuck

    def resite(self, moves: Sequence[Move]) -> None:
        """Find beds in the town of each move; who finds none keeps the own one."""
        for unit in _units([m for m in moves if not self._is_there(m)]):
            old = {m.stay.stay_id: self.house.beds[_bed_of(m.stay)] for m in unit}
            for move in unit:
                self.house.cut(move.stay.stay_id, self._wish(move).mask)
            placed = self.allocator.place(self._unit(unit))
            for move in unit:
                if placed is not None:
                    move.stay.town_missing = False
                    self._rebed(move, placed[move.stay.stay_id])
                    continue
                self.house.put(self._wish(move), old[move.stay.stay_id])
                if not move.stay.town_missing:
                    move.stay.town_missing = True
                    self.desk.change(move.stay, "no_bed_in_town")

    def rebed(self, move: Move, bed_id: UUID | None) -> bool:
        """Give one guest other nights or another bed; tell whether they are free."""
        stay = move.stay
        old = {} if stay.bed_id is None else {stay.stay_id: self.house.beds[stay.bed_id]}
        before = list(self.house.placed.get(stay.stay_id, ()))
        self._free(stay)
        if bed_id is not None:
            bed = self.house.beds.get(bed_id)
            fits = bed is not None and self.house.fits(self._wish(move), bed)
            placed = {stay.stay_id: bed} if bed is not None and fits else None
        else:
            placed = self.allocator.move(self._unit([move]), old)
        if placed is not None:
            self._rebed(move, placed[stay.stay_id])
            return True
        self.house.remove(stay.stay_id)
        for wish, bed in before:
            self.house.put(wish, bed)
        return False

    def _is_there(self, move: Move) -> bool:
        stay = move.stay
        inn = self.house.beds[_bed_of(stay)].room.inn
        there = move.only_town is not None and town_of(inn.place) == town_of(move.only_town)
        if there and stay.town_missing:
            stay.town_missing = False
            self.desk.change(stay, move.reason)
        return there

    def _rebed(self, move: Move, bed: Bed) -> None:
        stay = move.stay
        same = bed.bed_id == stay.bed_id and move.nights == stay.nights
        if same and stay.state in BEDDED:
            return
        since = self._ahead(move)
        self.desk.give_nights_back(
            stay, since.check_in_on if stay.state is State.CHECKED_IN else EVER
        )
        stay.place(move.nights)
        self.desk.give_bed(stay, bed, since)
        programme = self.rules.get(stay.programme or "")
        if stay.state is State.CONFIRMED and programme is not None:
            set_cut_off(stay, programme)
        self.desk.change(stay, move.reason)

    def _free(self, stay: Stay) -> None:
        """Give back the nights that are still to come."""
        self.house.cut(stay.stay_id, self.house.span(self._first(stay), stay.check_out_on))

    def _first(self, stay: Stay) -> date:
        """Give the first night for which the guest can move; those before are slept."""
        if stay.state is State.CHECKED_IN:
            return max(stay.check_in_on, min(self.tonight, stay.check_out_on))
        return stay.check_in_on

    def _ahead(self, move: Move) -> Nights:
        if move.stay.state is State.CHECKED_IN:
            return Nights(self._first(move.stay), move.nights.check_out_on)
        return move.nights

    def _wish(self, move: Move) -> Wish:
        return wish_of(move.stay, self.house.mask(self._ahead(move)))

    def _unit(self, moves: Sequence[Move]) -> Unit:
        stay = moves[0].stay
        return Unit(
            tuple(self._wish(m) for m in moves),
            stay.programme or "",
            stay.site,
            stay.wanted_inn_id,
            only_town=moves[0].only_town,
            near_inn_id=stay.inn_id if moves[0].only_town is None else None,
        )


def wish_of(stay: Stay, mask: int) -> Wish:
    """Give the wish of a stay for these nights."""
    family_id = stay.family_id or stay.stay_id
    return Wish(stay.stay_id, stay.worker_id, stay.gender or "", mask, family_id)


def set_cut_off(stay: Stay, programme: Programme) -> None:
    """Set the moment from which a decided stay's bed is given to the next in line."""
    decided_at = stay.decided_at or stay.requested_at
    stay.cut_off_at = cut_off(stay.check_in_on, stay.expected_at, programme.cut_off, decided_at)


def movable(desk: Desk, stay: Stay) -> bool:
    """Tell whether nights are left for which a guest could move."""
    return stay.state is not State.CHECKED_IN or stay.check_out_on > night_of(desk.tx.now)


def _units(moves: Sequence[Move]) -> list[list[Move]]:
    units: dict[tuple[UUID, Place | None], list[Move]] = {}
    ordered = sorted(moves, key=lambda m: (-m.stay.priority, m.stay.requested_at, m.stay.stay_id))
    for move in ordered:
        units.setdefault((move.stay.group_id or move.stay.stay_id, move.only_town), []).append(move)
    return list(units.values())


def _bed_of(stay: Stay) -> UUID:
    if stay.bed_id is None:
        message = f"stay {stay.stay_id} is {stay.state} without a bed"
        raise ValueError(message)
    return stay.bed_id
