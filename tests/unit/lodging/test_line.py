"""Whose turn it is: the programme's priorities, then priority and time; always the same."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.lodging.domain.line import LAST, Criterion, Line, Turn, criteria, unknown_words

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
OURS, THEIRS = uuid4(), uuid4()


def a_turn(**overrides: Any) -> Turn:
    values: dict[str, Any] = {
        "stay_id": uuid4(), "worker_id": uuid4(), "enterprise_id": OURS, "gender": "male",
        "check_in_on": date(2026, 3, 5), "check_out_on": date(2026, 3, 10), "requested_at": NOON,
        "programme": "YOUJIA", "priority": 0, "group_id": None, "group_size": 1, "family_id": None,
        "wanted_inn_id": None, "town": None, "division_code": None, "passed_count": 0,
        "placed": False,
    }  # fmt: skip
    return Turn(**(values | overrides))


def first_of(priorities: object, *turns: Turn) -> Turn:
    line = Line({"YOUJIA": criteria(priorities)}, {OURS: "B", THEIRS: "A"})
    return line.queue(turns)[0][0]


LATER = NOON + timedelta(minutes=1)
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("priority", {"priority": 5}, {"priority": 1}),
    ("credit", {"enterprise_id": THEIRS}, {"enterprise_id": OURS, "priority": 9}),
    ("credit", {"enterprise_id": OURS}, {"enterprise_id": uuid4()}),
    ("placement", {"placed": True}, {"placed": False, "priority": 9}),
    ("group", {"group_id": uuid4(), "group_size": 8}, {"priority": 9}),
    ("check_in", {"check_in_on": date(2026, 3, 4)}, {"priority": 9}),
    ("short_stay", {"check_out_on": date(2026, 3, 6)}, {"priority": 9}),
    ("long_stay", {"check_out_on": date(2026, 3, 20)}, {"priority": 9}),
    ("time", {"requested_at": NOON}, {"requested_at": LATER, "priority": 9}),
]


@pytest.mark.parametrize(("word", "ahead", "behind"), CASES)
def test_a_criterion_decides_before_all_that_stands_behind_it(
    word: str, ahead: dict[str, Any], behind: dict[str, Any]
) -> None:
    one, other = a_turn(**{"requested_at": LATER, **ahead}), a_turn(**behind)
    assert first_of([word], other, one) is one
    assert first_of([word], one, other) is one


@pytest.mark.parametrize("word", [w for w in Criterion if w not in LAST])
def test_without_the_criterion_time_decides(word: str) -> None:
    """CONTROL: it is the programme's word that puts somebody first."""
    ahead = next(a for w, a, _ in CASES if w == word)
    one, other = a_turn(requested_at=LATER, **ahead), a_turn()
    assert first_of([], one, other) is other


def test_without_priorities_it_is_priority_then_time() -> None:
    assert criteria([]) == criteria({}) == criteria(None) == (Criterion.PRIORITY, Criterion.TIME)
    early, late, urgent = a_turn(), a_turn(requested_at=LATER), a_turn(priority=1)
    line = Line({}, {})
    assert [u[0] for u in line.queue([late, early, urgent])] == [urgent, early, late]


def test_weights_order_as_a_list_does_and_unknown_words_decide_nothing() -> None:
    assert criteria({"group": 1, "credit": 7}) == criteria(["credit", "group"])
    assert criteria(["age", "credit", "credit"]) == (Criterion.CREDIT, *LAST)
    assert unknown_words(["age", "credit"]) == ["age"]
    assert unknown_words({"hometown": "first", "credit": 2}) == ["hometown"]


def test_the_first_of_two_criteria_decides_and_the_second_only_between_equals() -> None:
    small = a_turn(enterprise_id=THEIRS)
    large = a_turn(enterprise_id=OURS, group_id=uuid4(), group_size=5)
    large_of_theirs = a_turn(enterprise_id=THEIRS, group_id=uuid4(), group_size=3)
    line = Line({"YOUJIA": criteria(["credit", "group"])}, {OURS: "B", THEIRS: "A"})
    queue = [u[0] for u in line.queue([large, small, large_of_theirs])]
    assert queue == [large_of_theirs, small, large]


def test_a_group_stands_where_its_first_member_stands() -> None:
    group = uuid4()
    members = [a_turn(group_id=group, group_size=2, priority=p) for p in (0, 4)]
    alone = a_turn(priority=3)
    queue = Line({}, {}).queue([members[0], alone, members[1]])
    assert [len(u) for u in queue] == [2, 1]


def test_each_programme_keeps_its_own_order_where_several_share_the_inns() -> None:
    ours = [a_turn(requested_at=NOON + timedelta(minutes=n), priority=n) for n in range(3)]
    theirs = [
        a_turn(programme="WORKS", check_out_on=date(2026, 3, 6 + n), priority=2 - n)
        for n in range(3)
    ]
    line = Line({"WORKS": criteria(["short_stay"])}, {})
    queue = [u[0] for u in line.queue([*theirs, *ours])]
    assert [t for t in queue if t.programme == "WORKS"] == theirs
    assert [t for t in queue if t.programme != "WORKS"] == list(reversed(ours))


def test_the_order_is_the_same_however_the_turns_come() -> None:
    rng = random.Random(5)
    turns = [
        a_turn(
            priority=rng.randrange(3), group_size=rng.randrange(4), enterprise_id=e,
            programme=rng.choice(["YOUJIA", "WORKS"]), requested_at=rng.choice([NOON, LATER]),
        )
        for e in rng.choices([OURS, THEIRS], k=60)
    ]  # fmt: skip
    line = Line({"YOUJIA": criteria(["credit"]), "WORKS": criteria(["group"])}, {OURS: "C"})
    orders: set[tuple[UUID, ...]] = set()
    for _ in range(20):
        rng.shuffle(turns)
        orders.add(tuple(u[0].stay_id for u in line.queue(turns)))
    assert len(orders) == 1


def test_a_turn_is_explained_by_what_counted_in_its_order() -> None:
    line = Line({"YOUJIA": criteria(["credit", "check_in"])}, {OURS: "B"})
    assert line.explained(a_turn(priority=2)) == [
        ["credit", "B"], ["check_in", "2026-03-05"], ["priority", 2], ["time", NOON.isoformat()],
    ]  # fmt: skip
