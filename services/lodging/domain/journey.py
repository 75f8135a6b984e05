"""What a person's stays should be, from all that was heard: placements, bookings, hires, tombstone.

It is asked again whenever something about the person was heard, and looks at the facts, not at the
order in which they came: so a cancellation before the hold, or a delay after the check-in, ends the
same in every order of arrival.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from services.lodging.domain.calendar import night_of
from services.lodging.domain.stay import ARRIVING, LIVE, State, Stay

BookingState = Literal["pooled", "booked", "released", "boarded", "missed", "handed_over"]
ALIVE: Final = frozenset({"booked", "boarded", "handed_over"})
# Reasons of a release after which a new seat brings a new stay.
ASKS_AGAIN: Final = frozenset({"seat_released", "passenger_missed", "no_bed_needed"})
# Who gave up a seat for one of these still travels, and keeps the bed until the next seat is known.
STILL_TRAVELS: Final = frozenset({"changed", "rebooked"})


@dataclass(frozen=True, slots=True)
class Booking:
    """A seat as transport told it; `arrives_at` (UTC) is None as long as it was never booked.

    `reason` and `rebooked_as` are those of its release.
    """

    booking_id: UUID
    placement_id: UUID | None
    state: BookingState
    arrives_at: datetime | None = None
    reason: str | None = None
    rebooked_as: UUID | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """A placement's newest whole state; `live` until it is cancelled or ended."""

    placement_id: UUID
    nomination_id: UUID
    worker_id: UUID
    gender: str
    office_id: UUID
    enterprise_id: UUID
    town: str
    division_code: str
    starts_on: date
    hired_on: date
    needs_seat: bool
    needs_bed: bool
    live: bool = True
    programme: str | None = None
    nights: int | None = None
    group_id: UUID | None = None
    group_size: int = 1
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Hire:
    """A worker on an enterprise's roster of new hires."""

    hire_id: UUID
    worker_id: UUID
    enterprise_id: UUID
    hired_on: date
    gender: str | None = None
    town: str | None = None
    division_code: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Everything lodging knows of a person; the stays in the order in which they were made."""

    worker_id: UUID
    erased: bool
    placements: Sequence[Placement]
    bookings: Sequence[Booking]
    hires: Sequence[Hire]
    stays: list[Stay]

    @property
    def gender(self) -> str | None:
        """The gender that was heard, if any was."""
        known = [p.gender for p in self.placements] + [h.gender for h in self.hires if h.gender]
        return known[-1] if known else None


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a guest is expected: by a booking, or alone without an hour; else provisional."""

    check_in_on: date
    expected_at: datetime | None = None
    booking_id: UUID | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """Make a stay for a placement."""

    placement: Placement
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class Release:
    """Give up a stay, and its bed if it has one."""

    stay: Stay
    reason: str


@dataclass(frozen=True, slots=True)
class Arrive:
    """The arrival is known, or another: the dates move, their number stays."""

    stay: Stay
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class Resite:
    """The site is in another town: the stay keeps its bed until one there is found."""

    stay: Stay
    site: Placement | Hire


@dataclass(frozen=True, slots=True)
class Ask:
    """The placement names another programme, number of nights or priority before the check-in."""

    stay: Stay
    placement: Placement


@dataclass(frozen=True, slots=True)
class Recognize:
    """The guest of a direct request is known now (or never will be): it may be decided."""

    stay: Stay
    hire: Hire | None
    placement: Placement | None


Action = Request | Release | Arrive | Resite | Ask | Recognize


def reconcile(person: Person) -> list[Action]:
    """Give what makes the person's stays follow from the facts; nothing when they do."""
    if person.erased:
        # An erasure during a stay takes effect when that ends.
        return [Release(s, "erased") for s in person.stays if s.state in ARRIVING]
    actions: list[Action] = []
    for placement in person.placements:
        stays = [
            s
            for s in person.stays
            if s.origin == "placement" and s.placement_id == placement.placement_id
        ]
        actions.extend(_for_placement(person, placement, stays))
    for stay in person.stays:
        if stay.origin == "direct":
            actions.extend(_for_direct(person, stay))
    return actions


