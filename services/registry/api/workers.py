"""Routes of persons: masked, given whole to whoever asks for its own data, erased."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from services.registry.api.caller import Caller, acting_tenant
from services.registry.handlers.erasing import ask_erasure
from services.registry.handlers.exporting import export_worker
from services.registry.handlers.intake import Intake
from services.registry.handlers.opening import masked
from services.registry.views import people
from shared.commands import Answer
from shared.http import Call
from shared.problem import Forbidden
from shared.transaction import Tx

router = APIRouter(tags=["workers"])

_SHOWN = (
    "worker_id", "gender", "birth_year_month", "origin_division_code", "education_code",
    "certificate_codes", "occupation_codes", "preferred_pay_min", "preferred_pay_max",
)  # fmt: skip


@router.get("/v1/workers/{worker_id}")
async def worker(worker_id: UUID, caller: Caller) -> Response:
    """Show a person, masked."""

    async def view(tx: Tx) -> object:
        row = await people.find_worker(tx, worker_id)
        if row is None:
            return None
        fields = ("name", "resident_id", "phone")
        shown = await masked(caller.resource(Intake).vault, [row], fields)
        told = {name: row[name] for name in _SHOWN if row[name] is not None}
        return told | shown.get(row["relation_id"], {f"{f}_masked": None for f in fields})

    return await caller.query(view)


@router.delete("/v1/workers/{worker_id}", status_code=202)
async def erase(
    worker_id: UUID,
    caller: Caller,
    office_id: UUID | None = None,
    enterprise_id: UUID | None = None,
) -> Response:
    """Erase a tenant's own copy of a person, or, by the bureau's admin, the person."""
    tenant_id = _whose(caller, office_id, enterprise_id)
    return await caller.command(partial(_erase, caller, worker_id, tenant_id))


def _whose(caller: Call, office_id: UUID | None, enterprise_id: UUID | None) -> UUID | None:
    identity = caller.identity
    named = office_id or enterprise_id
    if identity.tenant_kind == "bureau" and "admin" in identity.roles and not named:
        return None
    tenant_id = acting_tenant(caller, office_id, enterprise_id)
    if tenant_id is None:
        # A coordinator erases a tenant's copy on its behalf, never the person.
        raise Forbidden
    return tenant_id


async def _erase(caller: Call, worker_id: UUID, tenant_id: UUID | None, tx: Tx) -> Answer:
    return await ask_erasure(tx, caller.identity, worker_id, tenant_id)


@router.post("/v1/workers/{worker_id}/access-requests")
async def access(worker_id: UUID, caller: Caller) -> Response:
    """Give all that the caller has about a person, for that person; audited, stored nowhere."""
    caller.require(tenant_kinds={"office", "enterprise"}, roles={"admin"})
    effect = partial(_access, caller, worker_id)
    return await caller.command(effect, keep_answer=False)


async def _access(caller: Call, worker_id: UUID, tx: Tx) -> Answer:
    return await export_worker(tx, caller.resource(Intake).vault, caller.identity, worker_id)
