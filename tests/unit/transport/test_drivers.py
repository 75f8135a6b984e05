"""Each rule for drivers at its boundary minute, both ways."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from services.transport.domain.drivers import Leg, Rule, breaches

MIDNIGHT = datetime(2024, 2, 13, 16, tzinfo=UTC)  # 00:00 of the 14th in Shanghai


def at(clock: str, day: int = 0) -> datetime:
    hours, minutes = clock.split(":")
    return MIDNIGHT + timedelta(days=day, hours=int(hours), minutes=int(minutes))


def legs(*times: str, km: float = 1.0) -> list[Leg]:
    """Read `08:00-10:00`, one after the other; a time before the last one is of the next day."""
    moments: list[datetime] = []
    for clock in (c for span in times for c in span.split("-")):
        moment = at(clock)
        while moments and moment < moments[-1]:
            moment += timedelta(days=1)
        moments.append(moment)
    spans = list(pairwise(moments))[::2]
    return [Leg(n, since, until, km) for n, (since, until) in enumerate(spans)]


def broken(plan: list[Leg], drivers: int = 1, *, motorway: bool = False) -> set[tuple[int, Rule]]:
    return {(b.leg, b.rule) for b in breaches(plan, drivers, motorway=motorway)}


@pytest.mark.parametrize(
    ("plan", "breach"),
    [
        (legs("08:00-12:00"), None),
        (legs("08:00-12:01"), (0, Rule.DAY_ON_END)),
        (legs("08:00-10:00", "10:19-12:20"), (1, Rule.DAY_ON_END)),
        (legs("08:00-10:00", "10:20-12:21"), None),
        (legs("20:00-24:00"), None),
        (legs("19:59-23:59"), None),
        (legs("21:00-24:01"), (0, Rule.NIGHT_ON_END)),
        (legs("22:00-24:00"), None),
        (legs("22:00-24:01"), (0, Rule.NIGHT_ON_END)),
        (legs("22:00-24:00", "24:19-24:30"), (1, Rule.NIGHT_ON_END)),
        (legs("22:00-24:00", "24:20-26:00"), None),
        (legs("05:00-08:00"), None),
        (legs("04:59-06:00"), (0, Rule.STANDSTILL)),
        (legs("01:00-02:00"), None),
        (legs("01:00-02:01"), (0, Rule.STANDSTILL)),
    ],
)
def test_one_driver_rests_to_the_minute(plan: list[Leg], breach: tuple[int, Rule] | None) -> None:
    assert broken(plan) == ({breach} if breach else set())


def test_eight_hours_in_any_twenty_four() -> None:
    eight = legs("08:00-12:00", "12:20-16:20")
    assert broken(eight) == set()
    assert broken(legs("08:00-12:00", "12:20-16:20", "20:00-20:01")) == {(2, Rule.EIGHT_HOURS)}
    # 24 hours after the first minute was driven another one may be.
    assert broken([*eight, Leg(2, at("08:00", 1), at("08:01", 1))]) == set()
    assert broken([*eight, Leg(2, at("07:59", 1), at("08:00", 1))]) == {(2, Rule.EIGHT_HOURS)}


def test_two_drivers_beyond_four_hundred_kilometres_or_six_hundred_on_motorway() -> None:
    four_hours = ("08:00-12:00", "12:20-16:20")
    assert broken(legs(*four_hours, km=200.0)) == set()
    assert broken(legs(*four_hours, km=200.1)) == {(1, Rule.SECOND_DRIVER)}
    assert broken(legs(*four_hours, km=300.0), motorway=True) == set()
    assert broken(legs(*four_hours, km=300.1), motorway=True) == {(1, Rule.SECOND_DRIVER)}
    assert broken(legs(*four_hours, km=300.1), 2) == set()


def test_two_drivers_change_at_the_wheel_also_by_night_but_not_beyond_their_hours() -> None:
    assert broken(legs("20:00-12:00", km=1_600.0), 2) == set()
    # 16 hours of two drivers in the first day, and the seventeenth only in the next.
    assert broken([Leg(0, at("00:00"), at("17:00"), 1_601.0)], 2) == {(0, Rule.EIGHT_HOURS)}
    assert broken([Leg(0, at("00:00"), at("17:00"), 1_601.0)], 3) == set()
    assert broken([Leg(0, at("00:00"), at("00:01", 1), 1_601.0)], 2) == set()


def test_no_coach_is_faster_than_coaches_may_be() -> None:
    assert broken(legs("08:00-10:00", km=200.0)) == set()
    assert broken(legs("08:00-09:59", km=200.0)) == {(0, Rule.TOO_FAST)}


def test_a_coach_has_a_driver() -> None:
    assert broken(legs("08:00-09:00"), 0) == {(0, Rule.NO_DRIVER)}
