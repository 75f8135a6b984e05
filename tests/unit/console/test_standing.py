"""How a service's waiting records went, in a word and a line."""

import pytest

from services.console.pages.standing import COMPARED, SEEN_MAX, Trend


@pytest.mark.parametrize(
    ("seen", "course"),
    [
        ([5], "level_course"),
        ([7] * SEEN_MAX, "level_course"),
        ([0] * COMPARED + [9] * COMPARED, "rising"),
        ([9] * COMPARED + [0] * COMPARED, "falling"),
        ([100] * COMPARED + [0] * COMPARED + [1] * COMPARED, "rising"),
    ],
)
def test_the_newest_counts_tell_where_it_goes(seen: list[int], course: str) -> None:
    trend = Trend()
    for count in seen:
        trend.add("lodging", count)
    assert trend.course("lodging") == course


def test_the_line_keeps_what_was_seen_last_and_stays_in_its_picture() -> None:
    trend = Trend()
    for count in range(3 * SEEN_MAX):
        trend.add("lodging", 1_000 * count)
    drawn = trend.drawn("lodging").partition('points="')[2].partition('"')[0]
    points = [tuple(map(float, p.split(","))) for p in drawn.split()]
    assert len(points) == SEEN_MAX
    assert (points[0][0], points[-1][0]) == (0.0, 80.0)
    assert all(1 <= y <= 15 for _, y in points)
    assert points[-1][1] == 1.0
