"""The contracts as a later release may have them: an event says more, another has a new version.

`recruitment.placement-confirmed.v1` gets one more optional field, which an old reader passes over.
`transport.seat-booked` becomes v2, in which the trip is called otherwise: an old reader cannot read
it and parks it, a new one reads both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from pydantic import Field

from contracts import EVENTS, UPCASTERS, Event, recruitment, transport

OLD, NEW = "transport.seat-booked.v1", "transport.seat-booked.v2"
SAID_MORE = "recruitment.placement-confirmed.v1"


def _made() -> tuple[type[Event], type[Event]]:
    confirmed = recruitment.PlacementConfirmed

    class PlacementConfirmed(
        confirmed, service=confirmed.service, noun=confirmed.noun, key=confirmed.key
    ):
        welcome: str = "欢迎来沪"

    class SeatBooked(
        transport.SeatBooked, service="transport", noun="booking", key="booking_id", version=2
    ):
        trip_id: UUID = Field(alias="ride_id")

    return PlacementConfirmed, SeatBooked


def _as_v2(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"ride_id": fields.pop("trip_id")}


def come() -> None:
    """Let this process be of the later release; call it before a service is imported."""
    confirmed, booked = _made()
    del EVENTS[OLD]
    UPCASTERS[OLD] = NEW, _as_v2
    recruitment.PlacementConfirmed = confirmed  # type: ignore[misc,assignment]
    transport.SeatBooked = booked  # type: ignore[misc,assignment]


@contextmanager
def readable() -> Iterator[None]:
    """Let this process read what the later release says, for as long as it looks at it."""
    events, upcasters = EVENTS.copy(), UPCASTERS.copy()
    _made()
    try:
        yield
    finally:
        for known, before in ((EVENTS, events), (UPCASTERS, upcasters)):
            known.clear()
            known.update(before)  # type: ignore[arg-type]
