"""May this guest have these nights: every rule by name, in a fixed order, with its reason kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from services.lodging.domain.calendar import Nights, most_in_a_window
from services.lodging.domain.programme import KeyEnterprise, Programme


class Rule(StrEnum):
    """The rules' names on the wire; the order is the order in which they are asked."""

    NO_PROGRAMME = "no_programme"
    NOT_A_NEW_HIRE = "not_a_new_hire"
    NOT_ON_KEY_LIST = "not_on_key_list"
    OUTSIDE_HIRE_WINDOW = "outside_hire_window"
    CAP_EXCEEDED = "cap_exceeded"
    CREDIT_REVOKED = "credit_revoked"
    ALREADY_LODGED = "already_lodged"
    NO_BED = "no_bed"


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one guest's wish at the moment of the decision.

    `hired_on` is None for who isn't this enterprise's new hire. `in_programme` are the nights that
    other stays in the programme granted the person, `lodged` those of live stays anywhere.
    """

    programme: Programme | None
    hired_on: date | None
    key_enterprise: KeyEnterprise | None
    nights: Nights
    in_programme: tuple[Nights, ...] = ()
    lodged: tuple[Nights, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first rule that failed, or None, and the rules asked so far."""

    failed: Rule | None
    asked: tuple[Rule, ...]

    def explained(self) -> dict[str, str]:
        """Give each rule asked with `passed` or `failed`, as it is stored with the decision."""
        return {r.value: "failed" if r is self.failed else "passed" for r in self.asked}


def judge(case: Case) -> Verdict:
    """Ask the rules in their order until one fails."""
    asked: list[Rule] = []
    for rule in Rule:
        if rule is Rule.NO_BED:
            continue
        asked.append(rule)
        if not _passes(rule, case):
            return Verdict(rule, tuple(asked))
    return Verdict(None, tuple(asked))


def _passes(rule: Rule, case: Case) -> bool:
    if case.programme is None:
        return rule is not Rule.NO_PROGRAMME
    return _CHECKS[rule](case, case.programme)


def _on_key_list(case: Case) -> bool:
    return case.key_enterprise is not None and case.key_enterprise.covers(case.nights)


def _in_hire_window(case: Case, programme: Programme) -> bool:
    if case.hired_on is None:
        return False
    last = case.hired_on + timedelta(days=programme.hire_window_days)
    return case.hired_on <= case.nights.check_in_on <= last


def _within_cap(case: Case, programme: Programme) -> bool:
    granted = most_in_a_window(case.nights, case.in_programme)
    return case.nights.count + granted <= programme.night_cap


def _has_credit(case: Case) -> bool:
    return case.key_enterprise is not None and case.key_enterprise.credit_level != "revoked"


_CHECKS: Final[dict[Rule, Callable[[Case, Programme], bool]]] = {
    Rule.NO_PROGRAMME: lambda _, __: True,
    Rule.NOT_A_NEW_HIRE: lambda case, _: case.hired_on is not None,
    Rule.NOT_ON_KEY_LIST: lambda case, _: _on_key_list(case),
    Rule.OUTSIDE_HIRE_WINDOW: _in_hire_window,
    Rule.CAP_EXCEEDED: _within_cap,
    Rule.CREDIT_REVOKED: lambda case, _: _has_credit(case),
    Rule.ALREADY_LODGED: lambda case, _: not any(case.nights.overlaps(n) for n in case.lodged),
}


def nights_left(programme: Programme, check_in_on: date, in_programme: tuple[Nights, ...]) -> int:
    """Give how many nights the person's cap still leaves; the programme's cap at most.

    Asked when a placement names no number of nights.
    """
    for count in range(programme.night_cap, 0, -1):
        if (
            count + most_in_a_window(Nights.of(check_in_on, count), in_programme)
            <= programme.night_cap
        ):
            return count
    return 0
