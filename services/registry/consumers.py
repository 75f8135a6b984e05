"""What the registry hears: ends of nominations, the right to see names, when an erasure may be."""

from collections.abc import Sequence
from typing import Final

from contracts.lodging import (
    GuestCheckedIn,
    GuestCheckedOut,
    GuestMissed,
    StayChanged,
    StayConfirmed,
    StayFact,
    StayHeld,
    StayRejected,
    StayReleased,
    StayRequested,
    StayWaitlisted,
)
from contracts.lodging import GuestFact as _GuestFact
from contracts.recruitment import (
    DriveAnnounced,
    DriveClosed,
    DriveFact,
    DriveOpened,
    NominationUnplaced,
    PlacementCancelled,
    PlacementChanged,
    PlacementConfirmed,
    PlacementEnded,
    PlacementFate,
    PlacementStarted,
    RetentionChecked,
)
from contracts.transport import (
    BookingFact,
    PassengerBoarded,
    PassengerHandedOver,
    PassengerMissed,
    SeatBooked,
    SeatChanged,
    SeatReleased,
    SeatWaitlisted,
    TripArrived,
    TripCancelled,
    TripChanged,
    TripClosed,
    TripDelayed,
    TripDeparted,
    TripFact,
    TripOpened,
    TripScheduled,
)
from services.registry.handlers import nominations as ending
from services.registry.store import heard, nominations
from shared.handlers import Handlers, Received
from shared.transaction import Tx

HANDLERS: Final = Handlers("registry")
_ERASURES: Final = "carry-out-erasures"

_DRIVE_STATES: Final[dict[type[DriveFact], str]] = {
    DriveAnnounced: "announced",
    DriveOpened: "open",
    DriveClosed: "closed",
}
_TRIP_STATES: Final[dict[type[TripFact], str]] = {
    TripScheduled: "scheduled",
    TripOpened: "open",
    TripDeparted: "departed",
    TripArrived: "arrived",
    TripCancelled: "cancelled",
    TripClosed: "closed",
}
# Another seat or hour changes no state: a delay under way speaks of people who are aboard.
_BOOKING_STATES: Final[dict[type[BookingFact], str | None]] = {
    SeatBooked: "booked",
    SeatChanged: None,
    SeatWaitlisted: "waitlisted",
    SeatReleased: "released",
    PassengerBoarded: "boarded",
    PassengerMissed: "missed",
    PassengerHandedOver: "handed_over",
}
# A change tells other dates, another bed or inn, never another state.
_STAY_STATES: Final[dict[type[StayFact], str | None]] = {
    StayRequested: "requested",
    StayHeld: "held",
    StayConfirmed: "confirmed",
    StayWaitlisted: "waitlisted",
    StayRejected: "rejected",
    StayChanged: None,
    StayReleased: "released",
}
_GUEST_STATES: Final[dict[type[_GuestFact], str]] = {
    GuestCheckedIn: "checked_in",
    GuestCheckedOut: "checked_out",
    GuestMissed: "missed",
}


@HANDLERS.on(*_DRIVE_STATES)
async def on_drive(tx: Tx, received: Sequence[Received[DriveFact]]) -> None:
    """A drive's title names it in messages about persons who are nominated for it."""
    events = [r.event for r in received]
    await heard.upsert_drives(tx, [(e.drive_id, e.title, _DRIVE_STATES[type(e)]) for e in events])


@HANDLERS.on(NominationUnplaced)
async def on_nomination_unplaced(tx: Tx, received: Sequence[Received[NominationUnplaced]]) -> None:
    """A closed drive ends the nominations that it leaves without a placement, and only those."""
    closed = {r.event.nomination_id: r for r in received if r.event.reason == "drive_closed"}
    await ending.end_nominations(tx, closed, "drive_closed")


@HANDLERS.on(PlacementConfirmed)
async def on_placement_confirmed(tx: Tx, received: Sequence[Received[PlacementConfirmed]]) -> None:
    """A live placement gives its enterprise the right to see the name, and stops the expiry."""
    events = [r.event for r in received]
    await heard.upsert_placements(
        tx,
        [
            heard.Placement(
                e.placement_id, e.worker_id, e.nomination_id, e.office_id, e.enterprise_id,
                e.drive_id, "confirmed",
                origin_division_code=e.origin_division_code,
                site_division_code=e.site.division_code,
            )
            for e in events
        ],
    )  # fmt: skip
    await nominations.update_idle(tx, [e.nomination_id for e in events], idle=False)


