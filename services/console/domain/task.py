"""What somebody has to do about a journey: derived from the facts, as the journey is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.console.domain.fact import Fact, Facts

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
SEAT_DEADLINE_DAYS: Final = 2
SEAT_DEADLINE: Final = time(12, 0)


@dataclass(frozen=True, slots=True)
class Task:
    """Something to decide about a thing; `service` offers the commands."""

    kind: str
    about: Fact
    service: str
    due_at: datetime | None = None


def seat_deadline(starts_on: date) -> datetime:
    """Give the moment from which a missing seat is a task: 12:00 two days before the start."""
    return datetime.combine(starts_on - timedelta(days=SEAT_DEADLINE_DAYS), SEAT_DEADLINE, SHANGHAI)


def tasks(facts: Facts, now: datetime) -> list[Task]:
    """Give the journey's open tasks; `now` is business time."""
    found = [
        Task("answer_offer", o, "recruitment", _moment(o)) for o in facts.offers if _is_asked(o)
    ]
    found += [Task("confirm_stay", s, "lodging", _moment(s)) for s in facts.stays if _is_held(s)]
    found += _in_house(facts.stays)
    placement = facts.placement
    if placement is not None and placement.state == "confirmed":
        found += _of_placement(facts, placement, now)
    found += _of_direct(facts.direct_stays)
    return found


def due_at(facts: Facts, now: datetime) -> datetime | None:
    """Give the next moment at which time alone brings a task, or None."""
    placement = facts.placement
    if placement is None or placement.state != "confirmed" or not placement.says("needs_seat"):
        return None
    booking = facts.booking_of(placement)
    if booking is not None and booking.state not in {"waitlisted", "released"}:
        return None
    starts_on = placement.day("starts_on")
    deadline = seat_deadline(starts_on) if starts_on else None
    return deadline if deadline is not None and deadline > now else None


def _of_placement(facts: Facts, placement: Fact, now: datetime) -> Iterator[Task]:
    booking, stay = facts.booking_of(placement), facts.stay_of(placement)
    if booking is not None:
        yield from _of_booking(facts, placement, booking, now)
    elif _is_late(placement, now):
        yield Task("no_seat", placement, "transport")
    if stay is None or facts.is_asked_anew(stay):
        return
    if stay.state == "rejected" or _lacks_town(stay):
        yield Task("no_bed", stay, "lodging")
    elif stay.state == "missed":
        yield Task("not_arrived", stay, "lodging")


def _of_booking(facts: Facts, placement: Fact, booking: Fact, now: datetime) -> Iterator[Task]:
    if booking.state == "missed":
        yield Task("missed_trip", booking, "transport")
    elif booking.state == "handed_over" and booking.says("outcome") != "received":
        yield Task("not_arrived", booking, "recruitment")
    elif booking.state in {"waitlisted", "released"} and (
        _lost_its_trip(facts, placement) or _is_late(placement, now)
    ):
        yield Task("no_seat", booking, "transport")


def _of_direct(stays: list[Fact]) -> Iterator[Task]:
    # A newer request of the same guest takes the place of one that was refused.
    last = stays[-1] if stays else None
    if last is not None and last.state == "rejected":
        yield Task("no_bed", last, "lodging")
    elif last is not None and last.state == "missed":
        yield Task("not_arrived", last, "lodging")


def _in_house(stays: Sequence[Fact]) -> Iterator[Task]:
    """Give what is to be done about guests in house: their stay ends, or has ended, without a home.

    Closed by what is said next of the stay: the next home, an extension, the check-out.
    """
    for stay in stays:
        kind = _IN_HOUSE.get(str(stay.says("reason")))
        if stay.state == "checked_in" and kind is not None:
            yield Task(kind, stay, "lodging")


_IN_HOUSE: Final = {"next_home_unknown": "next_home", "overstayed": "overstay"}


def _lost_its_trip(facts: Facts, placement: Fact) -> bool:
    return any(
        b.state == "released" and b.says("reason") == "cancelled" and b.says("trip_id")
        for b in facts.bookings
        if b.uuid("placement_id") == placement.fact_id
    )


def _is_late(placement: Fact, now: datetime) -> bool:
    starts_on = placement.day("starts_on")
    return (
        bool(placement.says("needs_seat"))
        and starts_on is not None
        and now >= seat_deadline(starts_on)
    )


def _is_asked(offer: Fact) -> bool:
    return offer.state == "made" and offer.says("acceptance") != "on_nomination"


def _is_held(stay: Fact) -> bool:
    return stay.state == "held" and stay.says("expires_at") is not None


def _lacks_town(stay: Fact) -> bool:
    return stay.state == "confirmed" and stay.says("reason") == "no_bed_in_town"


def _moment(fact: Fact) -> datetime | None:
    value = fact.says("expires_at")
    return datetime.fromisoformat(value) if value else None
