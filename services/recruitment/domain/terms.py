"""What follows from a drive, a vacancy and a nomination for an offer and a placement."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from contracts.reference import is_inside

MONTHS_A_YEAR: Final = 12
RETENTION_MILESTONES: Final = (3, 6)


def is_paired(division_code: str, origins: Iterable[str]) -> bool:
    """Tell whether an office's division is one of a drive's origins, or inside one."""
    return bool(division_code) and any(is_inside(division_code, origin) for origin in origins)


def needs_seat(*, runs_transport: bool, boarding_place_code: str | None) -> bool:
    """Tell whether a placement waits for a seat; else the person travels alone (step 3)."""
    return runs_transport and boarding_place_code is not None


def months_after(day: date, months: int) -> date:
    """Give the same day some months later, or that month's last day."""
    index = day.year * MONTHS_A_YEAR + day.month - 1 + months
    first = date(index // MONTHS_A_YEAR, index % MONTHS_A_YEAR + 1, 1)
    following = date((index + 1) // MONTHS_A_YEAR, (index + 1) % MONTHS_A_YEAR + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))
