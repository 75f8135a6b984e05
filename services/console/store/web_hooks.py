"""Web hooks and who did what to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.console.domain.web_hook import OVERLAP_S
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook as the one sees it who sends to it."""

    web_hook_id: UUID
    url: str
    secret_sealed: bytes
    previous_sealed: bytes | None
    failing_since: datetime | None
    failure_count: int
    may_send: bool


@dataclass(frozen=True, slots=True)
class NewHook:
    """A hook that is to be registered."""

    web_hook_id: UUID
    tenant_id: UUID
    title: str
    url: str
    event_types: Sequence[str]
    secret_sealed: bytes


@dataclass(frozen=True, slots=True)
class HookChange:
    """What changes about a hook; None stays as it is. `paused_why` counts with `state`."""

    title: str | None = None
    url: str | None = None
    event_types: Sequence[str] | None = None
    state: str | None = None
    paused_why: str | None = None


async def lock_tenant_kind(tx: Tx, tenant_id: UUID) -> str | None:
    """Give an active tenant's kind, locking it: its hooks are counted by one at a time."""
    kind: str | None = await tx.fetchval(
        "SELECT kind FROM tenant WHERE tenant_id = $1 AND active FOR NO KEY UPDATE", tenant_id
    )
    return kind


async def count_hooks(tx: Tx, tenant_id: UUID) -> int:
    """Count a tenant's hooks."""
    found: int = await tx.fetchval("SELECT count(*) FROM web_hook WHERE tenant_id = $1", tenant_id)
    return found


_INSERT: Final = """
INSERT INTO web_hook (web_hook_id, tenant_id, title, url, event_types, secret_sealed)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, url) DO NOTHING RETURNING true
"""


async def insert_hook(tx: Tx, hook: NewHook) -> bool:
    """Add a hook; False when its tenant has one for this URL."""
    inserted = await tx.fetchval(
        _INSERT, hook.web_hook_id, hook.tenant_id, hook.title, hook.url, list(hook.event_types),
        hook.secret_sealed,
    )  # fmt: skip
    return bool(inserted)


# Whoever sets it going again, or to another place, has mended something: it starts afresh.
_UPDATE: Final = """
UPDATE web_hook SET title = COALESCE($2, title), url = COALESCE($3, url),
    event_types = COALESCE($4, event_types), state = COALESCE($5, state),
    paused_why = CASE WHEN $5 IS NULL THEN paused_why ELSE $6 END,
    failing_since = CASE WHEN $7 THEN NULL ELSE failing_since END,
    failure_count = CASE WHEN $7 THEN 0 ELSE failure_count END,
    rests_until = CASE WHEN $7 THEN NULL ELSE rests_until END, changed_at = clock_timestamp()
WHERE web_hook_id = $1
"""


async def update_hook(tx: Tx, web_hook_id: UUID, change: HookChange) -> None:
    """Change a hook."""
    kinds = None if change.event_types is None else list(change.event_types)
    afresh = change.url is not None or change.state == "active"
    await tx.execute(
        _UPDATE, web_hook_id, change.title, change.url, kinds, change.state, change.paused_why,
        afresh,
    )  # fmt: skip


async def is_url_taken(tx: Tx, web_hook_id: UUID, url: str) -> bool:
    """Tell whether the hook's tenant has another hook for this URL."""
    found = await tx.fetchval(
        "SELECT true FROM web_hook h JOIN web_hook o USING (tenant_id)"
        " WHERE h.web_hook_id = $1 AND o.web_hook_id <> $1 AND o.url = $2",
        web_hook_id,
        url,
    )
    return bool(found)


_ROTATE: Final = f"""
UPDATE web_hook SET previous_sealed = secret_sealed, secret_sealed = $2,
    previous_until = clock_timestamp() + interval '{OVERLAP_S} seconds',
    changed_at = clock_timestamp()
WHERE web_hook_id = $1 RETURNING previous_until
"""


