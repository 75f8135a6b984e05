"""Events as a consumer hears them, without Kafka."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from contracts import OWNER_TENANT_ID, Envelope, Event
from shared.database import Database
from shared.handlers import Handlers, Received, run_waves
from shared.ids import Ids

E = TypeVar("E", bound=Event)
IDS = Ids()


def received(
    event: E, sequence: int = 1, journey_id: UUID | None = None, tenant_id: UUID | None = None
) -> Received[E]:
    """Wrap an event as its service would have said it; its aggregate is the default journey."""
    envelope = Envelope(
        id=IDS.uuid7(),
        type=event.wire_type,
        source=f"/{event.service}",
        subject=event.subject,
        sequence=sequence,
        tenant_id=tenant_id or OWNER_TENANT_ID,
        correlation_id=journey_id or UUID(event.aggregate_id),
        causation_id=IDS.uuid7(),
        time=datetime.now(UTC),
    )
    return Received(event, envelope)


async def heard(
    db: Database, handlers: Handlers, events: Sequence[Event | Received[Any]]
) -> list[Received[Any]]:
    """Run events through the handlers as the consumer does: one worker transaction, waves, commit.

    Bare events are wrapped, with sequences 1, 2, 3, ... per subject. Raises what a handler raises,
    with everything rolled back; the consumer would bisect and park.
    """
    counts: Counter[str] = Counter()
    wrapped: list[Received[Any]] = []
    for one in events:
        event = one.event if isinstance(one, Received) else one
        counts[event.subject] += 1
        wrapped.append(one if isinstance(one, Received) else received(one, counts[one.subject]))
    async with db.transaction(role="worker") as tx:
        await run_waves(tx, handlers, wrapped)
    return wrapped
