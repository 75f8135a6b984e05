"""What becomes of each row, and who travels together (rosters.md, Persons)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.roster.settle import Outcome, Settled, Standing, settle

A, R, D = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.DUPLICATE


def row(number: int, person: str | None = "", **overrides: Any) -> Standing:
    blind = None if person is None else (person or f"p{number}").encode()
    return Standing(number, blind, overrides.pop("has_error", False), **overrides)


def settled(*rows: Standing) -> list[Settled]:
    return settle(rows, group_members_max=20)


def outcomes(*rows: Standing) -> list[tuple[Outcome, list[str]]]:
    return [(s.outcome, list(s.codes)) for s in settled(*rows)]


def groups(*rows: Standing) -> list[tuple[int | None, int | None, list[str]]]:
    return [(s.group, s.group_size, list(s.codes)) for s in settled(*rows)]


def test_a_later_row_of_an_accepted_person_is_a_duplicate_and_names_the_first() -> None:
    found = settled(row(2, "a"), row(3, "b"), row(4, "a"), row(5, "a"))
    assert [s.outcome for s in found] == [A, A, D, D]
    assert [s.first_row for s in found] == [None, None, 2, 2]


def test_a_row_after_a_faulty_one_is_the_first() -> None:
    assert outcomes(row(2, "a", has_error=True), row(3, "a"), row(4, "a")) == [
        (R, []),
        (A, []),
        (D, ["duplicate_in_file"]),
    ]


def test_a_faulty_row_is_rejected_even_when_it_repeats_a_person() -> None:
    assert outcomes(row(2, "a"), row(3, "a", has_error=True)) == [
        (A, []),
        (R, ["duplicate_in_file"]),
    ]


def test_a_known_person_is_a_duplicate_and_so_is_its_repetition() -> None:
    assert outcomes(row(2, "a", known=True), row(3, "a", known=True)) == [
        (D, ["already_known"]),
        (D, ["duplicate_in_file", "already_known"]),
    ]


def test_another_offices_person_is_rejected_each_time() -> None:
    assert outcomes(row(2, "a", elsewhere=True), row(3, "a", elsewhere=True)) == [
        (R, ["already_nominated"]),
        (R, ["already_nominated"]),
    ]


def test_equal_texts_are_a_group_and_a_single_one_is_none() -> None:
    rows = [row(2, companions="第1组"), row(3, companions="第1组"), row(4, companions="第2组")]
    assert groups(*rows) == [(0, 2, []), (0, 2, []), (None, None, [])]


@pytest.mark.parametrize("empty", ["无", "没有", "否", "不", "0", "-", "/", "无同行", ""])
def test_no_companions_are_no_group(empty: str) -> None:
    rows = [row(2, companions=empty, name="甲"), row(3, companions=empty, name=empty)]
    assert groups(*rows) == [(None, None, [])] * 2


def test_whoever_is_named_belongs_to_those_who_name() -> None:
    mutual = [row(2, name="甲", companions="乙"), row(3, name="乙", companions="甲")]
    assert groups(*mutual) == [(0, 2, [])] * 2
    leader = [row(2, name="甲"), row(3, name="乙", companions="甲"), row(4, companions="甲")]
    assert groups(*leader) == [(0, 3, [])] * 3


TEXTS = st.sampled_from(["", "第1组", "第2组", *"甲乙丙丁戊己庚辛壬癸"])


@given(st.lists(TEXTS, min_size=1, max_size=10))
def test_whoever_is_bound_to_another_by_any_way_round_is_in_one_group(said: list[str]) -> None:
    rows = [
        row(i, name=name, companions=text)
        for i, (name, text) in enumerate(zip("甲乙丙丁戊己庚辛壬癸", said, strict=False))
    ]
    bound = {i: {i} for i in range(len(rows))}
    for one in rows:
        for other in rows:
            if one.companions and one.companions in (other.companions, other.name):
                both = bound[one.row] | bound[other.row]
                bound |= dict.fromkeys(both, both)
    found = settled(*rows)
    for i, members in bound.items():
        assert found[i].group_size == (len(members) if len(members) > 1 else None)
        assert {found[m].group for m in members} == {found[i].group}


def test_a_name_borne_twice_names_nobody() -> None:
    rows = [row(2, name="甲"), row(3, name="甲"), row(4, name="乙", companions="甲")]
    assert groups(*rows) == [(None, None, [])] * 3


def test_a_member_left_out_is_told_to_the_others_and_not_counted() -> None:
    rows = [row(n, companions="一组") for n in (2, 3, 4)]
    rows[2].has_error = True
    assert groups(*rows) == [
        (0, 2, ["group_incomplete"]),
        (0, 2, ["group_incomplete"]),
        (None, None, []),
    ]


def test_one_who_is_left_alone_has_no_group() -> None:
    rows = [row(2, companions="一组"), row(3, companions="一组", has_error=True)]
    assert groups(*rows) == [(None, None, ["group_incomplete"]), (None, None, [])]


def test_a_repeated_row_leaves_its_group_whole() -> None:
    rows = [
        row(2, "a", companions="一组"),
        row(3, companions="一组"),
        row(4, "a", companions="一组"),
    ]
    assert groups(*rows)[:2] == [(0, 2, [])] * 2


def test_more_than_twenty_are_no_group_and_each_is_told() -> None:
    assert groups(*(row(n, companions="大队") for n in range(2, 22)))[0][1] == 20
    found = groups(*(row(n, companions="大队") for n in range(2, 23)))
    assert found == [(None, None, ["group_too_large"])] * 21
