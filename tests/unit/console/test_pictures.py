"""Pictures keep proportions, rails keep the last word, and figures read well."""

from datetime import UTC, date, datetime

import pytest

from services.console.pages import figures
from services.console.pages.forms import local_path
from services.console.pages.live import folded
from services.console.pages.pictures import DAYS, by_day, flow_of
from services.console.pages.rail import STATIONS, steps_of

ROWS = [
    {"origin": "530900", "destination": "310114", "n": 60},
    {"origin": "530900", "destination": "310151", "n": 20},
    {"origin": "532500", "destination": "310114", "n": 40},
]


def test_bands_are_as_wide_as_people_are_many() -> None:
    flow = flow_of(ROWS)
    widths = {b.n: b.width for b in flow.bands}
    assert widths[60] == pytest.approx(3 * widths[20], rel=0.01)
    assert sum(n.n for n in flow.origins) == sum(n.n for n in flow.destinations) == 120


@pytest.mark.parametrize("many", [1, 120, 100_000])
def test_the_flow_stays_inside_its_picture(many: int) -> None:
    flow = flow_of([{**row, "n": row["n"] * many} for row in ROWS])
    for node in (*flow.origins, *flow.destinations):
        assert node.y >= 0
        assert node.y + node.h <= flow.height


def test_days_without_anybody_are_there_too() -> None:
    counted = by_day({date(2027, 3, 2): 7}, date(2027, 3, 1))
    assert len(counted) == DAYS
    assert counted[1] == (date(2027, 3, 2), 7)
    assert counted[0][1] == 0


def event(kind: str, second: int) -> dict[str, object]:
    return {"type": f"{kind}.v1", "said_at": datetime(2027, 3, 1, 0, 0, second, tzinfo=UTC)}


def test_a_rail_says_the_last_word_about_each_station() -> None:
    steps = steps_of([
        event("registry.worker-nominated", 1),
        event("transport.seat-booked", 2),
        event("transport.seat-released", 3),
    ])  # fmt: skip
    assert [s.name for s in steps] == list(STATIONS)
    assert {s.name: s.state for s in steps if s.state != "ahead"} == {
        "nominated": "reached",
        "seated": "lost",
    }


@pytest.mark.parametrize(
    ("seconds", "said"), [(3, "3 s"), (90, "1 min"), (7_200, "2 h"), (400_000, "4 d"), (-1, "0 s")]
)
def test_a_length_of_time_is_said_in_its_largest_unit(seconds: float, said: str) -> None:
    assert figures.span(seconds, "en") == said


def test_moments_are_shanghai_s() -> None:
    at = datetime(2027, 3, 1, 18, 30, tzinfo=UTC)
    assert figures.moment(at, "zh-CN") == "3月2日 02:30"
    assert figures.day(at, "en") == "Tue 2 Mar"
    assert figures.day("2027-03-02", "zh-CN") == "3月2日 周二"


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere", "", None]
)
def test_no_form_sends_the_browser_elsewhere(elsewhere: str | None) -> None:
    assert local_path(elsewhere) == "/"
    assert local_path("/monitor?x=1") == "/monitor?x=1"


def test_neighbours_that_say_the_same_are_one_line_with_all_their_journeys() -> None:
    items = [
        {"html": html, "service": "lodging", "journey": str(n)} for n, html in enumerate("aabaa")
    ]
    lines = folded(items)
    assert [(line["html"], line["journeys"]) for line in lines] == [
        ("a", ["0", "1"]),
        ("b", ["2"]),
        ("a", ["3", "4"]),
    ]
    assert sum(len(line["journeys"]) for line in lines) == len(items)