def provisional(placement: Placement) -> Arrival:
    """Give the day before the start: assumed of who gets a seat, known of who travels alone."""
    return Arrival(placement.starts_on - timedelta(days=1), known=not placement.needs_seat)


def _for_placement(person: Person, placement: Placement, stays: Sequence[Stay]) -> Iterator[Action]:
    live = next((s for s in stays if s.state in LIVE), None)
    if not placement.live or not placement.needs_bed:
        if live is not None and live.state in ARRIVING:
            yield Release(live, "no_bed_needed" if placement.live else "placement_cancelled")
        return
    if live is None:
        if _wants_new_stay(person, placement, stays[-1] if stays else None):
            yield Request(placement, _known_arrival(person, placement) or provisional(placement))
    elif live.enterprise_id == placement.enterprise_id:
        yield from _follow(person, placement, live)
    elif live.state in ARRIVING:
        yield Release(live, "enterprise_changed")
        yield Request(placement, _known_arrival(person, placement) or provisional(placement))


def _wants_new_stay(person: Person, placement: Placement, last: Stay | None) -> bool:
    if last is None:
        return True
    if last.enterprise_id != placement.enterprise_id:
        return True
    arrival = _known_arrival(person, placement)
    if arrival is None:
        return False
    if last.state is State.RELEASED:
        return last.reason in ASKS_AGAIN
    # A refusal belongs to the booking it was decided for; a new seat is a new question.
    return (
        last.state is State.REJECTED
        and last.booking_id is not None
        and arrival.booking_id != _end_of_chain(person, last.booking_id)
    )


def _follow(person: Person, placement: Placement, stay: Stay) -> Iterator[Action]:
    if (stay.town, stay.division_code) != (placement.town, placement.division_code):
        yield Resite(stay, placement)
    if stay.state is State.CHECKED_IN:
        return
    if _asks_otherwise(stay, placement):
        yield Ask(stay, placement)
    if not placement.needs_seat:
        yield from _move(stay, provisional(placement))
    elif stay.booking_id is None:
        yield from _await_seat(person, placement, stay)
    else:
        yield from _follow_booking(person, placement, stay, stay.booking_id)


def _asks_otherwise(stay: Stay, placement: Placement) -> bool:
    asked = (stay.programme_asked, stay.nights_asked, stay.priority)
    return asked != (placement.programme, placement.nights, placement.priority)


def _await_seat(person: Person, placement: Placement, stay: Stay) -> Iterator[Action]:
    arrival = _known_arrival(person, placement)
    if arrival is not None:
        yield from _move(stay, arrival)
    elif _seat_is_lost(person, placement):
        yield Release(stay, "seat_released")
    elif stay.arrival_on != provisional(placement).check_in_on:
        yield Arrive(stay, provisional(placement))


def _follow_booking(
    person: Person, placement: Placement, stay: Stay, booking_id: UUID
) -> Iterator[Action]:
    """Stick to the stay's booking as long as it lives, then to what it became, else give up."""
    booking = _find(person, _end_of_chain(person, booking_id))
    if booking is None or _keeps_bed(person, booking_id, booking):
        return
    if booking.state in ALIVE:
        arrival = _arrival(booking)
        if arrival is not None:
            yield from _move(stay, arrival)
        return
    yield Release(stay, "passenger_missed" if booking.state == "missed" else "seat_released")
    arrival = _known_arrival(person, placement)
    if arrival is not None:
        yield Request(placement, arrival)


def _keeps_bed(person: Person, booking_id: UUID, end: Booking) -> bool:
    """Tell whether the next seat of who still travels is only in the pool yet."""
    first = _find(person, booking_id)
    still = first is not None and (first.state == "pooled" or first.reason in STILL_TRAVELS)
    return end.state == "pooled" and still


