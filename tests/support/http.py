"""Calls a service's routes in a test: over ASGI, with the identity that the test names."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx2

from contracts import OWNER_TENANT_ID
from shared.database import Database
from shared.http import unauthorized
from shared.identity import Identity, TenantKind
from shared.ids import Ids
from shared.service import Service, application

_IDS = Ids()
_KNOWN: dict[str, Identity] = {}


class KnownTokens:
    """Verifies the tokens that `bearer` made; all others are unknown."""

    async def verify(self, token: str) -> Identity:
        """Give the token's identity, else refuse with 401."""
        if token not in _KNOWN:
            raise unauthorized("invalid_token", "令牌无效。The token is not valid.")
        return _KNOWN[token]


def bearer(identity: Identity) -> dict[str, str]:
    """Give the headers that make one request this identity's."""
    token = f"{identity.account_id}.{identity.tenant_id}.{'-'.join(sorted(identity.roles))}"
    _KNOWN[token] = identity
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def app_client(
    service: str | Service,
    db: Database,
    identity: Identity | None = None,
    *,
    settings: Any = None,
) -> AsyncIterator[httpx2.AsyncClient]:
    """Call a service (its name, or a `Service`) as this identity; nothing but its API runs.

    `async with app_client("lodging", db, await an_office(db)) as client: ...`. An exception that
    nobody expected becomes the 500 of a caller. `settings` is for a `setup` that needs some.
    """
    found: Service = (
        importlib.import_module(f"services.{service}.__main__").SERVICE
        if isinstance(service, str)
        else service
    )
    async with application(found, db, KnownTokens(), settings=settings) as app:
        transport = httpx2.ASGITransport(app=app)
        headers = bearer(identity) if identity else {}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://test", headers=headers
        ) as client:
            yield client


async def an_office(db: Database, **overrides: Any) -> Identity:
    """An account of an origin's office (default: Lincang, 530900)."""
    return await _an_account(db, "office", {"division_code": "530900"} | overrides)


async def an_enterprise(db: Database, **overrides: Any) -> Identity:
    """An account of an enterprise in Jiading."""
    fields = {"division_code": "310114", "uscc": "91350100M000100Y43"}
    return await _an_account(db, "enterprise", fields | overrides)


async def an_inn(db: Database, *inn_ids: UUID, **overrides: Any) -> Identity:
    """An account of a tenant that keeps these inns (default: one new inn)."""
    fields = {"division_code": "310114", "inn_ids": inn_ids or (_IDS.uuid7(),)}
    return await _an_account(db, "inn", fields | overrides)


async def a_coordinator(db: Database, **overrides: Any) -> Identity:
    """A coordinator of the bureau that runs the system."""
    return await _of_the_bureau(db, "coordinator", overrides)


async def an_admin(db: Database, **overrides: Any) -> Identity:
    """An admin of the bureau that runs the system."""
    return await _of_the_bureau(db, "admin", overrides)


async def an_escort(db: Database, **overrides: Any) -> Identity:
    """An escort of the bureau that runs the system."""
    return await _of_the_bureau(db, "escort", overrides)


async def an_auditor(db: Database, **overrides: Any) -> Identity:
    """An auditor: reads everything, masked."""
    return await _an_account(db, "auditor", {"division_code": "310000"} | overrides)


async def _of_the_bureau(db: Database, role: str, overrides: dict[str, Any]) -> Identity:
    fields = {"tenant_id": OWNER_TENANT_ID, "division_code": "310000", "roles": frozenset({role})}
    return await _an_account(db, "bureau", fields | overrides)


async def _an_account(db: Database, kind: TenantKind, fields: dict[str, Any]) -> Identity:
    fields = {"account_id": _IDS.uuid7(), "tenant_id": _IDS.uuid7()} | fields
    name = fields.pop("name", f"{kind} {str(fields['tenant_id'])[-4:]}")
    identity = Identity(tenant_kind=kind, **fields)
    async with db.transaction(role="worker") as tx:
        await tx.execute(
            "INSERT INTO tenant (tenant_id, kind, name, division_code, uscc, inn_ids, active)"
            " VALUES ($1, $2, $3, $4, $5, $6, true) ON CONFLICT (tenant_id) DO NOTHING",
            identity.tenant_id, kind, name, identity.division_code, identity.uscc,
            list(identity.inn_ids),
        )  # fmt: skip
    return identity
