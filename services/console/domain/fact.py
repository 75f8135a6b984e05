"""A fact: the newest state of one thing on a person's way, folded from the events about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

# Event type without its version -> the state it brings; None: new data only.
STATES: Final[Mapping[str, str | None]] = {
    "registry.worker-nominated": "active",
    "registry.nomination-changed": None,
    "registry.nomination-ended": "ended",
    "registry.worker-hired": "hired",
    "recruitment.nomination-unplaced": "unplaced",
    "recruitment.offer-made": "made",
    "recruitment.offer-accepted": "accepted",
    "recruitment.offer-declined": "declined",
    "recruitment.offer-expired": "expired",
    "recruitment.offer-withdrawn": "withdrawn",
    "recruitment.placement-confirmed": "confirmed",
    "recruitment.placement-changed": None,
    "recruitment.placement-cancelled": "cancelled",
    "recruitment.placement-started": "started",
    "recruitment.placement-ended": "ended",
    "transport.seat-waitlisted": "waitlisted",
    "transport.seat-booked": "booked",
    "transport.seat-changed": None,
    "transport.seat-released": "released",
    "transport.passenger-boarded": "boarded",
    "transport.passenger-missed": "missed",
    "transport.passenger-handed-over": "handed_over",
    "lodging.stay-requested": "requested",
    "lodging.stay-held": "held",
    "lodging.stay-confirmed": "confirmed",
    "lodging.stay-waitlisted": "waitlisted",
    "lodging.stay-rejected": "rejected",
    "lodging.stay-changed": None,
    "lodging.stay-released": "released",
    "lodging.guest-checked-in": "checked_in",
    "lodging.guest-checked-out": "checked_out",
    "lodging.guest-missed": "missed",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing's newest state; `since` is when that was said, `data` all its fields so far."""

    source: str
    noun: str
    fact_id: UUID
    state: str
    since: datetime
    made_at: datetime
    data: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """`<noun>/<id>`."""
        return f"{self.noun}/{self.fact_id}"

    def uuid(self, name: str) -> UUID | None:
        """Give an id among the data."""
        value = self.data.get(name)
        return UUID(value) if value else None

    def day(self, name: str) -> date | None:
        """Give a civil date among the data."""
        value = self.data.get(name)
        return date.fromisoformat(value) if value else None

    def says(self, name: str) -> Any:  # noqa: ANN401 (whatever the event said)
        """Give any other value among the data, None when it was never said."""
        return self.data.get(name)


CAME_TO_NOTHING: Final = frozenset({"rejected", "released"})


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of one journey."""

    nomination: Fact | None
    unplaced: Fact | None
    hires: Sequence[Fact]
    offers: Sequence[Fact]
    placements: Sequence[Fact]
    bookings: Sequence[Fact]
    stays: Sequence[Fact]

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> "Facts":
        """Sort a journey's facts by what they are, oldest first."""
        ordered = sorted(facts, key=lambda f: (f.made_at, f.fact_id))

        def those(noun: str) -> list[Fact]:
            return [f for f in ordered if f.noun == noun]

        nominations = {f.source: f for f in those("nomination")}
        return cls(
            nominations.get("registry"),
            nominations.get("recruitment"),
            those("hire"),
            those("offer"),
            those("placement"),
            those("booking"),
            those("stay"),
        )

    @property
    def placement(self) -> Fact | None:
        """The placement that counts: the last one that is confirmed or started, else the last."""
        alive = [p for p in self.placements if p.state in {"confirmed", "started"}]
        return _last(alive) or _last(self.placements)

    def booking_of(self, placement: Fact) -> Fact | None:
        """The placement's booking that counts: the last that isn't released, else the last."""
        own = [b for b in self.bookings if b.uuid("placement_id") == placement.fact_id]
        alive = [b for b in own if b.state != "released"]
        return _last(alive) or _last(own)

    def stay_of(self, placement: Fact) -> Fact | None:
        """The last stay that was made for the placement itself."""
        own = [
            s
            for s in self.stays
            if is_of_placement(s) and s.uuid("placement_id") == placement.fact_id
        ]
        return _last(own)

    def is_asked_anew(self, stay: Fact) -> bool:
        """Tell whether a placement's stay came to nothing and its enterprise asked itself since.

        That request then stands for the placement's bed, unless it was given back.
        """
        return stay.state in CAME_TO_NOTHING and any(
            s.made_at > stay.made_at
            and s.state != "released"
            and s.uuid("placement_id") == stay.uuid("placement_id")
            for s in self.direct_stays
        )

    @property
    def direct_stays(self) -> list[Fact]:
        """Stays that an enterprise asked for itself."""
        return [s for s in self.stays if not is_of_placement(s)]


def is_of_placement(stay: Fact) -> bool:
    """Tell whether a stay follows from a placement, not from an enterprise's own request."""
    return stay.says("stay_request_id") is None and stay.says("placement_id") is not None


def _last(facts: Sequence[Fact]) -> Fact | None:
    return facts[-1] if facts else None
