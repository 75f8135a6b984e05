"""Keeps the tenants and the void tokens that the console speaks of."""

from collections.abc import Sequence

from contracts.console import AccessRevoked, TenantChanged, TenantFact, TenantRegistered
from shared.handlers import Handlers, Received
from shared.transaction import Tx

#: Every service but the console itself, which writes these tables by its commands, hears them so.
HANDLERS = Handlers("tenants")


@HANDLERS.on(TenantRegistered, TenantChanged)
async def on_tenant(tx: Tx, received: Sequence[Received[TenantFact]]) -> None:
    """Keep the new whole of each tenant."""
    await keep_tenants(tx, [r.event for r in received])


@HANDLERS.on(AccessRevoked)
async def on_access_revoked(tx: Tx, received: Sequence[Received[AccessRevoked]]) -> None:
    """Keep from when on tokens count again."""
    await keep_revocations(tx, [r.event for r in received])


async def keep_tenants(tx: Tx, tenants: Sequence[TenantFact]) -> None:
    """Insert or replace these tenants, in the worker role."""
    await tx.execute(_KEEP_TENANTS, [tenant.model_dump(mode="json") for tenant in tenants])


async def keep_revocations(tx: Tx, revoked: Sequence[AccessRevoked]) -> None:
    """Insert these revocations, in the worker role; of two for one account the later counts."""
    await tx.execute(
        _KEEP_REVOCATIONS,
        [one.account_id or one.tenant_id for one in revoked],
        [one.tenant_id for one in revoked],
        [one.before for one in revoked],
    )


_KEEP_TENANTS = """
INSERT INTO tenant (tenant_id, kind, name, division_code, uscc, inn_ids, active)
SELECT tenant_id, kind, name, division_code, uscc, inn_ids, active
FROM jsonb_to_recordset($1) AS t (tenant_id uuid, kind text, name text, division_code text,
                                  uscc text, inn_ids uuid[], active boolean)
ORDER BY tenant_id
ON CONFLICT (tenant_id) DO UPDATE SET
    kind = excluded.kind, name = excluded.name, division_code = excluded.division_code,
    uscc = excluded.uscc, inn_ids = excluded.inn_ids, active = excluded.active
"""

_KEEP_REVOCATIONS = """
INSERT INTO revocation AS r (account_id, tenant_id, before)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS u (account_id, tenant_id, before)
ORDER BY u.account_id
ON CONFLICT (account_id) DO UPDATE SET before = GREATEST(r.before, excluded.before)
"""
