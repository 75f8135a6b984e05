"""What web hooks are to be told: made with the feed, claimed, marked, told again, forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.console.domain.web_hook import KEPT_DAYS, Outcome, Verdict
from shared.transaction import Tx

#: Nobody sends one delivery for longer: then it is anybody's again.
LEASE_S: Final = 120
PRUNED_MAX: Final = 5_000

# Who is told is who sees the event at `/v1/events`: the conditions are those of the policy on
# `event`, asked for each hook's tenant.
_MAKE: Final = r"""
WITH e AS MATERIALIZED (
    SELECT event_id, type, regexp_replace(type, '\.v[0-9]+$', '') AS kind, service, audience,
        origins, trip_id
    FROM event WHERE feed_id BETWEEN $1 AND $2
)
INSERT INTO hook_delivery (web_hook_id, event_id, tenant_id, event_type)
SELECT h.web_hook_id, e.event_id, h.tenant_id, e.type
FROM web_hook h JOIN tenant t USING (tenant_id) JOIN e ON e.kind = ANY (h.event_types)
WHERE t.active AND (
    h.tenant_id = ANY (e.audience)
    OR (e.service = 'transport' AND e.audience = '{}' AND EXISTS (SELECT FROM trip_tenant a
        WHERE a.trip_id = e.trip_id AND a.tenant_id = h.tenant_id))
    OR (t.kind = 'office' AND EXISTS (SELECT FROM unnest(e.origins) AS o
        WHERE division_within(t.division_code, o) OR division_within(o, t.division_code))))
ON CONFLICT DO NOTHING
"""


async def insert_deliveries(tx: Tx, first_feed_id: int, last_feed_id: int) -> None:
    """Let every hook be told of what it wants and its tenant may see in this part of the feed."""
    await tx.execute(_MAKE, first_feed_id, last_feed_id)


async def insert_trial(tx: Tx, web_hook_id: UUID, tenant_id: UUID, kind: str) -> UUID:
    """Let a hook be told of nothing, as a trial; give what stands for the event's id."""
    event_id = tx.ids.uuid7()
    await tx.execute(
        "INSERT INTO hook_delivery (web_hook_id, event_id, tenant_id, event_type, trial)"
        " VALUES ($1, $2, $3, $4, true)",
        web_hook_id,
        event_id,
        tenant_id,
        kind,
    )
    return event_id


async def count_trials(tx: Tx, web_hook_id: UUID) -> int:
    """Count the trials of a hook in the last minute."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM hook_delivery WHERE web_hook_id = $1 AND trial"
        " AND made_at > clock_timestamp() - interval '1 minute'",
        web_hook_id,
    )
    return found


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery in hand: `item` is the event as `/v1/events` has it (None: it is gone)."""

    event_id: UUID
    attempt_count: int
    trial: bool
    tenant_id: UUID
    event_type: str
    made_at: datetime
    item: dict[str, Any] | None


# The due moment is moved beyond the lease, so that a crash gives the delivery back by itself.
_CLAIM: Final = f"""
WITH mine AS (
    SELECT web_hook_id, event_id FROM hook_delivery
    WHERE web_hook_id = $1 AND state = 'waiting' AND due_at <= clock_timestamp() {{only}}
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE hook_delivery d SET attempt_count = attempt_count + 1, attempted_at = clock_timestamp(),
    due_at = clock_timestamp() + interval '{LEASE_S} seconds'
FROM mine LEFT JOIN event e USING (event_id)
WHERE d.web_hook_id = mine.web_hook_id AND d.event_id = mine.event_id
RETURNING d.event_id AS delivered_id, d.attempt_count, d.trial, d.tenant_id AS told_tenant_id,
    d.event_type, d.made_at, e.*
"""
_CLAIM_ANY: Final = _CLAIM.format(only="")
_CLAIM_TRIALS: Final = _CLAIM.format(only="AND trial")
#: What an item of `/v1/events` has.
_ITEM: Final = (
    "feed_id", "event_id", "type", "service", "subject", "sequence", "tenant_id", "journey_id",
    "causation_id", "said_at", "heard_at", "body",
)  # fmt: skip


