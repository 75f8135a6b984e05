"""The stations of a journey: which are reached, which was lost, from its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

STATIONS: Final = (
    "nominated", "offered", "placed", "seated", "bedded", "boarded", "lodged", "started",
)  # fmt: skip
# Event -> the station that it reaches (True) or takes back (False).
_MOVES: Final[Mapping[str, tuple[str, bool]]] = {
    "registry.worker-nominated": ("nominated", True),
    "registry.worker-hired": ("nominated", True),
    "recruitment.offer-made": ("offered", True),
    "recruitment.offer-declined": ("offered", False),
    "recruitment.offer-expired": ("offered", False),
    "recruitment.offer-withdrawn": ("offered", False),
    "recruitment.placement-confirmed": ("placed", True),
    "recruitment.placement-cancelled": ("placed", False),
    "recruitment.placement-started": ("started", True),
    "transport.seat-booked": ("seated", True),
    "transport.seat-released": ("seated", False),
    "transport.passenger-boarded": ("boarded", True),
    "transport.passenger-missed": ("boarded", False),
    "lodging.stay-confirmed": ("bedded", True),
    "lodging.stay-released": ("bedded", False),
    "lodging.stay-rejected": ("bedded", False),
    "lodging.guest-checked-in": ("lodged", True),
    "lodging.guest-missed": ("lodged", False),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A station: `reached`, `lost`, or `ahead`; `at` is when that was said."""

    name: str
    state: str
    at: object = None


def steps_of(events: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Give all stations in their order; the last word about each counts."""
    found: dict[str, Step] = {}
    for event in events:
        move = _MOVES.get(event["type"].rpartition(".v")[0])
        if move:
            name, forward = move
            found[name] = Step(name, "reached" if forward else "lost", event["said_at"])
    return [found.get(name, Step(name, "ahead")) for name in STATIONS]
