"""The feed: every event once, in one order that is the order of commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.transaction import Tx

_EVENT: Final = {
    "feed_id": "bigint",
    "event_id": "uuid",
    "type": "text",
    "service": "text",
    "subject": "text",
    "sequence": "bigint",
    "tenant_id": "uuid",
    "journey_id": "uuid",
    "causation_id": "uuid",
    "said_at": "timestamptz",
    "audience": "uuid[]",
    "origins": "text[]",
    "trip_id": "uuid",
    "inn_id": "uuid",
    "body": "jsonb",
}
_NEXT: Final = "UPDATE feed_position SET last_feed_id = last_feed_id + $1 RETURNING last_feed_id"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as the feed keeps it, without its place in it."""

    event_id: UUID
    type: str
    service: str
    subject: str
    sequence: int
    tenant_id: UUID
    journey_id: UUID | None
    causation_id: UUID | None
    said_at: datetime
    audience: list[UUID]
    origins: list[str]
    trip_id: UUID | None
    inn_id: UUID | None
    body: dict[str, Any]


async def insert_entries(tx: Tx, entries: Sequence[Entry]) -> tuple[int, int]:
    """Append to the feed; give the first and the last place that they have.

    Locks the feed until commit: its writers come one after the other.
    """
    last: int = await tx.fetchval(_NEXT, len(entries))
    first = last - len(entries) + 1
    await tx.insert("event", _EVENT, [_record(first + i, e) for i, e in enumerate(entries)])
    return first, last


def _record(feed_id: int, entry: Entry) -> tuple[object, ...]:
    return (
        feed_id, entry.event_id, entry.type, entry.service, entry.subject, entry.sequence,
        entry.tenant_id, entry.journey_id, entry.causation_id, entry.said_at, entry.audience,
        entry.origins, entry.trip_id, entry.inn_id, entry.body,
    )  # fmt: skip


_TRIP_TENANTS: Final = """
INSERT INTO trip_tenant (trip_id, tenant_id)
SELECT DISTINCT u.trip_id, u.tenant_id FROM unnest($1::uuid[], $2::uuid[]) AS u (trip_id, tenant_id)
ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""


async def insert_trip_tenants(tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Note who has somebody on which trip."""
    if pairs:
        await tx.execute(_TRIP_TENANTS, [p[0] for p in pairs], [p[1] for p in pairs])


_THINGS: Final = """
INSERT INTO thing AS t (subject, noun, state, data, audience, origins, changed_at)
SELECT u.subject, u.noun, u.state, u.data, u.audience::uuid[], u.origins::text[], u.changed_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::text[], $6::text[],
            $7::timestamptz[])
    AS u (subject, noun, state, data, audience, origins, changed_at)
ON CONFLICT (subject) DO UPDATE SET state = excluded.state, data = t.data || excluded.data,
    audience = excluded.audience, origins = excluded.origins, changed_at = excluded.changed_at
"""


async def upsert_things(tx: Tx, entries: Sequence[tuple[Entry, str]]) -> None:
    """Keep the newest whole of drives, vacancies, trips, batches and inns, each with its state."""
    if not entries:
        return
    await tx.execute(
        _THINGS,
        [e.subject for e, _ in entries],
        [e.subject.partition("/")[0] for e, _ in entries],
        [state for _, state in entries],
        [e.body for e, _ in entries],
        [_array(e.audience) for e, _ in entries],
        [_array(e.origins) for e, _ in entries],
        [e.said_at for e, _ in entries],
    )


def _array(items: Sequence[object]) -> str:
    # An array of arrays would have to have rows of one length; ids and codes need no quotes.
    return "{" + ",".join(str(i) for i in items) + "}"
