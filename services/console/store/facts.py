"""Facts by journey: written per wave, read for all journeys that a wave touched."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.console.domain.fact import Fact
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Change:
    """What an event does to a fact; without a state it keeps the one it has."""

    source: str
    subject: str
    journey_id: UUID
    state: str | None
    said_at: datetime
    data: dict[str, Any]


# `nothing` is the state of a fact of which only a change was heard so far.
_UPSERT: Final = """
INSERT INTO fact AS f (source, subject, journey_id, noun, state, since, made_at, data)
SELECT u.source, u.subject, u.journey_id, split_part(u.subject, '/', 1),
       COALESCE(u.state, 'nothing'), u.said_at, u.said_at, u.data
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::jsonb[])
    AS u (source, subject, journey_id, state, said_at, data)
ON CONFLICT (source, subject) DO UPDATE SET
    journey_id = excluded.journey_id,
    state = CASE WHEN excluded.state = 'nothing' THEN f.state ELSE excluded.state END,
    since = CASE WHEN excluded.state = 'nothing' THEN f.since ELSE excluded.since END,
    data = f.data - ARRAY['reason', 'rule', 'expires_at', 'outcome'] || excluded.data
"""


async def upsert_facts(tx: Tx, changes: Sequence[Change]) -> None:
    """Fold changes into their facts; no two of one thing in a call."""
    await tx.execute(
        _UPSERT,
        [c.source for c in changes],
        [c.subject for c in changes],
        [c.journey_id for c in changes],
        [c.state for c in changes],
        [c.said_at for c in changes],
        [c.data for c in changes],
    )


async def load_facts(tx: Tx, journey_ids: Iterable[UUID]) -> dict[UUID, list[Fact]]:
    """Give all facts of these journeys."""
    rows = await tx.fetch(
        "SELECT * FROM fact WHERE journey_id = ANY ($1::uuid[])", list(journey_ids)
    )
    found: dict[UUID, list[Fact]] = defaultdict(list)
    for r in rows:
        noun, _, fact_id = r["subject"].partition("/")
        fact = Fact(
            r["source"], noun, UUID(fact_id), r["state"], r["since"], r["made_at"], r["data"]
        )
        found[r["journey_id"]].append(fact)
    return found
