"""Single rules and points: edges of ages, pay, divisions, months; falling groups; reasons."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.recruitment.domain import reasons, rules, score, terms
from services.recruitment.domain.offer import GROUP_INCOMPLETE, Closing, Offer, fall
from services.recruitment.domain.parties import age_on
from tests.unit.recruitment.people import TODAY, a_candidate, a_vacancy


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("2008-01", date(2026, 2, 1), 18),
        ("2008-02", date(2026, 2, 28), 17),
        ("2008-03", date(2026, 2, 28), 17),
        ("1966-12", date(2026, 12, 31), 59),
    ],
)
def test_in_the_birth_month_nobody_counts_as_a_year_older_yet(
    born: str, day: date, age: int
) -> None:
    assert age_on(born, day) == age


def test_nobody_under_16_fits_whatever_the_vacancy_asks_for() -> None:
    child = a_candidate(1, birth_year_month="2012-01")
    assert rules.judge(child, a_vacancy(1), TODAY).failed == ("age_min",)


def test_whoever_is_free_only_on_the_day_of_the_start_comes_too_late() -> None:
    job = a_vacancy(1)
    on_the_day = a_candidate(1, available_from=job.starts_on)
    day_before = a_candidate(1, available_from=job.starts_on - timedelta(days=1))
    assert rules.judge(on_the_day, job, TODAY).failed == ("available_from",)
    assert rules.judge(day_before, job, TODAY).failed == ()


def test_a_vacancy_that_has_started_takes_nobody() -> None:
    job = a_vacancy(1, starts_on=TODAY - timedelta(days=1))
    person = a_candidate(1, available_from=TODAY - timedelta(days=9))
    assert rules.judge(person, job, TODAY).failed == ("starts_on",)


def test_a_higher_level_of_education_includes_the_lower_and_none_includes_nothing() -> None:
    job = a_vacancy(1, education_code="70")
    for code, fits in [("60", True), ("70", True), ("80", False), (None, False)]:
        failed = rules.judge(a_candidate(1, education_code=code), job, TODAY).failed
        assert (failed == ()) is fits


@pytest.mark.parametrize(
    ("wanted", "points"),
    [(None, 150), (5000, 300), (6000, 300), (7000, 225), (8000, 150), (8001, 0)],
)
def test_pay_scores_by_how_sure_the_wish_is_met(wanted: int | None, points: int) -> None:
    assert score.pay_points(wanted, 6000, 8000) == points


@pytest.mark.parametrize(
    ("division", "origins", "paired"),
    [
        ("530900", ("530900",), True),
        ("530902", ("530900",), True),
        ("530900", ("530000",), True),
        ("530900", ("530902",), False),
        ("341200", ("530000", "340000"), True),
        ("", ("530000",), False),
    ],
)
def test_an_office_is_paired_when_its_division_lies_in_an_origin(
    *, division: str, origins: tuple[str, ...], paired: bool
) -> None:
    assert terms.is_paired(division, origins) is paired


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [
        (date(2026, 2, 21), 3, date(2026, 5, 21)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 31), 6, date(2027, 6, 30)),
    ],
)
def test_months_later_is_the_same_day_or_the_months_last(day: date, months: int, due: date) -> None:
    assert terms.months_after(day, months) == due


def test_what_a_person_typed_is_kept_nowhere() -> None:
    assert reasons.coded("failed_medical") == "failed_medical"
    for typed in ("张伟体检不合格", "zhang_wei", None, ""):
        assert reasons.coded(typed) == "other"
    assert len(reasons.CANCELLATION) >= 13


def an_offer(number: int, set_id: UUID | None) -> Offer:
    return Offer(
        offer_id=UUID(int=number),
        nomination_id=UUID(int=100 + number),
        worker_id=UUID(int=200 + number),
        office_id=UUID(int=1),
        enterprise_id=UUID(int=2),
        drive_id=UUID(int=3),
        vacancy_id=UUID(int=4),
        group_id=set_id,
        set_id=set_id,
        round=1,
        acceptance="by_office",
        state="made",
        pending=False,
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_with_one_offer_of_a_group_all_fall_and_only_who_ended_it_leaves() -> None:
    offers = [an_offer(i, UUID(int=9)) for i in (1, 2, 3)] + [an_offer(4, None)]
    first = {offers[0].offer_id: Closing("decline", "changed_mind", leaves=True)}
    fallen = fall(offers, first)
    taken_back = Closing("take_back", GROUP_INCOMPLETE)
    assert fallen.closings == first | {offers[i].offer_id: taken_back for i in (1, 2)}
    assert fallen.leavers == {offers[0].nomination_id}


def test_when_all_offers_of_a_group_expire_at_once_the_group_stays_whole() -> None:
    offers = [an_offer(i, UUID(int=9)) for i in (1, 2, 3)]
    expired = {o.offer_id: Closing("expire", "expired", leaves=True) for o in offers}
    assert fall(offers, expired).leavers == frozenset()
