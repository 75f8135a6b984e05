"""Which bed for which guest: near the site, few rooms opened, groups together, deterministic.

Order is the caller's: by priority, then time. A unit (a single guest or a group) is placed whole or
not at all, a group in one inn. Close fits leave long gaps for long stays.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from services.lodging.domain.house import Bed, House, Inn, Room, Wish
from services.lodging.domain.places import Distance, Place, distance, town_of

# So often may a waiting unit be passed by later ones; then its inn's free beds are kept for it.
PASSES_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Unit:
    """Guests who are placed together or not at all.

    `site` is (town, division code), `inn_id` the only inn wanted, `near_inn_id` the first asked.
    """

    wishes: tuple[Wish, ...]
    programme: str
    site: Place | None = None
    inn_id: UUID | None = None
    passed_count: int = 0
    waiting: bool = False
    only_town: Place | None = None
    near_inn_id: UUID | None = None


@dataclass(slots=True)
class Allocation:
    """What came out: beds by stay, units left over, and waiting stays that a later unit passed."""

    beds: dict[UUID, Bed] = field(default_factory=dict)
    unplaced: list[Unit] = field(default_factory=list)
    passed: set[UUID] = field(default_factory=set)


class Allocator:
    """Places units one after the other in a house."""

    def __init__(self, house: House, measure: Distance = distance) -> None:
        self.house = house
        self.measure = measure
        self._tiers: dict[tuple[object, ...], list[tuple[Inn, ...]]] = {}
        self._full: set[tuple[object, ...]] = set()
        self._full_at = 0
        self._kept: dict[UUID, int] = {}
        self._free: dict[tuple[UUID, int], tuple[int, int]] = {}
        self._size = {inn.inn_id: inn.bed_count for inn in house.inns}

    def allocate(self, units: Sequence[Unit]) -> Allocation:
        """Place each unit in its turn."""
        result = Allocation()
        peers = Counter((u.site, w.gender) for u in units if len(u.wishes) == 1 for w in u.wishes)
        for unit in units:
            if len(unit.wishes) == 1:
                peers[unit.site, unit.wishes[0].gender] -= 1
            placed = self.place(unit, peers[unit.site, unit.wishes[0].gender])
            if placed is None:
                result.unplaced.append(unit)
                self._keep_beds_for(unit)
            else:
                result.beds.update(placed)
        result.passed = _passed(units, result)
        return result

    def place(self, unit: Unit, peers: int = 0) -> dict[UUID, Bed] | None:
        """Place one unit whole, None without room; `peers` guests of its kind are still to come."""
        if len(unit.wishes) == 1:
            return self._place_single(unit, peers)
        for tier in self._candidates(unit):
            found = self._group(unit.wishes, tier)
            if found is not None:
                return found
        return None

    def _place_single(self, unit: Unit, peers: int) -> dict[UUID, Bed] | None:
        (wish,) = unit.wishes
        if self._full_at != self.house.freed:
            self._full, self._full_at = set(), self.house.freed
        if self.house.is_lodged(wish):
            return None
        # Of a long line most want what somebody before them has found to be nowhere.
        alone = wish.family_id == wish.stay_id
        nowhere = (unit.programme, unit.inn_id, unit.only_town, wish.gender, wish.mask)
        if alone and nowhere in self._full:
            return None
        for tier in self._candidates(unit):
            found = self._single(wish, tier, peers)
            if found is not None:
                return found
        if alone:
            self._full.add(nowhere)
        return None

    def move(self, unit: Unit, old: dict[UUID, Bed]) -> dict[UUID, Bed] | None:
        """Place guests whose beds were given back: the same beds, the same inn, then others."""
        if all(w.stay_id in old for w in unit.wishes) and unit.only_town is None:
            homes = {old[w.stay_id].room.inn.inn_id: old[w.stay_id].room.inn for w in unit.wishes}
            home = next(iter(homes.values()))
            if len(homes) == 1 and home.serves(unit.programme):
                found = self._in_inn(unit.wishes, home, old)
                if found is not None:
                    return found
        return self.place(unit)

    def _candidates(self, unit: Unit) -> Iterator[tuple[Inn, ...]]:
        key = (unit.programme, unit.site, unit.inn_id, unit.only_town, unit.near_inn_id)
        if key not in self._tiers:
            self._tiers[key] = self._ranked(unit)
        yield from self._tiers[key]

    def _ranked(self, unit: Unit) -> list[tuple[Inn, ...]]:
        tiers: dict[float, list[Inn]] = {}
        for inn in sorted(self.house.inns, key=lambda i: (i.name, i.inn_id)):
            if not inn.serves(unit.programme) or (unit.inn_id and inn.inn_id != unit.inn_id):
                continue
            if unit.only_town is not None and town_of(inn.place) != town_of(unit.only_town):
                continue
            rank = self.measure(inn.place, unit.site) if unit.site else 0.0
            tiers.setdefault(-1.0 if inn.inn_id == unit.near_inn_id else rank, []).append(inn)
        return [tuple(tiers[rank]) for rank in sorted(tiers)]

    def _single(self, wish: Wish, tier: tuple[Inn, ...], peers: int) -> dict[UUID, Bed] | None:
        alone = wish.family_id == wish.stay_id
        key = (tier, wish.gender, wish.mask)
        if alone and key in self._full:
            return None
        inns = (i for i in tier if not self._kept.get(i.inn_id, 0) & wish.mask)
        bed = _best_bed((room for inn in inns for room in inn.rooms), wish, peers)
        if bed is None:
            if alone:
                self._full.add(key)
            return None
        self.house.put(wish, bed)
        return {wish.stay_id: bed}

    def _group(self, wishes: tuple[Wish, ...], tier: tuple[Inn, ...]) -> dict[UUID, Bed] | None:
        best: tuple[int, int, Inn] | None = None
        for order, inn in enumerate(tier):
            if any(self._kept.get(inn.inn_id, 0) & w.mask for w in wishes):
                continue
            if any(self._free_beds(inn, w.mask) < n for w, n in _alike(wishes)):
                continue
            before = sum(room.used.bit_count() for room in inn.rooms)
            if self._in_inn(wishes, inn, {}) is None:
                continue
            opened = sum(room.used.bit_count() for room in inn.rooms) - before
            self._undo(wishes)
            if best is None or (opened, order) < best[:2]:
                best = (opened, order, inn)
        return None if best is None else self._in_inn(wishes, best[2], {})

    def _free_beds(self, inn: Inn, mask: int) -> int:
        """Count the beds that are free on these nights; counted anew when somebody came or went."""
        known = self._free.get((inn.inn_id, mask))
        if known is not None and known[0] == inn.change_count:
            return known[1]
        beds = (b for room in inn.rooms if not room.full & mask for b in room.beds)
        count = sum(not b.taken & mask for b in beds)
        self._free[inn.inn_id, mask] = inn.change_count, count
        return count

    def _in_inn(
        self, wishes: tuple[Wish, ...], inn: Inn, wanted: dict[UUID, Bed]
    ) -> dict[UUID, Bed] | None:
        for turn in (sorted, _reversed_genders):
            placed = self._in_order(turn(wishes, key=_group_key), inn, wanted)
            if placed is not None:
                return placed
        return None

    def _in_order(
        self, wishes: Sequence[Wish], inn: Inn, wanted: dict[UUID, Bed]
    ) -> dict[UUID, Bed] | None:
        placed: dict[UUID, Bed] = {}
        peers = Counter(_peer(w) for w in wishes)
        # Those who can keep their bed keep it before anybody else may take it.
        keep = [w for w in wishes if w.stay_id in wanted and self.house.fits(w, wanted[w.stay_id])]
        for wish in [*keep, *(w for w in wishes if w not in keep)]:
            peers[_peer(wish)] -= 1
            own = wanted.get(wish.stay_id)
            fits = own is not None and self.house.fits(wish, own)
            bed = own if fits else _best_bed(inn.rooms, wish, peers[_peer(wish)])
            if bed is None or self.house.is_lodged(wish):
                self._undo(w for w in wishes if w.stay_id in placed)
                return None
            self.house.put(wish, bed)
            placed[wish.stay_id] = bed
        return placed

    def _undo(self, wishes: Iterable[Wish]) -> None:
        freed = self.house.freed
        for wish in wishes:
            self.house.remove(wish.stay_id)
        # Nothing became free that wasn't free before the attempt.
        self.house.freed = freed

    def _keep_beds_for(self, unit: Unit) -> None:
        if not unit.waiting or unit.passed_count < PASSES_MAX:
            return
        mask = 0
        for wish in unit.wishes:
            mask |= wish.mask
        for tier in self._candidates(unit):
            large = next((i for i in tier if self._size[i.inn_id] >= len(unit.wishes)), None)
            if large is not None:
                self._kept[large.inn_id] = self._kept.get(large.inn_id, 0) | mask
                return


def _best_bed(rooms: Iterable[Room], wish: Wish, peers: int) -> Bed | None:
    best: Bed | None = None
    best_key: tuple[int, ...] = ()
    for room in rooms:
        if room.full & wish.mask or not room.admits(wish):
            continue
        fresh = (wish.mask & ~room.used).bit_count()
        if best is not None and fresh > best_key[0]:
            continue
        size = len(room.beds)
        misfit = abs(size - (peers + 1)) if fresh else 0
        for bed in room.beds:
            if bed.taken & wish.mask:
                continue
            key = (fresh, misfit, -size if fresh else 0, bed.slack(wish.mask))
            if best is None or key < best_key:
                best, best_key = bed, key
    return best


def _peer(wish: Wish) -> tuple[str, UUID | None]:
    return wish.gender, wish.family_id if wish.family_id != wish.stay_id else None


def _group_key(wish: Wish) -> tuple[object, ...]:
    family = wish.family_id.int if wish.family_id != wish.stay_id else 0
    return -int(family != 0), family, wish.gender, -wish.mask.bit_count(), wish.stay_id


def _reversed_genders(
    wishes: Iterable[Wish], key: Callable[[Wish], tuple[object, ...]]
) -> list[Wish]:
    return sorted(sorted(wishes, key=key), key=lambda w: w.gender, reverse=True)


def _passed(units: Sequence[Unit], result: Allocation) -> set[UUID]:
    """Give the waiting stays behind whom somebody got one of the nights they wait for."""
    anywhere = 0
    by_inn: dict[UUID, int] = {}
    passed: set[UUID] = set()
    for unit in reversed(units):
        if unit.wishes[0].stay_id in result.beds:
            for wish in unit.wishes:
                inn_id = result.beds[wish.stay_id].room.inn.inn_id
                by_inn[inn_id] = by_inn.get(inn_id, 0) | wish.mask
                anywhere |= wish.mask
        elif unit.waiting:
            taken = anywhere if unit.inn_id is None else by_inn.get(unit.inn_id, 0)
            if any(w.mask & taken for w in unit.wishes):
                passed.update(w.stay_id for w in unit.wishes)
    return passed


def _alike(wishes: Iterable[Wish]) -> Iterable[tuple[Wish, int]]:
    """Give one wish of each kind of nights, and how many have it."""
    counts = Counter(w.mask for w in wishes)
    return [(w, counts.pop(w.mask)) for w in wishes if w.mask in counts]