@HANDLERS.on(PlacementChanged)
async def on_placement_changed(tx: Tx, received: Sequence[Received[PlacementChanged]]) -> None:
    """The right to see the name goes with the placement to another enterprise."""
    events = [r.event for r in received]
    await heard.update_placement_places(
        tx, [(e.placement_id, e.enterprise_id, e.site.division_code) for e in events]
    )


@HANDLERS.on(PlacementCancelled)
async def on_placement_cancelled(tx: Tx, received: Sequence[Received[PlacementCancelled]]) -> None:
    """The nomination stays active, and its time without a placement begins."""
    await _note(tx, received, "cancelled")
    await nominations.update_idle(tx, [r.event.nomination_id for r in received], idle=True)


@HANDLERS.on(PlacementStarted)
async def on_placement_started(tx: Tx, received: Sequence[Received[PlacementStarted]]) -> None:
    """A started placement ends its nomination; then another office may nominate the person."""
    await _note(tx, received, "started")
    causes = {r.event.nomination_id: r for r in received}
    await ending.end_nominations(tx, causes, "started")


@HANDLERS.on(PlacementEnded)
async def on_placement_ended(tx: Tx, received: Sequence[Received[PlacementEnded]]) -> None:
    """The right to see the name ends."""
    await _note(tx, received, "ended")


async def _note(
    tx: Tx,
    received: Sequence[Received[PlacementFate]],
    state: str,
) -> None:
    events = [r.event for r in received]
    rows = [
        heard.Placement(
            e.placement_id, e.worker_id, e.nomination_id, e.office_id, e.enterprise_id, e.drive_id,
            state, e.ended_on if isinstance(e, PlacementEnded) else None,
            started_on=e.started_on if isinstance(e, PlacementStarted) else None,
        )
        for e in events
    ]  # fmt: skip
    await heard.upsert_placements(tx, rows)


@HANDLERS.on(RetentionChecked)
async def on_retention_checked(tx: Tx, received: Sequence[Received[RetentionChecked]]) -> None:
    """Answers are counted beside help status, which only the registry knows."""
    events = [r.event for r in received]
    answers = [
        heard.Retention(
            e.placement_id, e.milestone_months, e.worker_id, e.result, e.answered_on, e.due_on
        )
        for e in events
    ]
    await heard.upsert_retention(tx, answers)


@HANDLERS.on(*_TRIP_STATES)
async def on_trip(tx: Tx, received: Sequence[Received[TripFact]]) -> None:
    """A trip that ends lets erasures of its passengers take effect."""
    await heard.upsert_trips(tx, [(r.event.trip_id, _TRIP_STATES[type(r.event)]) for r in received])
    tx.wake(_ERASURES)


@HANDLERS.on(TripChanged, TripDelayed)
async def on_trip_changed(tx: Tx, received: Sequence[Received[TripFact]]) -> None:
    """Other times change nobody's rights."""


@HANDLERS.on(*_BOOKING_STATES)
async def on_booking(tx: Tx, received: Sequence[Received[BookingFact]]) -> None:
    """A live booking on a trip gives its escort the right to see the name."""
    await heard.upsert_bookings(
        tx,
        [
            heard.Booking(
                e.booking_id, e.worker_id, e.office_id, e.enterprise_id, e.trip_id,
                _BOOKING_STATES[type(e)],
            )
            for r in received
            for e in (r.event,)
        ],
    )  # fmt: skip
    tx.wake(_ERASURES)


@HANDLERS.on(*_STAY_STATES)
async def on_stay(tx: Tx, received: Sequence[Received[StayFact]]) -> None:
    """A live stay gives its inn the right to see the name on its days."""
    await heard.upsert_stays(
        tx,
        [
            heard.Stay(
                e.stay_id, e.worker_id, e.office_id, e.enterprise_id, e.inn_id, e.check_in_on,
                e.check_out_on, _STAY_STATES[type(e)],
            )
            for r in received
            for e in (r.event,)
        ],
    )  # fmt: skip
    tx.wake(_ERASURES)


@HANDLERS.on(*_GUEST_STATES)
async def on_guest(tx: Tx, received: Sequence[Received[_GuestFact]]) -> None:
    """A guest in the house is not erased before the check-out."""
    await heard.upsert_stays(
        tx,
        [
            heard.Stay(
                e.stay_id, e.worker_id, e.office_id, e.enterprise_id, e.inn_id, None, None,
                _GUEST_STATES[type(e)],
            )
            for r in received
            for e in (r.event,)
        ],
    )  # fmt: skip
    tx.wake(_ERASURES)
