"""Nights and hours of a stay: which night an arrival belongs to, and when a bed is given up."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
# Who arrives before this hour sleeps the night that began the evening before.
NIGHT_ENDS_AT: Final = time(6)
NIGHT_BEGINS_AT: Final = time(22)
ARRIVAL_GRACE: Final = timedelta(hours=2)
CAP_WINDOW_DAYS: Final = 365


@dataclass(frozen=True, slots=True, order=True)
class Nights:
    """The nights from `check_in_on` to the day before `check_out_on`, which is sellable."""

    check_in_on: date
    check_out_on: date

    def __post_init__(self) -> None:
        """Refuse an empty stay."""
        if self.check_out_on <= self.check_in_on:
            message = f"a stay ends after it begins: {self.check_in_on} to {self.check_out_on}"
            raise ValueError(message)

    @classmethod
    def of(cls, check_in_on: date, count: int) -> "Nights":
        """Give `count` nights from `check_in_on` on."""
        return cls(check_in_on, check_in_on + timedelta(days=count))

    @property
    def count(self) -> int:
        """The number of nights."""
        return (self.check_out_on - self.check_in_on).days

    @property
    def last_night(self) -> date:
        """The date on which the last night begins."""
        return self.check_out_on - timedelta(days=1)

    def overlaps(self, other: "Nights") -> bool:
        """Tell whether a night is in both."""
        return self.check_in_on < other.check_out_on and other.check_in_on < self.check_out_on

    def common(self, other: "Nights") -> int:
        """Count the nights in both."""
        first = max(self.check_in_on, other.check_in_on)
        return max(0, (min(self.check_out_on, other.check_out_on) - first).days)

    def moved_to(self, check_in_on: date) -> "Nights":
        """Give the same number of nights from another day on."""
        return Nights.of(check_in_on, self.count)


def night_of(instant: datetime) -> date:
    """Give the date of the night that an instant belongs to, in Asia/Shanghai."""
    local = instant.astimezone(SHANGHAI)
    return local.date() - timedelta(days=1) if local.time() < NIGHT_ENDS_AT else local.date()


def begun_night(instant: datetime) -> date:
    """Give the date of the last night that has begun by then, at 22:00 in Asia/Shanghai."""
    local = instant.astimezone(SHANGHAI)
    return local.date() if local.time() >= NIGHT_BEGINS_AT else local.date() - timedelta(days=1)


def civil_date(instant: datetime) -> date:
    """Give the date in Asia/Shanghai of an instant."""
    return instant.astimezone(SHANGHAI).date()


def cut_off(
    first_night: date, expected_at: datetime | None, hour: time, decided_at: datetime
) -> datetime:
    """Give the instant (UTC) from which an unclaimed bed is given to the next in line.

    The later of the programme's hour (22:00) of the first night and the expected arrival plus 2 h.
    A decision made after that moment gives its guest 2 h to come.
    """
    latest = datetime.combine(first_night, hour, SHANGHAI).astimezone(UTC)
    if expected_at is not None:
        latest = max(latest, (expected_at + ARRIVAL_GRACE).astimezone(UTC))
    return latest if latest > decided_at else (decided_at + ARRIVAL_GRACE).astimezone(UTC)


def most_in_a_window(stay: Nights, others: tuple[Nights, ...], days: int = CAP_WINDOW_DAYS) -> int:
    """Give the most nights of `others` in any window of `days` that holds the last night of `stay`.

    A window that ends with some stay's last night holds the maximum, so only those are counted.
    """
    if not others:
        return 0
    most = 0
    for end in {stay.check_out_on, *(o.check_out_on for o in others)}:
        window = Nights.of(end - timedelta(days=days), days)
        if window.overlaps(stay):
            most = max(most, sum(window.common(o) for o in others))
    return most
