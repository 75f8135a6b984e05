"""The totals of the guide ("Totals of a drive"), from plain records of where each thing stands."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

PLACED: Final = frozenset({"confirmed", "started", "ended"})
SEATED: Final = frozenset({"booked", "boarded", "handed_over", "missed"})
BEDDED: Final = frozenset({"confirmed", "checked_in", "checked_out", "missed"})
#: The other ways a bed's wish may stand, and what the report calls them.
UNBEDDED: Final = {
    "held": "unconfirmed",
    "waitlisted": "waitlisted",
    "rejected": "rejected",
    "released": "released",
}
WITHDRAWN: Final = frozenset({"withdrawn", "erased", "expired"})


@dataclass
class Nomination:
    """How a nomination stands: why it ended, its open offer, what was said last of the unplaced."""

    ended_for: str | None = None
    has_open_offer: bool = False
    unplaced_for: str | None = None


@dataclass
class Placement:
    """How a placement stands, and its newest booking and stay."""

    nomination_id: str
    state: str
    needs_seat: bool
    needs_bed: bool
    booking: str | None = None
    stay: str | None = None


@dataclass
class Standing:
    """Everything that the totals are counted from; states are those of the API."""

    nominations: dict[str, Nomination] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    bookings: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    direct: list[str] = field(default_factory=list)


def totals(standing: Standing) -> dict[str, Any]:
    """Count the totals as the demo's report has them, all drives together."""
    placed = {p.nomination_id for p in standing.placements.values() if p.state in PLACED}
    live = [p for p in standing.placements.values() if p.state in PLACED]
    counted: dict[str, Any] = {"nominated": len(standing.nominations), "placed": len(live)}
    counted |= _unplaced(n for i, n in standing.nominations.items() if i not in placed)
    counted |= _seats(live)
    counted |= _beds([p.stay or "requested" for p in live if p.needs_bed])
    counted |= {
        "boarded": _count(standing.bookings, {"boarded", "handed_over"}),
        "missed": _count(standing.bookings, {"missed"}),
        "checked_in": _count(standing.stays, {"checked_in", "checked_out"}),
        "started": _count((p.state for p in live), {"started", "ended"}),
        "direct": {"requested": len(standing.direct), **_decided(standing.direct)},
    }
    return counted


def _unplaced(nominations: Iterable[Nomination]) -> dict[str, Any]:
    unplaced: Counter[str] = Counter()
    unanswered = withdrawn = 0
    for one in nominations:
        if one.ended_for in WITHDRAWN:
            withdrawn += 1
        elif one.has_open_offer:
            unanswered += 1
        else:
            unplaced[one.unplaced_for or "undecided"] += 1
    return {
        "unplaced": dict(sorted(unplaced.items())),
        "unanswered": unanswered,
        "withdrawn": withdrawn,
    }


def _seats(live: list[Placement]) -> dict[str, int]:
    seated = sum(p.needs_seat and p.booking in SEATED for p in live)
    needed = sum(p.needs_seat for p in live)
    return {
        "seated": seated,
        "waiting_for_seat": needed - seated,
        "travelling_alone": len(live) - needed,
    }


def _beds(stays: list[str]) -> dict[str, int]:
    return {"needing_bed": len(stays), **_decided(stays)}


def _decided(stays: list[str]) -> dict[str, int]:
    return {"bedded": _count(stays, BEDDED)} | {
        name: _count(stays, {state}) for state, name in UNBEDDED.items()
    }


def _count(states: Iterable[str], wanted: Iterable[str]) -> int:
    return sum(state in wanted for state in states)
