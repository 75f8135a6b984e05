"""Time windows: stops that open and close, people who come late or start early, and their limits.

A plan is checked here by hand, minute by minute, not by what made it.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from services.transport.domain.itinerary import BOARDING, itinerary
from services.transport.domain.trip import Stop
from services.transport.domain.window import Limits, Miss, Span, StopRule, Window, misses
from services.transport.planning import Fleet, Party, Plan, Rider, Task
from services.transport.planning.demand import parties_of
from services.transport.planning.greedy import county_by_county
from services.transport.planning.solve import solve
from tests.integration.transport.world import IDS
from tests.unit.transport.test_planning import COUNTIES, FROM, JIADING, a_task, check, place

MINUTE = timedelta(minutes=1)
WAY = [place(COUNTIES[0]), place(COUNTIES[1]), JIADING]


def people(county: str, count: int, days: tuple[datetime | None, datetime | None]) -> list[Party]:
    return parties_of(Rider(IDS.uuid7(), None, place(county), days) for _ in range(count))


def limits_kept(task: Task, plan: Plan) -> None:
    """Hold that everybody aboard boards while the stop is open, and travels on their own days."""
    for run in plan.runs:
        assert run.itinerary is not None
        stops = {s.place_code: s for s in run.itinerary.stops}
        arrives = run.itinerary.stops[-1].arrives_at
        assert arrives is not None
        assert arrives <= task.arrive_by
        for party in run.parties:
            leaves = stops[party.place[0]].departs_at
            window = task.windows.get(party.place[0], Window())
            assert leaves is not None
            assert leaves >= task.depart_from
            assert window.opens_at is None or leaves - BOARDING >= window.opens_at
            assert window.closes_at is None or leaves <= window.closes_at
            assert party.days[0] is None or leaves >= party.days[0]
            assert party.days[1] is None or arrives < party.days[1]


def left(stops: Sequence[Stop]) -> list[datetime]:
    return [s.departs_at for s in stops if s.departs_at]


def test_a_way_waits_for_a_stop_that_opens_later_and_leaves_before_one_closes() -> None:
    free = itinerary(WAY, "train", 2, Limits(FROM))
    first, second = left(free.stops)
    late = Span(earliest=second + timedelta(hours=1))
    # Who has to be there an hour later arrives an hour later: the limit must allow for it.
    waits = itinerary(WAY, "train", 2, Limits(FROM + timedelta(hours=1), (Span(), late)))
    assert left(waits.stops) == [first + timedelta(hours=1), second + timedelta(hours=1)]
    closes = Span(latest=first - timedelta(hours=3))
    early = itinerary(WAY, "train", 2, Limits(FROM, (closes,)))
    assert left(early.stops) == [m - timedelta(hours=3) for m in (first, second)]
    assert (waits.misses, early.misses) == ((), ())


def test_between_a_stop_that_closes_and_one_that_opens_the_vehicle_stands() -> None:
    first, second = left(itinerary(WAY, "train", 2, Limits(FROM)).stops)
    spans = (Span(latest=first - timedelta(hours=3)), Span(earliest=second - timedelta(hours=1)))
    way = itinerary(WAY, "train", 2, Limits(FROM, spans))
    assert left(way.stops) == [first - timedelta(hours=3), second - timedelta(hours=1)]
    assert way.misses == ()


@pytest.mark.parametrize("by", [timedelta(), MINUTE])
def test_a_stops_limit_is_kept_or_missed_at_its_boundary_minute(by: timedelta) -> None:
    way = itinerary(WAY, "train", 2, Limits(FROM))
    first, second = left(way.stops)
    here, there, end = (s.place_code for s in way.stops)
    for limits, stop, rule in (
        (Limits(FROM, (Span(earliest=first + by),)), here, StopRule.BOARDING_WINDOW),
        (Limits(FROM, (Span(latest=first - by),)), here, StopRule.BOARDING_WINDOW),
        (Limits(FROM, (Span(), Span(second + by))), there, StopRule.BOARDING_WINDOW),
        (Limits(FROM - by), end, StopRule.ARRIVE_BY),
        (Limits(FROM - by, rule=StopRule.WORK_STARTS), end, StopRule.WORK_STARTS),
    ):
        assert misses(way.stops, limits) == ([Miss(stop, rule)] if by else [])


def test_who_starts_early_rides_in_a_coach_that_is_there_the_day_before() -> None:
    early = (None, FROM + timedelta(days=4))
    parties = [*people(COUNTIES[0], 25, early), *people(COUNTIES[0], 60, (None, None))]
    task = a_task(parties, seconds_max=0.3)
    plan = solve(task)
    check(task, plan)
    limits_kept(task, plan)
    assert not plan.unserved
    assert len(plan.runs) == 2


def test_who_can_leave_late_only_is_collected_then() -> None:
    late = (FROM + timedelta(days=2), None)
    pool = [*people(COUNTIES[0], 30, late), *people(COUNTIES[1], 15, (None, None))]
    task = a_task(pool, seconds_max=0.3)
    plan = solve(task)
    check(task, plan)
    limits_kept(task, plan)
    assert (len(plan.runs), plan.unserved) == (1, {})


def test_a_limit_that_nobody_can_keep_is_named_with_its_stop_and_rule() -> None:
    too_early = people(COUNTIES[0], 25, (None, FROM + timedelta(hours=20)))
    too_late = people(COUNTIES[1], 25, (FROM + timedelta(days=7), None))
    fine = people(COUNTIES[2], 25, (None, None))
    shut = people(COUNTIES[3], 25, (None, None))
    windows = {place(COUNTIES[3])[0]: Window(closes_at=FROM - MINUTE)}
    task = a_task([*too_early, *too_late, *fine, *shut], windows=windows, seconds_max=0.3)
    for plan in (solve(task), county_by_county(task)):
        limits_kept(task, plan)
        assert [r.load for r in plan.runs] == [25]
        # Who can't leave before the plan's end misses the arrival.
        named = {(m.stop, m.rule): len(ids) for m, ids in plan.missed.items()}
        assert named == {
            (JIADING[0], StopRule.WORK_STARTS): 25,
            (JIADING[0], StopRule.ARRIVE_BY): 25,
            (place(COUNTIES[3])[0], StopRule.BOARDING_WINDOW): 25,
        }
        assert sorted(plan.unserved.values()) == ["too_late"] * 50 + ["window"] * 25


def test_a_stop_that_closes_too_early_for_a_way_gets_a_vehicle_of_its_own() -> None:
    # The second county's stop is open on the first day, the first county's on the third.
    windows = {
        place(COUNTIES[0])[0]: Window(FROM + timedelta(days=2), FROM + timedelta(days=2, hours=9)),
        place(COUNTIES[1])[0]: Window(FROM, FROM + timedelta(hours=9)),
    }
    both = [*people(COUNTIES[0], 22, (None, None)), *people(COUNTIES[1], 22, (None, None))]
    task = a_task(both, fleets=[Fleet("coach", 45, 4, 2)], windows=windows, seconds_max=0.3)
    plan = solve(task)
    check(task, plan)
    limits_kept(task, plan)
    assert not plan.unserved


@pytest.mark.parametrize("seed", range(3))
def test_random_windows_and_days_are_kept_and_the_minimum_load_too(seed: int) -> None:
    dice = random.Random(seed)

    def hours(low: int, high: int) -> datetime:
        return FROM + timedelta(hours=dice.randint(low, high))

    parties = [
        party
        for county in COUNTIES
        for _ in range(3)
        for party in people(
            county,
            dice.randint(4, 20),
            (hours(0, 60) if dice.random() < 0.5 else None,
             hours(70, 144) if dice.random() < 0.5 else None),
        )
    ]  # fmt: skip
    windows = {}
    for county in dice.sample(COUNTIES, 2):
        opens = hours(0, 48)
        windows[place(county)[0]] = Window(opens, opens + timedelta(hours=dice.randint(4, 30)))
    task = a_task(parties, seconds_max=0.5, windows=windows)
    for plan in (solve(task), county_by_county(task)):
        check(task, plan)
        limits_kept(task, plan)
