"""Answers an access request: everything about one person in one answer, for that person."""

from uuid import UUID

from services.registry.handlers.opening import open_fields
from services.registry.store import reveals
from services.registry.store.people import SEALED
from services.registry.store.reveals import Audit
from services.registry.vault import Vault
from services.registry.views import people
from shared.commands import Answer
from shared.identity import Identity
from shared.problem import NotFound
from shared.transaction import Tx

_OPEN = (
    "gender", "birth_year_month", "origin_division_code", "education_code", "certificate_codes",
    "occupation_codes", "preferred_pay_min", "preferred_pay_max", "poverty_lifted", "monitored",
    "created_at", "updated_at",
)  # fmt: skip


async def export_worker(tx: Tx, vault: Vault, identity: Identity, worker_id: UUID) -> Answer:
    """Give what the caller may see of a person, in clear; 404 when that is nothing."""
    relations = await people.list_relations(tx, worker_id)
    if not relations:
        raise NotFound
    history = await people.find_history(tx, worker_id)
    opened = await open_fields(vault, relations, tuple(SEALED))
    copies = [
        {
            "tenant_id": r["tenant_id"],
            **{k: r[k] for k in _OPEN},
            **opened.get(r["relation_id"], {}),
        }
        for r in relations
    ]
    await tx.as_worker()
    audit = Audit(
        reveal_id=tx.ids.uuid7(),
        tenant_id=identity.tenant_id,
        account_id=identity.account_id,
        purpose="access_request",
        scope={"worker_id": str(worker_id)},
        fields=tuple(SEALED),
        revealed=[worker_id],
        withheld=[],
    )
    await reveals.insert_audit(tx, audit)
    body = {"worker_id": worker_id, "given_at": tx.now, "copies": copies, **history}
    return Answer(200, body)
