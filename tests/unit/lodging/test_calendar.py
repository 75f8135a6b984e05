"""Which night an arrival belongs to, and when a bed is given up."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from services.lodging.domain.calendar import SHANGHAI, Nights, begun_night, cut_off, night_of
from services.lodging.domain.programme import lowered, steps_down
from services.lodging.domain.stay import TABLE, State, Step

DAY = date(2026, 3, 10)


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI)


@pytest.mark.parametrize(
    ("arrival", "night"),
    [
        (at(0), DAY - timedelta(days=1)),
        (at(5, 59), DAY - timedelta(days=1)),
        (at(6), DAY),
        (at(23, 59), DAY),
        (datetime(2026, 3, 9, 21, 59, tzinfo=UTC), DAY - timedelta(days=1)),
        (datetime(2026, 3, 9, 22, 0, tzinfo=UTC), DAY),
    ],
)
def test_an_arrival_before_six_belongs_to_the_night_before(arrival: datetime, night: date) -> None:
    assert night_of(arrival) == night


@pytest.mark.parametrize(
    ("expected", "decided", "latest"),
    [
        (None, at(9), at(22)),
        (at(18), at(9), at(22)),
        (at(20), at(9), at(22)),
        (at(20, 1), at(9), at(22, 1)),
        (at(5, day=DAY + timedelta(days=1)), at(9), at(7, day=DAY + timedelta(days=1))),
        (None, at(22), at(0, day=DAY + timedelta(days=1))),
        (at(18), at(23), at(1, day=DAY + timedelta(days=1))),
    ],
)
def test_the_cut_off_is_the_later_of_ten_and_the_arrival_plus_two_hours(
    expected: datetime | None, decided: datetime, latest: datetime
) -> None:
    assert cut_off(DAY, expected, time(22), decided) == latest


def test_a_night_begins_at_ten() -> None:
    assert begun_night(at(21, 59)) == DAY - timedelta(days=1)
    assert begun_night(at(22)) == DAY


def test_a_stay_without_a_night_is_none() -> None:
    with pytest.raises(ValueError, match="ends after it begins"):
        Nights(DAY, DAY)


@pytest.mark.parametrize(
    ("no_shows", "overstays", "level"),
    [(0, 0, "A"), (1, 0, "A"), (2, 0, "B"), (0, 1, "B"), (3, 1, "C"), (9, 9, "revoked")],
)
def test_breaches_lower_the_level(no_shows: int, overstays: int, level: str) -> None:
    assert lowered("A", steps_down(no_shows, overstays)) == level


def test_what_is_over_stays_over() -> None:
    over = {State.REJECTED, State.CHECKED_OUT, State.RELEASED}
    assert not [key for key in TABLE if key[0] in over]
    assert TABLE[State.MISSED, Step.CHECK_IN] is State.CHECKED_IN
