"""No test begins when a day is nearly over: it would ask two days for the same thing."""

import time
from datetime import UTC, datetime, timedelta

from shared.clock import SHANGHAI, real_now

#: Longer than all tests but a few, which go by the system's own days.
NEARLY_OVER = timedelta(seconds=20)
POLL_INTERVAL_S = 0.1


def wait_for_the_new_day() -> None:
    """Wait, if a day ends soon: the civil one, or the one of UTC."""
    while is_nearly_over(real_now()):
        time.sleep(POLL_INTERVAL_S)


def is_nearly_over(now: datetime) -> bool:
    """Tell whether one of the days that count ends soon."""
    days = (now.astimezone(zone) for zone in (SHANGHAI, UTC))
    return any((day + NEARLY_OVER).date() != day.date() for day in days)
