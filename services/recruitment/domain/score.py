"""How well a person and a vacancy suit each other: whole points that anybody can add up."""

from collections.abc import Mapping
from typing import Final

from contracts.reference import occupation_nearness
from services.recruitment.domain.parties import Candidate, Vacancy

# Whoever fits gets these, so that a round first places many, then places well.
QUALIFIED: Final = 1000
OCCUPATION: Final = 500
PAY: Final = 300
START: Final = 100
EQUITY: Final = 100
PREFERRED: Final = 500


def occupation_points(wishes: tuple[str, ...], occupation_code: str) -> int:
    """Give 0 to 500 for the nearest wish; half for a person without a wish."""
    if not wishes:
        return OCCUPATION // 2
    nearest = max(occupation_nearness(wish, occupation_code) for wish in wishes)
    return int(nearest * OCCUPATION + 0.5)


def pay_points(wanted: int | None, pay_min: int, pay_max: int) -> int:
    """Give 0 to 300: all if the least pay is enough, none if the most isn't, half unasked."""
    if wanted is None:
        return PAY // 2
    if pay_min >= wanted:
        return PAY
    if pay_max < wanted:
        return 0
    return PAY // 2 + (PAY // 2) * (pay_max - wanted) // (pay_max - pay_min)


def start_points(days_waiting: int) -> int:
    """Give 0 to 100: a point less for each day between being free to leave and the start."""
    return min(START, max(0, START - days_waiting))


def equity_points(placed_count: int, nominated_count: int) -> int:
    """Give 0 to 100: more for an office of whose people fewer have a place in this drive."""
    if nominated_count <= 0:
        return EQUITY
    return EQUITY - EQUITY * min(placed_count, nominated_count) // nominated_count


def parts(
    candidate: Candidate, vacancy: Vacancy, *, equity: int, preferred: bool = False
) -> Mapping[str, int]:
    """Give the parts whose sum is a pair's score; `equity` is the office's in that round."""
    waiting = (vacancy.starts_on - candidate.available_from).days
    return {
        "qualified": QUALIFIED,
        "occupation": occupation_points(candidate.occupation_codes, vacancy.occupation_code),
        "pay": pay_points(candidate.preferred_pay_min, vacancy.pay_min, vacancy.pay_max),
        "start": start_points(waiting),
        "equity": equity,
        "review": PREFERRED if preferred else 0,
    }
