"""The part of the monitor that is not events: states, what waits, what is behind or parked."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from markupsafe import Markup

from contracts import SPEAKERS
from services.console.api import letters
from services.console.pages.journeys import lines
from services.console.pages.visit import Visit, data_of
from services.console.views.journeys import JourneyFilter, count_states
from services.console.views.pictures import count_waiting
from shared.problem import Problem

STUCK_MAX: Final = 8
#: From so many waiting records, or so old a one, a service is behind.
BEHIND_RECORDS: Final = 1_000
BEHIND_S: Final = 10.0
#: Open pages ask every three seconds: they are told what was counted within this time.
SHARED_S: Final = 2.0
#: Of how many counts a trend is drawn (some two minutes), and how many are set beside as many.
SEEN_MAX: Final = 40
COMPARED: Final = 5
WIDTH: Final = 80
HEIGHT: Final = 16


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind one service is, over all its topics; `away` when it does not answer."""

    service: str
    waiting: int
    oldest_s: float
    away: bool
    course: Literal["rising", "falling", "level_course"]
    trend: Markup

    @property
    def behind(self) -> bool:
        """Tell whether somebody should look."""
        return self.away or self.waiting >= BEHIND_RECORDS or self.oldest_s >= BEHIND_S


class Trend:
    """How many records waited for a service in the last minutes in which somebody looked."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[int]] = {}

    def add(self, service: str, waiting: int) -> None:
        """Note a count."""
        self._seen.setdefault(service, deque(maxlen=SEEN_MAX)).append(waiting)

    def course(self, service: str) -> Literal["rising", "falling", "level_course"]:
        """Tell where it goes: the newest counts beside those before them."""
        seen = list(self._seen[service])
        newest, before = seen[-COMPARED:], seen[-2 * COMPARED : -COMPARED]
        if not before or sum(newest) == sum(before):
            return "level_course"
        return "rising" if sum(newest) / len(newest) > sum(before) / len(before) else "falling"

    def drawn(self, service: str) -> Markup:
        """Draw it as a line, the threshold of a service that is behind at the top."""
        seen = list(self._seen[service])
        top = max(BEHIND_RECORDS, *seen)
        points = " ".join(
            f"{n * WIDTH / (SEEN_MAX - 1):.1f},{HEIGHT - 1 - (HEIGHT - 2) * count / top:.1f}"
            for n, count in enumerate(seen, SEEN_MAX - len(seen))
        )
        return Markup(
            '<svg class="trend" viewBox="0 0 {} {}" aria-hidden="true">'
            '<polyline points="{}"/></svg>'
        ).format(WIDTH, HEIGHT, points)


class Standing:
    """Counted once for all monitors of a language and right: it costs what the tables cost."""

    def __init__(self) -> None:
        self._trend = Trend()
        self._known: dict[tuple[object, ...], tuple[float, dict[str, Any]]] = {}
        self._counting = asyncio.Lock()

    async def of(self, visit: Visit) -> Mapping[str, Any]:
        """Give the figures for a visitor, at most `SHARED_S` old."""
        # Whoever may look sees all journeys; dead letters depend on the role.
        key = (visit.locale, visit.kind, visit.identity.roles)
        async with self._counting:
            counted_at, found = self._known.get(key, (-SHARED_S, {}))
            if time.monotonic() - counted_at >= SHARED_S:
                found = await _counted(visit, self._trend)
                self._known[key] = time.monotonic(), found
        return found


async def _counted(visit: Visit, trend: Trend) -> dict[str, Any]:
    stuck, _ = await lines(visit, JourneyFilter(state="stuck"), STUCK_MAX, None)
    return {
        "stuck": stuck, "states": await visit.read(count_states),
        "waiting": await visit.read(count_waiting), "lags": await lags(visit, trend),
        "parked": await _parked(visit),
    }  # fmt: skip


async def lags(visit: Visit, trend: Trend) -> list[Lag]:
    """Ask every service how far behind it is."""
    found = data_of(await letters.lag(visit.call))
    return [_lag(name, found, trend) for name in SPEAKERS]


def _lag(service: str, found: Mapping[str, Any], trend: Trend) -> Lag:
    own = [i for i in found["items"] if i["service"] == service]
    waiting = sum(i["waiting"] for i in own)
    trend.add(service, waiting)
    return Lag(
        service,
        waiting,
        max((float(i["oldest_s"]) for i in own), default=0.0),
        service in found["away"],
        trend.course(service),
        trend.drawn(service),
    )


async def _parked(visit: Visit) -> int | None:
    """Count what is parked, up to a page of it; None when that cannot be told."""
    try:
        return len(data_of(await letters.letters(visit.call, limit=200))["items"])
    except Problem:
        return None
