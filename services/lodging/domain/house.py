"""The inns as one decision sees them: who has which bed on which nights, in memory.

Nights are bits of an integer, counted from `House.base`; so one `&` asks about a whole stay.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from services.lodging.domain.calendar import Nights
from services.lodging.domain.places import Place

OTHER: Final = {"male": "female", "female": "male"}
# A period out of service may have no end; a night further ahead is asked for by nobody.
HORIZON: Final = timedelta(days=1100)


@dataclass(frozen=True, slots=True)
class Wish:
    """One guest's wish for a bed on the nights of `mask`; one `family_id` may share a room."""

    stay_id: UUID
    worker_id: UUID
    gender: str
    mask: int
    family_id: UUID


@dataclass(slots=True, eq=False)
class Bed:
    """A bed; `closed` are the nights out of service, `taken` those and the nights with a guest."""

    bed_id: UUID
    room: "Room"
    name: str
    closed: int = 0
    taken: int = 0

    def slack(self, mask: int) -> int:
        """Count the free nights next to these: a close fit leaves long gaps for long stays."""
        first = (mask & -mask).bit_length() - 1
        before = self.taken & ((1 << first) - 1)
        after = self.taken >> mask.bit_length()
        gap = (after & -after).bit_length() - 1 if after else 0
        return first - before.bit_length() + gap


@dataclass(slots=True, eq=False)
class Room:
    """A room: its beds and the guests in it."""

    room_id: UUID
    inn: "Inn"
    name: str
    beds: list[Bed] = field(default_factory=list)
    guests: list[Wish] = field(default_factory=list)
    used: int = 0
    by_gender: dict[str, int] = field(default_factory=dict)
    # The nights on which no bed is free: most rooms of a full house are passed by at a glance.
    full: int = 0

    def admits(self, wish: Wish) -> bool:
        """Tell whether nobody of another gender is there on these nights, the family aside."""
        if not wish.mask & self.used:
            return True
        if not self.by_gender.get(OTHER.get(wish.gender, ""), 0) & wish.mask:
            return True
        return all(
            guest.family_id == wish.family_id
            or guest.gender == wish.gender
            or not guest.mask & wish.mask
            for guest in self.guests
        )

    def count_full(self) -> None:
        """Note the nights on which no bed is free."""
        full = -1
        for bed in self.beds:
            full &= bed.taken
        self.full = full

    def recount(self) -> None:
        """Note the guests' nights anew."""
        self.used, self.by_gender = 0, {}
        for wish in self.guests:
            self.used |= wish.mask
            self.by_gender[wish.gender] = self.by_gender.get(wish.gender, 0) | wish.mask
        self.count_full()


@dataclass(slots=True, eq=False)
class Inn:
    """An inn with its rooms in the order of their names; no programmes means every programme."""

    inn_id: UUID
    name: str
    town: str
    division_code: str
    programmes: frozenset[str] = frozenset()
    rooms: list[Room] = field(default_factory=list)
    # Rises with each guest who comes or goes: what was counted before may be wrong since.
    change_count: int = 0

    @property
    def bed_count(self) -> int:
        """How many beds there are, in service or not."""
        return sum(len(room.beds) for room in self.rooms)

    @property
    def place(self) -> Place:
        """Where the inn is."""
        return self.town, self.division_code

    def serves(self, programme: str) -> bool:
        """Tell whether guests of the programme may stay here."""
        return not self.programmes or programme in self.programmes


class House:
    """All inns of a decision; `put` and `remove` keep the nights of beds and rooms in step."""

    def __init__(self, base: date, inns: Sequence[Inn]) -> None:
        self.base = base
        self.inns = list(inns)
        self.beds = {bed.bed_id: bed for inn in inns for room in inn.rooms for bed in room.beds}
        self.placed: dict[UUID, list[tuple[Wish, Bed]]] = {}
        self._nights: dict[UUID, int] = {}
        # Rises whenever a night becomes free: what was full before may fit now.
        self.freed = 0

    def mask(self, nights: Nights) -> int:
        """Give the nights as bits; nights before the base are left out."""
        return self.span(nights.check_in_on, nights.check_out_on)

    def span(self, since: date, until: date) -> int:
        """Give the nights from `since` to the day before `until` as bits, maybe none."""
        first = max(0, (since - self.base).days)
        end = max(first, (until - self.base).days)
        return (1 << end) - (1 << first)

    def close(self, bed_id: UUID, nights: Nights) -> None:
        """Take a bed out of service; beyond the horizon nobody asks."""
        bed = self.beds.get(bed_id)
        if bed is not None:
            horizon = self.base + HORIZON
            bed.closed |= self.mask(nights) & self.mask(Nights(self.base, horizon))
            bed.taken |= bed.closed
            bed.room.count_full()

    def fill(self, guests: Iterable[tuple[Wish, UUID]]) -> None:
        """Let those have their beds who have them already."""
        for wish, bed_id in guests:
            self._enter(wish, self.beds[bed_id])
        for inn in self.inns:
            for room in inn.rooms:
                room.count_full()

    def put(self, wish: Wish, bed: Bed) -> None:
        """Let a guest have a bed; the caller has asked `fits`."""
        self._enter(wish, bed)
        bed.room.count_full()

    def _enter(self, wish: Wish, bed: Bed) -> None:
        room, mask = bed.room, wish.mask
        bed.taken |= mask
        room.used |= mask
        room.by_gender[wish.gender] = room.by_gender.get(wish.gender, 0) | mask
        room.guests.append(wish)
        room.inn.change_count += 1
        self._nights[wish.worker_id] = self._nights.get(wish.worker_id, 0) | mask
        self.placed.setdefault(wish.stay_id, []).append((wish, bed))

    def remove(self, stay_id: UUID) -> None:
        """Give a stay's nights back."""
        for wish, bed in self.placed.pop(stay_id, ()):
            bed.taken = (bed.taken & ~wish.mask) | bed.closed
            bed.room.guests.remove(wish)
            self._nights[wish.worker_id] &= ~wish.mask
            bed.room.recount()
            bed.room.inn.change_count += 1
        self.freed += 1

    def cut(self, stay_id: UUID, mask: int) -> None:
        """Give some of a stay's nights back."""
        held = self.placed.get(stay_id, [])
        self.remove(stay_id)
        for wish, bed in held:
            if wish.mask & ~mask:
                self.put(replace(wish, mask=wish.mask & ~mask), bed)

    def is_lodged(self, wish: Wish) -> bool:
        """Tell whether the guest has a bed on one of these nights already."""
        return bool(self._nights.get(wish.worker_id, 0) & wish.mask)

    def fits(self, wish: Wish, bed: Bed) -> bool:
        """Tell whether the guest is free, the bed too, and the room admits the guest."""
        return not (self.is_lodged(wish) or bed.taken & wish.mask) and bed.room.admits(wish)


def room_nights(rooms: Iterable[Room]) -> int:
    """Count the room-nights that are opened: those with a guest."""
    return sum(room.used.bit_count() for room in rooms)
