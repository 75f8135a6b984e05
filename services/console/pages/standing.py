"""The part of the monitor that is not events: states, what waits, what is behind or parked."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

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


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind one service is, over all its topics; `away` when it does not answer."""

    service: str
    waiting: int
    oldest_s: float
    away: bool

    @property
    def behind(self) -> bool:
        """Tell whether somebody should look."""
        return self.away or self.waiting >= BEHIND_RECORDS or self.oldest_s >= BEHIND_S


class Standing:
    """Counted once for all monitors of a language and right: it costs what the tables cost."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[float, dict[str, Any]]] = {}
        self._counting = asyncio.Lock()

    async def of(self, visit: Visit) -> Mapping[str, Any]:
        """Give the figures for a visitor, at most `SHARED_S` old."""
        # Whoever may look sees all journeys; dead letters depend on the role.
        key = (visit.locale, visit.kind, visit.identity.roles)
        async with self._counting:
            counted_at, found = self._known.get(key, (-SHARED_S, {}))
            if time.monotonic() - counted_at >= SHARED_S:
                found = await _counted(visit)
                self._known[key] = time.monotonic(), found
        return found


async def _counted(visit: Visit) -> dict[str, Any]:
    stuck, _ = await lines(visit, JourneyFilter(state="stuck"), STUCK_MAX, None)
    return {
        "stuck": stuck, "states": await visit.read(count_states),
        "waiting": await visit.read(count_waiting), "lags": await lags(visit),
        "parked": await _parked(visit),
    }  # fmt: skip


async def lags(visit: Visit) -> list[Lag]:
    """Ask every service how far behind it is."""
    found = data_of(await letters.lag(visit.call))
    return [_lag(name, found) for name in SPEAKERS]


def _lag(service: str, found: Mapping[str, Any]) -> Lag:
    own = [i for i in found["items"] if i["service"] == service]
    return Lag(
        service,
        sum(i["waiting"] for i in own),
        max((float(i["oldest_s"]) for i in own), default=0.0),
        service in found["away"],
    )


async def _parked(visit: Visit) -> int | None:
    """Count what is parked, up to a page of it; None when that cannot be told."""
    try:
        return len(data_of(await letters.letters(visit.call, limit=200))["items"])
    except Problem:
        return None
