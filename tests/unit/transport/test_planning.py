"""Plans: few vehicles, groups whole, none below the minimum, refusals with leg and rule."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.transport.domain.drivers import Rule
from services.transport.domain.itinerary import elapsed_minutes, itinerary
from services.transport.domain.window import Limits
from services.transport.planning import Fleet, Party, Plan, Rider, Task
from services.transport.planning.demand import parties_of
from services.transport.planning.greedy import county_by_county
from services.transport.planning.solve import solve
from tests.integration.transport.world import IDS

FROM = datetime(2027, 2, 20, tzinfo=UTC)
COUNTIES = ("530902", "530921", "530922", "530923")
JIADING = ("310114-00", "310114")


def place(county: str) -> tuple[str, str]:
    return f"{county}-00", county


def some_people(counts: dict[str, int], group_sizes: tuple[int, ...] = ()) -> list[Party]:
    rows = [
        Rider(IDS.uuid7(), None, place(county))
        for county, count in counts.items()
        for _ in range(count)
    ]
    found = parties_of(rows)
    county = next(iter(counts))
    return found + [Party(tuple(IDS.uuid7() for _ in range(n)), place(county)) for n in group_sizes]


def a_task(parties: list[Party], **overrides: object) -> Task:
    fields = {
        "parties": parties,
        "fleets": [Fleet("coach", 45, 10, 2)],
        "destination": JIADING,
        "depart_from": FROM,
        "arrive_by": FROM + timedelta(days=6),
        "minimum_load": 20,
        "seconds_max": 1.0,
    }
    return Task(**{**fields, **overrides})  # type: ignore[arg-type]


def check(task: Task, plan: Plan) -> None:
    seated: list[UUID] = []
    for run in plan.runs:
        assert task.minimum_load <= run.load <= run.vehicle.licensed_capacity
        assert run.itinerary is not None
        assert run.itinerary.stops[-1].place_code == task.destination[0]
        assert {s.place_code for s in run.itinerary.stops[:-1]} == {p.place[0] for p in run.parties}
        seated += [b for p in run.parties for b in p.booking_ids]
    everyone = {b for p in task.parties for b in p.booking_ids}
    assert len(seated) == len(set(seated))
    assert set(seated) | set(plan.unserved) == everyone


def test_counties_share_a_coach_where_each_alone_would_take_one_more() -> None:
    task = a_task(some_people(dict.fromkeys(COUNTIES, 56)))
    plan, by_hand = solve(task), county_by_county(task)
    check(task, plan)
    check(task, by_hand)
    assert len(plan.runs) == 5
    assert not plan.unserved
    assert len(by_hand.runs) == 8
    assert by_hand.waiting_minutes == 0


@pytest.mark.parametrize("seed", range(3))
def test_groups_stay_whole_and_no_vehicle_leaves_below_the_minimum(seed: int) -> None:
    dice = random.Random(seed)
    counts = {c: dice.randint(5, 60) for c in COUNTIES}
    parties = some_people(counts, tuple(dice.randint(2, 9) for _ in range(6)))
    task = a_task(parties, seconds_max=0.5)
    check(task, solve(task))
    check(task, county_by_county(task))


def test_too_few_for_a_vehicle_are_told_so_unless_it_may_leave_anyway() -> None:
    few = some_people({COUNTIES[0]: 12})
    plan = solve(a_task(few))
    assert not plan.runs
    assert set(plan.unserved.values()) == {"below_minimum"}
    told_so = solve(a_task(few, minimum_load=0))
    assert [r.load for r in told_so.runs] == [12]


def test_one_driver_alone_is_refused_with_leg_and_rule() -> None:
    task = a_task(some_people({COUNTIES[0]: 40}), fleets=[Fleet("coach", 45, 1, 1)])
    (run,) = solve(task).runs
    assert run.itinerary is not None
    assert (0, Rule.SECOND_DRIVER) in {(b.leg, b.rule) for b in run.itinerary.breaches}


def test_a_fleet_too_small_leaves_the_rest_by_reason() -> None:
    task = a_task(some_people({COUNTIES[0]: 100}), fleets=[Fleet("coach", 45, 2, 2)])
    plan = solve(task)
    check(task, plan)
    assert sum(r.load for r in plan.runs) == 90
    assert list(plan.unserved.values()) == ["no_vehicle"] * 10


def test_what_cannot_arrive_in_time_is_not_promised() -> None:
    task = a_task(some_people({COUNTIES[0]: 40}), arrive_by=FROM + timedelta(hours=20))
    assert set(solve(task).unserved.values()) <= {"no_vehicle", "too_late"}
    assert len(solve(task).unserved) == 40


def test_an_itinerary_of_two_drivers_breaks_no_rule_and_ends_on_time() -> None:
    way = itinerary([place(c) for c in COUNTIES[:2]] + [JIADING], "coach", 2, Limits(FROM))
    assert (way.breaches, way.misses) == ((), ())
    assert way.stops[-1].arrives_at == FROM
    assert way.stops[0].arrives_at is None
    assert all(s.departs_at for s in way.stops[:-1])


def test_rests_are_added_at_their_boundary_minute() -> None:
    assert elapsed_minutes(239, "coach", 2) == 239
    assert elapsed_minutes(240, "coach", 2) == 260
    assert elapsed_minutes(960, "coach", 2) == 1440
    assert elapsed_minutes(960, "train", 2) == 960
