"""A manifest: who sits where on a trip, and how one version differs from the last."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.transport.domain.booking import SEATED, Booking
from services.transport.domain.trip import Trip

#: What makes a passenger's line another one.
LINE: Final = ("board_stop", "alight_stop")


def lines(trip: Trip, bookings: Iterable[Booking]) -> list[dict[str, Any]]:
    """Give the lines of a manifest: ids and stops only, in the order of boarding."""
    seated = [b for b in bookings if b.state in SEATED and b.seat is not None]
    seated.sort(key=lambda b: (b.board_ordinal, str(b.group_id or ""), b.booking_id))
    return [
        {
            "booking_id": str(b.booking_id),
            "worker_id": str(b.worker_id),
            "group_id": str(b.group_id) if b.group_id else None,
            "board_stop": trip.stops[b.board_ordinal or 0].place_code,
            "alight_stop": trip.stops[b.alight_ordinal or 0].place_code,
        }
        for b in seated
    ]


def difference(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Say which bookings were added, removed, or have another line."""
    old = {line["booking_id"]: line for line in before}
    new = {line["booking_id"]: line for line in after}
    return {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "changed": sorted(
            i for i in new.keys() & old.keys() if any(new[i][f] != old[i][f] for f in LINE)
        ),
    }
