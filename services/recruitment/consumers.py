"""What recruitment hears: persons from the registry, and how the way there went."""

from collections.abc import Sequence
from typing import Final

from contracts.event import PersonFact
from contracts.lodging import GuestMissed, StayRejected
from contracts.registry import (
    NominationChanged,
    NominationEnded,
    WorkerBatchValidated,
    WorkerErased,
    WorkerNominated,
    WorkerUpdated,
)
from contracts.transport import (
    PassengerBoarded,
    PassengerHandedOver,
    PassengerMissed,
    SeatBooked,
    SeatReleased,
    SeatWaitlisted,
)
from services.recruitment.handlers import people
from services.recruitment.handlers.speech import Because
from services.recruitment.store import placements
from shared.handlers import Handlers, Received
from shared.transaction import Tx

HANDLERS: Final = Handlers("recruitment")

_WORDS: Final[dict[type[PersonFact], str]] = {
    SeatBooked: "booked",
    SeatWaitlisted: "waitlisted",
    SeatReleased: "released",
    PassengerBoarded: "boarded",
    PassengerMissed: "missed",
}


@HANDLERS.on(WorkerNominated)
async def on_worker_nominated(tx: Tx, received: Sequence[Received[WorkerNominated]]) -> None:
    """Let persons into the rounds."""
    await people.nominate(tx, [r.event for r in received], _because(received, "office"))


@HANDLERS.on(NominationChanged)
async def on_nomination_changed(tx: Tx, received: Sequence[Received[NominationChanged]]) -> None:
    """Take over what is new, also into placements that haven't started."""
    await people.change(tx, [r.event for r in received], _because(received, "office"))


@HANDLERS.on(NominationEnded)
async def on_nomination_ended(tx: Tx, received: Sequence[Received[NominationEnded]]) -> None:
    """End what hangs on nominations."""
    reasons = {r.event.nomination_id: r.event.reason for r in received}
    await people.end(tx, reasons, _because(received, "office"))


@HANDLERS.on(WorkerUpdated)
async def on_worker_updated(tx: Tx, received: Sequence[Received[WorkerUpdated]]) -> None:
    """Take over persons' new profiles."""
    profiles = [r.event.model_dump(mode="json") for r in received]
    await people.update_profiles(tx, profiles, {r.event.worker_id: r for r in received})


@HANDLERS.on(WorkerErased)
async def on_worker_erased(tx: Tx, received: Sequence[Received[WorkerErased]]) -> None:
    """Drop persons, whatever is heard of them later."""
    await people.erase(tx, {r.event.worker_id: r for r in received})


@HANDLERS.on(WorkerBatchValidated)
async def on_worker_batch_validated(
    tx: Tx, received: Sequence[Received[WorkerBatchValidated]]
) -> None:
    """Note how many nominations rosters have; new hires aren't nominated."""
    counts = {
        r.event.batch_id: r.event.nominated_count
        for r in received
        if r.event.kind == "origin_roster"
    }
    await people.validate_batches(tx, counts)


@HANDLERS.on(SeatBooked, SeatWaitlisted, SeatReleased, PassengerBoarded, PassengerMissed)
async def on_travel(tx: Tx, received: Sequence[Received[PersonFact]]) -> None:
    """Note how far persons are on their way; a changed seat brings nobody further or back."""
    told = [
        (r.event.placement_id, _WORDS[type(r.event)], r.envelope.time)
        for r in received
        if r.event.placement_id
    ]
    await placements.note_travel(tx, told)


@HANDLERS.on(PassengerHandedOver)
async def on_handed_over(tx: Tx, received: Sequence[Received[PassengerHandedOver]]) -> None:
    """Note whether the enterprise received persons; what follows is for people to decide."""
    told = [(r.event.placement_id, r.event.outcome, r.envelope.time) for r in received]
    await placements.note_travel(tx, told)


@HANDLERS.on(StayRejected)
async def on_stay_rejected(tx: Tx, received: Sequence[Received[StayRejected]]) -> None:
    """Note which rule stands against persons' beds."""
    told = [
        (r.event.placement_id, r.event.rule or r.event.reason or "rejected", r.envelope.time)
        for r in received
        if r.event.placement_id
    ]
    await placements.note_lodging(tx, told)


@HANDLERS.on(GuestMissed)
async def on_guest_missed(tx: Tx, received: Sequence[Received[GuestMissed]]) -> None:
    """Note who didn't come to the inn."""
    told = [
        (r.event.placement_id, "missed", r.envelope.time) for r in received if r.event.placement_id
    ]
    await placements.note_lodging(tx, told)


def _because(
    received: Sequence[Received[WorkerNominated]]
    | Sequence[Received[NominationChanged]]
    | Sequence[Received[NominationEnded]],
    by: str,
) -> Because:
    return Because(by, {r.event.nomination_id: r for r in received})
