"""Which bed for whom: few rooms, near the site, groups whole, always the same."""

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.lodging.domain.allocation import Allocator, Unit
from services.lodging.domain.calendar import Nights
from services.lodging.domain.house import Bed, House, Inn, Room, Wish, room_nights
from services.lodging.domain.places import Place, distance, town_of

BASE = date(2026, 3, 1)
JIADING: Place = ("嘉定镇街道", "310114")
NANXIANG: Place = ("南翔镇", "310114")


def an_inn(*sizes: int, place: Place = JIADING, name: str = "客栈", programmes: Any = ()) -> Inn:
    inn = Inn(uuid4(), name, *place, programmes=frozenset(programmes))
    for n, size in enumerate(sizes):
        room = Room(uuid4(), inn, f"{n:03}")
        room.beds = [Bed(uuid4(), room, "ABCDEFGH"[b]) for b in range(size)]
        inn.rooms.append(room)
    return inn


def a_wish(house: House, **overrides: Any) -> Wish:
    values = {"gender": "male", "first": 0, "count": 3, "family_id": None} | overrides
    stay_id = uuid4()
    nights = Nights.of(BASE + timedelta(days=values["first"]), values["count"])
    family_id = values["family_id"] or stay_id
    return Wish(stay_id, uuid4(), values["gender"], house.mask(nights), family_id)


def placed(house: House, *wishes: Wish, **unit: Any) -> list[Bed | None]:
    """Place single guests one after the other."""
    units = [Unit((w,), "YOUJIA", **unit) for w in wishes]
    beds = Allocator(house).allocate(units).beds
    return [beds.get(w.stay_id) for w in wishes]


def test_one_town_is_one_town_however_it_is_written() -> None:
    assert town_of(("南翔", "310114")) == town_of(NANXIANG)
    assert distance(NANXIANG, ("南翔", "310114")) == 0
    assert distance(NANXIANG, JIADING) > 0
    assert distance(NANXIANG, JIADING) < distance(NANXIANG, ("某镇", "310151"))


def test_the_nearest_town_comes_first() -> None:
    near, far = an_inn(1, place=NANXIANG), an_inn(1, place=("城桥镇", "310151"))
    house = House(BASE, [far, near])
    first, second = placed(house, a_wish(house), a_wish(house), site=NANXIANG)
    assert first is not None
    assert second is not None
    assert (first.room.inn, second.room.inn) == (near, far)


def test_guests_fill_an_open_room_before_another_is_opened() -> None:
    house = House(BASE, [an_inn(2, 2, 2)])
    placed(house, *(a_wish(house) for _ in range(4)))
    assert room_nights(house.inns[0].rooms) == 2 * 3


def test_men_and_women_open_a_room_each() -> None:
    house = House(BASE, [an_inn(2, 2)])
    wishes = [a_wish(house, gender=g) for g in ("male", "female", "male", "female")]
    beds = placed(house, *wishes)
    rooms = {w.gender: b.room for w, b in zip(wishes, beds, strict=True) if b}
    assert None not in beds
    assert rooms["male"] is not rooms["female"]


def test_an_inn_of_another_programme_is_passed_over() -> None:
    house = House(BASE, [an_inn(1, programmes=["SUMMER"])])
    assert placed(house, a_wish(house)) == [None]


def test_a_close_fit_leaves_the_long_gap_to_a_long_stay() -> None:
    house = House(BASE, [an_inn(1, 1)])
    one, other = (room.beds[0] for room in house.inns[0].rooms)
    house.put(a_wish(house, first=3, count=10), one)
    house.put(a_wish(house, first=10, count=3), other)
    (bed,) = placed(house, a_wish(house, first=0, count=3))
    assert bed is one


def test_a_bed_out_of_service_is_free_again_only_when_its_period_is_over() -> None:
    house = House(BASE, [an_inn(1)])
    bed = house.inns[0].rooms[0].beds[0]
    guest = a_wish(house, first=0, count=5)
    house.put(guest, bed)
    house.close(bed.bed_id, Nights.of(BASE + timedelta(days=2), 2))
    house.remove(guest.stay_id)
    assert house.fits(a_wish(house, first=0, count=2), bed)
    assert not house.fits(a_wish(house, first=1, count=2), bed)
    assert house.fits(a_wish(house, first=4, count=1), bed)


def test_a_guest_is_in_one_bed_a_night() -> None:
    house = House(BASE, [an_inn(2)])
    first = a_wish(house)
    again = Wish(uuid4(), first.worker_id, "male", first.mask, uuid4())
    assert placed(house, first, again)[1] is None


def test_a_group_is_whole_in_one_inn_or_not_placed_at_all() -> None:
    house = House(BASE, [an_inn(2), an_inn(1, 1), an_inn(2, 2, name="大店")])
    group = Unit(tuple(a_wish(house) for _ in range(4)), "YOUJIA")
    beds = Allocator(house).allocate([group]).beds
    assert {b.room.inn.name for b in beds.values()} == {"大店"}
    larger = Unit(tuple(a_wish(house) for _ in range(4)), "YOUJIA")
    result = Allocator(house).allocate([larger])
    assert (result.beds, result.unplaced) == ({}, [larger])


def test_a_mixed_group_gets_a_room_per_gender_but_a_family_one_room() -> None:
    house = House(BASE, [an_inn(2)])
    mixed = Unit(tuple(a_wish(house, gender=g) for g in ("male", "female")), "YOUJIA")
    assert Allocator(house).allocate([mixed]).beds == {}
    family_id = uuid4()
    wishes = tuple(a_wish(house, gender=g, family_id=family_id) for g in ("male", "female"))
    assert len(Allocator(house).allocate([Unit(wishes, "YOUJIA")]).beds) == 2


def test_the_same_question_has_the_same_answer() -> None:
    def answer() -> list[UUID | None]:
        rng = random.Random(5)
        inns = [an_inn(*(rng.randint(1, 4) for _ in range(6)), name=f"{n}") for n in range(3)]
        house = House(BASE, inns)
        order = {b.bed_id: UUID(int=n) for n, b in enumerate(house.beds.values())}
        wishes = [
            a_wish(house, first=rng.randrange(9), count=rng.randint(1, 5), gender=gender)
            for gender in rng.choices(["male", "female"], k=60)
        ]
        return [order[b.bed_id] if b else None for b in placed(house, *wishes)]

    assert answer() == answer()


def test_best_fit_opens_fewer_rooms_than_first_fit() -> None:
    best = first = 0
    for seed in range(20):
        rng = random.Random(seed)
        asked = [
            (rng.randrange(20), rng.randint(1, 7), rng.choice(["male", "female"]))
            for _ in range(80)
        ]
        for fit in ("best", "first"):
            house = House(BASE, [an_inn(*[2, 3, 4, 2] * 5)])
            wishes = [a_wish(house, first=f, count=c, gender=g) for f, c, g in asked]
            if fit == "best":
                placed(house, *wishes)
                best += room_nights(house.inns[0].rooms)
                continue
            for wish in wishes:
                bed = next((b for b in house.beds.values() if house.fits(wish, b)), None)
                if bed is not None:
                    house.put(wish, bed)
            first += room_nights(house.inns[0].rooms)
    assert best < first
