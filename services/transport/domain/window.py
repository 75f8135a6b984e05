"""When people may board and must have arrived, and which of these limits a timed way misses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.transport.domain.trip import Stop


class StopRule(StrEnum):
    """Which limit of a stop a plan misses."""

    BOARDING_WINDOW = "boarding_window"
    WORK_STARTS = "before_work_starts"
    ARRIVE_BY = "arrive_by"


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when people board at a stop, the whole of the boarding; None: no limit."""

    opens_at: datetime | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The earliest and the latest departure from a stop; None: no limit."""

    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a way has to keep: a span for each stop but the last, and the latest arrival there.

    `rule` says whose limit the arrival is: the plan's, or the first day of work of somebody aboard.
    """

    arrive_by: datetime
    leaves: Sequence[Span] = ()
    rule: StopRule = StopRule.ARRIVE_BY

    def span(self, number: int) -> Span:
        """Give the span of a stop; without one nothing limits its departure."""
        return self.leaves[number] if number < len(self.leaves) else Span()


@dataclass(frozen=True, slots=True)
class Miss:
    """A stop (its place code) and the limit that the plan misses there."""

    stop: str
    rule: StopRule


def misses(stops: Sequence[Stop], limits: Limits) -> list[Miss]:
    """Check a timed way against its limits; give what it misses, in the order of its stops."""
    found = [
        Miss(stop.place_code, StopRule.BOARDING_WINDOW)
        for number, stop in enumerate(stops[:-1])
        if stop.departs_at and not _within(stop.departs_at, limits.span(number))
    ]
    last = stops[-1]
    if last.arrives_at is None or last.arrives_at > limits.arrive_by:
        found.append(Miss(last.place_code, limits.rule))
    return found


def _within(moment: datetime, span: Span) -> bool:
    early = span.earliest is not None and moment < span.earliest
    late = span.latest is not None and moment > span.latest
    return not (early or late)