async def rotate_secret(tx: Tx, web_hook_id: UUID, sealed: bytes) -> datetime:
    """Give a hook a new secret; tell until when the one before signs, too."""
    until: datetime = await tx.fetchval(_ROTATE, web_hook_id, sealed)
    return until


async def delete_hook(tx: Tx, web_hook_id: UUID) -> None:
    """Forget a hook and what it was to be told."""
    await tx.execute("DELETE FROM web_hook WHERE web_hook_id = $1", web_hook_id)
    await tx.execute("DELETE FROM hook_delivery WHERE web_hook_id = $1", web_hook_id)


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done to a hook: by an account, or (None) by the system itself."""

    web_hook_id: UUID
    tenant_id: UUID
    account_id: UUID | None
    action: str
    delivery_count: int | None = None


async def insert_log(tx: Tx, done: Done) -> None:
    """Note who did what to a hook."""
    await tx.execute(
        "INSERT INTO web_hook_log (log_id, web_hook_id, tenant_id, account_id, action,"
        " delivery_count) VALUES ($1, $2, $3, $4, $5, $6)",
        tx.ids.uuid7(), done.web_hook_id, done.tenant_id, done.account_id, done.action,
        done.delivery_count,
    )  # fmt: skip


# What is resting or paused still takes trials.
_DUE: Final = """
SELECT h.web_hook_id FROM web_hook h JOIN tenant t USING (tenant_id)
WHERE t.active AND (
    EXISTS (SELECT FROM hook_delivery d WHERE d.web_hook_id = h.web_hook_id
        AND d.state = 'waiting' AND d.trial AND d.due_at <= clock_timestamp())
    OR (h.state = 'active' AND COALESCE(h.rests_until, '-infinity') <= clock_timestamp()
        AND EXISTS (SELECT FROM hook_delivery d WHERE d.web_hook_id = h.web_hook_id
            AND d.state = 'waiting' AND d.due_at <= clock_timestamp())))
"""


async def list_due(tx: Tx) -> list[UUID]:
    """List the hooks that have something to be sent now."""
    return [row["web_hook_id"] for row in await tx.fetch(_DUE)]


_HOOK: Final = """
SELECT h.web_hook_id, h.url, h.secret_sealed, h.failing_since, h.failure_count,
       CASE WHEN h.previous_until > clock_timestamp() THEN h.previous_sealed END AS previous_sealed,
       h.state = 'active' AND COALESCE(h.rests_until, '-infinity') <= clock_timestamp() AS may_send
FROM web_hook h JOIN tenant t USING (tenant_id) WHERE h.web_hook_id = $1 AND t.active
"""


async def find_hook(tx: Tx, web_hook_id: UUID) -> Hook | None:
    """Give a hook of a tenant that takes part."""
    row = await tx.fetchrow(_HOOK, web_hook_id)
    return Hook(**row) if row else None


_HEALTHY: Final = """
UPDATE web_hook SET failing_since = NULL, failure_count = 0, rests_until = NULL,
    delivered_at = clock_timestamp()
WHERE web_hook_id = $1
"""


async def note_success(tx: Tx, web_hook_id: UUID) -> None:
    """Note that a hook has taken something."""
    await tx.execute(_HEALTHY, web_hook_id)


_FAILED: Final = """
UPDATE web_hook SET failing_since = COALESCE(failing_since, clock_timestamp()),
    failure_count = failure_count + 1, rests_until = clock_timestamp() + $2::interval,
    state = CASE WHEN $3::text IS NULL THEN state ELSE 'paused' END,
    paused_why = CASE WHEN $3::text IS NULL THEN paused_why ELSE $3 END
WHERE web_hook_id = $1 AND state = 'active' RETURNING tenant_id
"""


async def note_failure(tx: Tx, hook: Hook, rest: object, paused_why: str | None) -> None:
    """Note that a hook has taken nothing: it rests (an interval), or is paused."""
    tenant_id = await tx.fetchval(_FAILED, hook.web_hook_id, rest, paused_why)
    if tenant_id and paused_why:
        await insert_log(tx, Done(hook.web_hook_id, tenant_id, None, "paused"))