async def claim(tx: Tx, web_hook_id: UUID, limit: int, *, trials: bool = False) -> list[Delivery]:
    """Take the deliveries of a hook that are due, or its trials only; nobody else has them then."""
    rows = await tx.fetch(_CLAIM_TRIALS if trials else _CLAIM_ANY, web_hook_id, limit)
    return [
        Delivery(
            row["delivered_id"], row["attempt_count"], row["trial"], row["told_tenant_id"],
            row["event_type"], row["made_at"],
            {name: row[name] for name in _ITEM} if row["feed_id"] is not None else None,
        )
        for row in rows
    ]  # fmt: skip


# A failure counts for the attempt that it came of; what the receiver has taken is delivered anyway.
_MARK: Final = """
UPDATE hook_delivery d SET state = u.state, status = u.status, error = u.error,
    due_at = clock_timestamp() + u.after,
    delivered_at = CASE WHEN u.state = 'delivered' THEN clock_timestamp() ELSE d.delivered_at END
FROM unnest($2::uuid[], $3::int[], $4::text[], $5::interval[], $6::int[], $7::text[])
    AS u (event_id, attempt_count, state, after, status, error)
WHERE d.web_hook_id = $1 AND d.event_id = u.event_id AND d.state = 'waiting'
    AND (d.attempt_count = u.attempt_count OR u.state = 'delivered')
"""
Sent = tuple[Delivery, Outcome, Verdict]


async def mark(tx: Tx, web_hook_id: UUID, sent: Sequence[Sent]) -> None:
    """Note what came of attempts."""
    await tx.execute(
        _MARK,
        web_hook_id,
        [d.event_id for d, _, _ in sent],
        [d.attempt_count for d, _, _ in sent],
        [v.state for _, _, v in sent],
        [timedelta(seconds=v.after_s) for _, _, v in sent],
        [o.status for _, o, _ in sent],
        [o.error for _, o, _ in sent],
    )


@dataclass(frozen=True, slots=True)
class Again:
    """Which deliveries of a hook are told again: these, or all that failed since then."""

    event_ids: Sequence[UUID] = ()
    failed_since: datetime | None = None


# What is waiting and in nobody's hands comes at once, too: its lease would be nearer.
_REPLAY: Final = f"""
UPDATE hook_delivery SET state = 'waiting', due_at = clock_timestamp(), attempt_count = 0,
    replay_count = replay_count + 1, replayed_at = clock_timestamp(), replayed_by = $2
WHERE web_hook_id = $1 AND NOT trial
    AND (state <> 'waiting' OR due_at > clock_timestamp() + interval '{LEASE_S} seconds')
    AND (event_id = ANY ($3) OR (state = 'failed' AND made_at >= $4::timestamptz))
"""


async def replay(tx: Tx, web_hook_id: UUID, account_id: UUID, again: Again) -> int:
    """Let deliveries be told again; count them."""
    done = await tx.execute(
        _REPLAY, web_hook_id, account_id, list(again.event_ids), again.failed_since
    )
    return int(done.rpartition(" ")[2])


async def hasten(tx: Tx, web_hook_id: UUID) -> None:
    """Let what waits for its next attempt come at once: the hook is set going again."""
    await tx.execute(
        "UPDATE hook_delivery SET due_at = clock_timestamp() WHERE web_hook_id = $1"
        f" AND state = 'waiting' AND due_at > clock_timestamp() + interval '{LEASE_S} seconds'",
        web_hook_id,
    )


_PRUNE: Final = """
WITH old AS (
    SELECT ctid FROM hook_delivery WHERE made_at < clock_timestamp() - $1::interval LIMIT $2
), gone AS (DELETE FROM hook_delivery WHERE ctid IN (SELECT ctid FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""


async def prune(tx: Tx) -> int:
    """Forget a bounded number of deliveries that are old enough, sent or not; count them."""
    found: int = await tx.fetchval(_PRUNE, timedelta(days=KEPT_DAYS), PRUNED_MAX)
    return found


_WAITING: Final = """
SELECT count(*) AS n,
       COALESCE(max(extract(epoch FROM clock_timestamp() - d.made_at)), 0)::float8 AS oldest_s
FROM hook_delivery d JOIN web_hook h USING (web_hook_id)
WHERE d.state = 'waiting' AND h.state = 'active'
"""


async def count_waiting(tx: Tx) -> tuple[int, float]:
    """Count what waits for hooks that aren't paused, and give the oldest one's age in seconds."""
    (row,) = await tx.fetch(_WAITING)
    return row["n"], row["oldest_s"]
