"""Driver hours on a coach: what a plan must allow its drivers, each refusal with its leg and rule.

The rules are those of the road-transport regulations: at most 4 h on end by day and 2 h by night
(22:00-06:00), then 20 min of rest; 8 h in 24 h; two drivers beyond 400 km, or 600 km wholly on
motorway; between 02:00 and 05:00 a coach stands or its crew changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from contracts.reference import distance_km
from services.transport.domain.trip import SHANGHAI, Stop

BY_DAY: Final = timedelta(hours=4)
BY_NIGHT: Final = timedelta(hours=2)
REST: Final = timedelta(minutes=20)
IN_A_DAY: Final = timedelta(hours=8)
DAY: Final = timedelta(hours=24)
ONE_DRIVER_KM: Final = 400.0
ONE_DRIVER_MOTORWAY_KM: Final = 600.0
# The limit for coaches on motorways: nobody drives a leg in less than its straight line at this.
KM_PER_HOUR_MAX: Final = 100.0
NIGHT: Final = (time(22), time(6))
STANDSTILL: Final = (time(2), time(5))


class Rule(StrEnum):
    """Which rule a plan breaks."""

    DAY_ON_END = "four_hours_on_end"
    NIGHT_ON_END = "two_hours_by_night"
    EIGHT_HOURS = "eight_hours_in_a_day"
    SECOND_DRIVER = "second_driver"
    STANDSTILL = "standstill_by_night"
    TOO_FAST = "too_fast"
    NO_DRIVER = "no_driver"


@dataclass(frozen=True, slots=True)
class Leg:
    """Driving from one stop to the next, or one driver's part of it; `km` in a straight line."""

    number: int
    departs_at: datetime
    arrives_at: datetime
    km: float = 0.0

    @property
    def duration(self) -> timedelta:
        """How long it takes."""
        return self.arrives_at - self.departs_at

    @property
    def shortest(self) -> timedelta:
        """How long it takes at least, if nobody drives faster than coaches may."""
        return timedelta(hours=self.km / KM_PER_HOUR_MAX)


@dataclass(frozen=True, slots=True)
class Breach:
    """A leg (its number: from stop n to stop n + 1) and the rule that it breaks."""

    leg: int
    rule: Rule


def legs_of(stops: Sequence[Stop]) -> list[Leg]:
    """Give the legs of a plan whose times are complete."""
    return [
        Leg(
            number,
            here.departs_at,
            there.arrives_at,
            distance_km(here.division_code, there.division_code) or 0.0,
        )
        for number, (here, there) in enumerate(pairwise(stops))
        if here.departs_at and there.arrives_at
    ]


def breaches(legs: Sequence[Leg], driver_count: int, *, motorway: bool = False) -> list[Breach]:
    """Check a coach's plan; give what it breaks, by leg.

    One driver's rests are the stops of the plan, to the minute. Two or more take turns at the
    wheel on a leg, so there it is enough that its time holds the legal hours of them together.
    """
    found = [Breach(leg.number, Rule.TOO_FAST) for leg in legs if leg.duration < leg.shortest]
    km_max = ONE_DRIVER_MOTORWAY_KM if motorway else ONE_DRIVER_KM
    if driver_count == 1 and (far := _first_beyond(legs, km_max)) is not None:
        found.append(Breach(far, Rule.SECOND_DRIVER))
    if driver_count < 1:
        found.append(Breach(0, Rule.NO_DRIVER))
    if driver_count > 1:
        return found + _of_turns(legs, driver_count)
    return found + _of_one_driver(legs)


def _first_beyond(legs: Iterable[Leg], km_max: float) -> int | None:
    km = 0.0
    for leg in legs:
        km += leg.km
        if km > km_max:
            return leg.number
    return None


def _of_one_driver(legs: Sequence[Leg]) -> list[Breach]:
    found: list[Breach] = []
    on_end = by_night = timedelta(0)
    before: Leg | None = None
    for leg in legs:
        if before is None or leg.departs_at - before.arrives_at >= REST:
            on_end = by_night = timedelta(0)
        on_end += leg.duration
        by_night += _within(leg, NIGHT)
        checks = (
            (on_end > BY_DAY, Rule.DAY_ON_END),
            (by_night > BY_NIGHT, Rule.NIGHT_ON_END),
            (_within(leg, STANDSTILL) > timedelta(0), Rule.STANDSTILL),
            (_driven_in_a_day(legs, leg) > IN_A_DAY, Rule.EIGHT_HOURS),
        )
        found += [Breach(leg.number, rule) for broken, rule in checks if broken]
        before = leg
    return found


def _driven_in_a_day(legs: Iterable[Leg], last: Leg) -> timedelta:
    """Give the driving in the 24 hours before a leg's end."""
    since = last.arrives_at - DAY
    return sum(
        (
            leg.arrives_at - max(leg.departs_at, since)
            for leg in legs
            if since < leg.arrives_at <= last.arrives_at
        ),
        timedelta(0),
    )


def _of_turns(legs: Sequence[Leg], driver_count: int) -> list[Breach]:
    """Check that all drivers' hours together suffice, from the first departure to each arrival."""
    found: list[Breach] = []
    driven = timedelta(0)
    for leg in legs:
        driven += min(leg.duration, leg.shortest)
        days, rest = divmod(leg.arrives_at - legs[0].departs_at, DAY)
        hours = days * IN_A_DAY * driver_count + min(rest, IN_A_DAY * driver_count)
        if driven > hours:
            found.append(Breach(leg.number, Rule.EIGHT_HOURS))
    return found


def _within(leg: Leg, hours: tuple[time, time]) -> timedelta:
    """Give how long a leg runs within these hours of the day, over all its days."""
    first = leg.departs_at.astimezone(SHANGHAI).date() - timedelta(days=1)
    last = leg.arrives_at.astimezone(SHANGHAI).date()
    total = timedelta(0)
    for n in range((last - first).days + 1):
        since, until = _span(first + timedelta(days=n), hours)
        total += max(timedelta(0), min(leg.arrives_at, until) - max(leg.departs_at, since))
    return total


def _span(day: date, hours: tuple[time, time]) -> tuple[datetime, datetime]:
    since, until = (datetime.combine(day, hour, SHANGHAI) for hour in hours)
    return since, until if since < until else until + timedelta(days=1)
