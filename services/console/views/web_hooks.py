"""Web hooks and their deliveries as their tenant's administrators see them; never a secret."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.paging import after, page
from shared.transaction import Tx

LOG_MAX: Final = 20
_HOOK: Final = """
SELECT h.web_hook_id, h.tenant_id, h.title, h.url, h.event_types, h.state, h.paused_why,
       h.failing_since, h.delivered_at, h.created_at, h.changed_at,
       CASE WHEN h.previous_until > clock_timestamp() THEN h.previous_until END AS previous_until,
       (SELECT count(*) FROM hook_delivery d WHERE d.web_hook_id = h.web_hook_id
           AND d.state = 'waiting' AND NOT d.trial) AS waiting_count,
       (SELECT count(*) FROM hook_delivery d WHERE d.web_hook_id = h.web_hook_id
           AND d.state = 'failed' AND NOT d.trial) AS failed_count
FROM web_hook h
"""


async def list_web_hooks(
    tx: Tx, *, tenant_id: UUID, limit: int, cursor: str | None
) -> dict[str, object]:
    """Give a page of a tenant's hooks, in the order in which they were registered."""
    (last,) = after(cursor, UUID)
    rows = await tx.fetch(
        f"{_HOOK} WHERE h.tenant_id = $1 AND ($2::uuid IS NULL OR h.web_hook_id > $2)"
        " ORDER BY h.web_hook_id LIMIT $3",
        tenant_id,
        last,
        limit + 1,
    )
    return page(rows, limit, "web_hook_id")


async def get_web_hook(tx: Tx, web_hook_id: UUID) -> dict[str, Any] | None:
    """Give a hook, or None."""
    row = await tx.fetchrow(f"{_HOOK} WHERE h.web_hook_id = $1", web_hook_id)
    return dict(row) if row else None


_DELIVERIES: Final = """
SELECT d.event_id, d.event_type, d.trial, e.subject, j.journey_id, d.state, d.attempt_count,
       d.made_at, d.attempted_at, d.delivered_at,
       CASE WHEN d.state = 'waiting' THEN d.due_at END AS due_at, d.status, d.error,
       d.replay_count, d.replayed_at, d.replayed_by
FROM hook_delivery d LEFT JOIN event e USING (event_id)
    -- What happened outside of any journey names its own thing in its place.
    LEFT JOIN journey j ON j.journey_id = e.journey_id
WHERE d.web_hook_id = $1 AND ($2::text IS NULL OR d.state = $2)
    AND ($3::timestamptz IS NULL OR (d.made_at, d.event_id) < ($3, $4))
ORDER BY d.made_at DESC, d.event_id DESC LIMIT $5
"""


async def list_deliveries(
    tx: Tx, *, web_hook_id: UUID, state: str | None, limit: int, cursor: str | None
) -> dict[str, object]:
    """Give a page of what a hook was or is to be told, newest first."""
    made_at, event_id = after(cursor, datetime, UUID)
    rows = await tx.fetch(_DELIVERIES, web_hook_id, state, made_at, event_id, limit + 1)
    return page(rows, limit, "made_at", "event_id")


async def get_delivery(tx: Tx, web_hook_id: UUID, event_id: UUID) -> dict[str, Any] | None:
    """Give what came of a delivery so far, or None."""
    row = await tx.fetchrow(
        "SELECT state, status, error FROM hook_delivery WHERE web_hook_id = $1 AND event_id = $2",
        web_hook_id,
        event_id,
    )
    return dict(row) if row else None


_LOG: Final = """
SELECT l.action, l.delivery_count, l.done_at, l.account_id, a.name AS account
FROM web_hook_log l LEFT JOIN account a USING (account_id)
WHERE l.web_hook_id = $1 ORDER BY l.log_id DESC LIMIT $2
"""


async def list_log(tx: Tx, web_hook_id: UUID) -> Sequence[Any]:
    """List the newest of what was done to a hook, and by whom; None is the system itself."""
    return await tx.fetch(_LOG, web_hook_id, LOG_MAX)


async def list_troubled(tx: Tx, tenant_id: UUID) -> Sequence[Any]:
    """List a tenant's hooks that take nothing: paused by the system, or about to be."""
    return await tx.fetch(
        "SELECT web_hook_id, title, state, paused_why, failing_since FROM web_hook"
        " WHERE tenant_id = $1 AND (paused_why IN ('failing', 'gone')"
        " OR failing_since < clock_timestamp() - interval '1 hour') ORDER BY web_hook_id",
        tenant_id,
    )
