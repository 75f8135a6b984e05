"""Who may stay: every rule by its name, at the edges, in its order."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.lodging.domain.calendar import Nights
from services.lodging.domain.eligibility import Case, Rule, judge, nights_left
from services.lodging.domain.programme import CreditLevel, KeyEnterprise, Programme

HIRED = date(2026, 3, 1)
YOUJIA = Programme("YOUJIA", 1)


def listed(
    level: CreditLevel = "A", since: date = date(2026, 1, 1), until: date | None = None
) -> KeyEnterprise:
    return KeyEnterprise(level, since, until)


def nights(offset: int, count: int) -> Nights:
    """Nights from so many days after the hiring."""
    return Nights.of(HIRED + timedelta(days=offset), count)


def a_case(**overrides: Any) -> Case:
    return replace(Case(YOUJIA, HIRED, listed(), nights(0, 5)), **overrides)


CASES: list[tuple[str, dict[str, Any], str | None]] = [
    ("all is well", {}, None),
    ("no programme", {"programme": None}, "no_programme"),
    ("no programme comes before all", {"programme": None, "hired_on": None}, "no_programme"),
    ("nobody's new hire", {"hired_on": None}, "not_a_new_hire"),
    ("a stranger of no key enterprise", {"hired_on": None, "key_enterprise": None},
     "not_a_new_hire"),
    ("not on the list", {"key_enterprise": None}, "not_on_key_list"),
    ("listed from the first night on", {"key_enterprise": listed(since=HIRED)}, None),
    ("listed a day too late", {"key_enterprise": listed(since=HIRED + timedelta(1))},
     "not_on_key_list"),
    ("listed until the last night", {"key_enterprise": listed(until=HIRED + timedelta(4))}, None),
    ("listed until the night before the last",
     {"key_enterprise": listed(until=HIRED + timedelta(3))}, "not_on_key_list"),
    ("listed no longer", {"key_enterprise": listed(until=HIRED - timedelta(1))},
     "not_on_key_list"),
    ("on the day of hiring", {"nights": nights(0, 1)}, None),
    ("the day before the hiring", {"nights": nights(-1, 1)}, "outside_hire_window"),
    ("on the 90th day", {"nights": nights(90, 5)}, None),
    ("on the 91st day", {"nights": nights(91, 5)}, "outside_hire_window"),
    ("a window of 30 days, on the 30th",
     {"programme": replace(YOUJIA, hire_window_days=30), "nights": nights(30, 1)}, None),
    ("a window of 30 days, on the 31st",
     {"programme": replace(YOUJIA, hire_window_days=30), "nights": nights(31, 1)},
     "outside_hire_window"),
    ("the list comes before the window",
     {"key_enterprise": None, "nights": nights(91, 1)}, "not_on_key_list"),
    ("exactly the cap", {"nights": nights(0, 15)}, None),
    ("one night over the cap", {"nights": nights(0, 16)}, "cap_exceeded"),
    ("the rest of the cap", {"in_programme": (nights(-30, 10),)}, None),
    ("one more than the rest", {"in_programme": (nights(-30, 11),)}, "cap_exceeded"),
    ("the cap is used up", {"nights": nights(20, 1), "in_programme": (nights(0, 15),)},
     "cap_exceeded"),
    ("nights of 365 days ago count no more",
     {"nights": nights(0, 5), "in_programme": (nights(-400, 15),)}, None),
    ("the last of last year's nights still counts",
     {"nights": nights(0, 15), "in_programme": (nights(-352, 3),)}, "cap_exceeded"),
    ("nights granted later in the year count too",
     {"in_programme": (nights(60, 11),)}, "cap_exceeded"),
    ("two earlier stays together", {"in_programme": (nights(-20, 5), nights(-10, 6))},
     "cap_exceeded"),
    ("a cap of 3", {"programme": replace(YOUJIA, night_cap=3), "nights": nights(0, 4)},
     "cap_exceeded"),
    ("the window comes before the cap", {"nights": nights(91, 16)}, "outside_hire_window"),
    ("credit B", {"key_enterprise": listed("B")}, None),
    ("credit C", {"key_enterprise": listed("C")}, None),
    ("credit revoked", {"key_enterprise": listed("revoked")}, "credit_revoked"),
    ("the cap comes before the credit",
     {"key_enterprise": listed("revoked"), "nights": nights(0, 16)}, "cap_exceeded"),
    ("lodged on the same nights", {"lodged": (nights(0, 5),)}, "already_lodged"),
    ("lodged on the last night", {"lodged": (nights(4, 5),)}, "already_lodged"),
    ("lodged from the check-out day on", {"lodged": (nights(5, 5),)}, None),
    ("lodged until the check-in day", {"lodged": (nights(-5, 5),)}, None),
    ("the credit comes before other lodging",
     {"key_enterprise": listed("revoked"), "lodged": (nights(0, 5),)}, "credit_revoked"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "overrides", "failed"), CASES, ids=[c[0] for c in CASES])
def test_each_case_is_refused_by_the_rule_it_breaks(
    told: str, overrides: dict[str, Any], failed: str | None
) -> None:
    verdict = judge(a_case(**overrides))
    assert verdict.failed == failed, told


def test_the_table_names_every_rule() -> None:
    assert {failed for _, _, failed in CASES} - {None} == {r.value for r in Rule} - {"no_bed"}
    assert len(CASES) >= 30


def test_a_verdict_explains_each_rule_it_asked() -> None:
    explained = judge(a_case(key_enterprise=None)).explained()
    assert explained == {
        "no_programme": "passed",
        "not_a_new_hire": "passed",
        "not_on_key_list": "failed",
    }


@pytest.mark.parametrize(
    ("used", "left"),
    [((), 15), ((nights(-30, 10),), 5), ((nights(-30, 15),), 0), ((nights(-500, 15),), 15)],
)
def test_nights_left_are_what_the_cap_leaves(used: tuple[Nights, ...], left: int) -> None:
    assert nights_left(YOUJIA, HIRED, used) == left


def test_nights_left_never_break_the_cap() -> None:
    for offset in range(-380, 40, 7):
        for count in (1, 7, 14):
            used = (nights(offset, count),)
            left = nights_left(YOUJIA, HIRED, used)
            if left:
                assert judge(a_case(nights=nights(0, left), in_programme=used)).failed is None
            if left < YOUJIA.night_cap:
                more = a_case(nights=nights(0, left + 1), in_programme=used)
                assert judge(more).failed == "cap_exceeded"