def _seat_is_lost(person: Person, placement: Placement) -> bool:
    """Tell whether a seat was given up or missed, and no other is had or on its way."""
    own = [b for b in person.bookings if b.placement_id == placement.placement_id]
    lost = [b for b in own if b.arrives_at is not None and b.state in {"released", "missed"}]
    return (
        bool(lost)
        and not any(b.state in ALIVE for b in own)
        and all(
            (end := _find(person, _end_of_chain(person, b.booking_id))) is not None
            and not _keeps_bed(person, b.booking_id, end)
            for b in lost
        )
    )


def _move(stay: Stay, arrival: Arrival) -> Iterator[Action]:
    same = (
        stay.arrival_on == arrival.check_in_on
        and stay.expected_at == arrival.expected_at
        and stay.booking_id == arrival.booking_id
    )
    if not same or stay.ready_at is None:
        yield Arrive(stay, arrival)


def _known_arrival(person: Person, placement: Placement) -> Arrival | None:
    if not placement.needs_seat:
        return provisional(placement)
    alive = [
        b for b in person.bookings if b.placement_id == placement.placement_id and b.state in ALIVE
    ]
    # Ids of bookings rise with time (UUIDv7): the newest is the one that counts.
    return _arrival(max(alive, key=lambda b: b.booking_id)) if alive else None


def _arrival(booking: Booking) -> Arrival | None:
    if booking.arrives_at is None:
        return None
    return Arrival(night_of(booking.arrives_at), booking.arrives_at, booking.booking_id)


def _find(person: Person, booking_id: UUID) -> Booking | None:
    return next((b for b in person.bookings if b.booking_id == booking_id), None)


def _end_of_chain(person: Person, booking_id: UUID) -> UUID:
    following = {b.booking_id: b.rebooked_as for b in person.bookings if b.state == "released"}
    seen = {booking_id}
    while (then := following.get(booking_id)) is not None and then not in seen:
        seen.add(then)
        booking_id = then
    return booking_id


def _for_direct(person: Person, stay: Stay) -> Iterator[Action]:
    if stay.state not in LIVE:
        return
    hire, placement = employment(person, stay.enterprise_id)
    site = placement or hire
    known = site is not None
    if stay.ready_at is not None and site is not None and _is_elsewhere(stay, site):
        yield Resite(stay, site)
    if stay.state is State.CHECKED_IN:
        return
    if stay.state is State.REQUESTED and stay.ready_at is None:
        if known:
            yield Recognize(stay, hire, placement)
        return
    if stay.placement_id is not None and not known:
        yield Release(stay, "placement_cancelled")


def _is_elsewhere(stay: Stay, site: Placement | Hire) -> bool:
    told = (site.town, site.division_code)
    return site.town is not None and (stay.town, stay.division_code) != told


def employment(person: Person, enterprise_id: UUID) -> tuple[Hire | None, Placement | None]:
    """Give the hire and the live placement that make the person this enterprise's new hire."""
    hires = [h for h in person.hires if h.enterprise_id == enterprise_id]
    placements = [p for p in person.placements if p.live and p.enterprise_id == enterprise_id]
    return (
        max(hires, key=lambda h: h.hire_id) if hires else None,
        max(placements, key=lambda p: p.placement_id) if placements else None,
    )


def hired_on(person: Person, stay: Stay) -> date | None:
    """Give the day of hiring that counts for a stay, or None for who isn't a new hire there.

    A stay of a placement counts from the placement's; a direct one from the newest day that isn't
    after its check-in.
    """
    hire, placement = employment(person, stay.enterprise_id)
    if stay.origin == "placement":
        return placement.hired_on if placement else None
    days = [e.hired_on for e in (hire, placement) if e is not None]
    return max((d for d in days if d <= stay.check_in_on), default=min(days, default=None))
