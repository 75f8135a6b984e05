"""Reveals names at the moment of printing: by right, for a purpose, audited, stored nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.registry.handlers.opening import open_fields
from services.registry.store import reveals
from services.registry.store.reveals import Asked, Audit
from services.registry.vault import Vault
from shared.commands import Answer
from shared.identity import Identity
from shared.problem import Forbidden
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Reveal:
    """A wish to see persons; `kind` is trip, inn, enterprise or batch, `scope` as it was said."""

    worker_ids: Sequence[UUID]
    fields: Sequence[str]
    purpose: str
    kind: str
    of: UUID
    on: date | None
    scope: dict[str, Any]


async def reveal(tx: Tx, vault: Vault, identity: Identity, wish: Reveal) -> Answer:
    """Show whom the caller has a right to see; the others are `withheld`, without a reason."""
    only = _only_tenant(identity, wish)
    await tx.as_worker()
    asked = Asked(wish.kind, wish.of, wish.on, wish.worker_ids, identity.tenant_id, only)
    copies = await reveals.find_revealable(tx, asked)
    opened = await open_fields(vault, list(copies.values()), wish.fields)
    shown = {w: opened[c["relation_id"]] for w, c in copies.items() if c["relation_id"] in opened}
    wanted = list(dict.fromkeys(wish.worker_ids))
    withheld = [w for w in wanted if w not in shown]
    audit = Audit(
        reveal_id=tx.ids.uuid7(),
        tenant_id=identity.tenant_id,
        account_id=identity.account_id,
        purpose=wish.purpose,
        scope=wish.scope,
        fields=wish.fields,
        revealed=list(shown),
        withheld=withheld,
    )
    await reveals.insert_audit(tx, audit)
    items = [{"worker_id": w, **shown[w]} for w in wanted if w in shown]
    body = {"reveal_id": audit.reveal_id, "items": items, "withheld": withheld}
    return Answer(200, body)


def _only_tenant(identity: Identity, wish: Reveal) -> UUID | None:
    """Whose people the caller may see in this scope (None: all of it); raises `Forbidden`."""
    match identity.tenant_kind:
        case "bureau":
            allowed = {"coordinator", "escort"} if wish.kind == "trip" else {"coordinator"}
            if identity.roles.isdisjoint(allowed):
                raise Forbidden
            return None
        case "inn":
            # Another inn's id shows nobody: no tenant of this kind owns a person.
            keeps = wish.kind == "inn" and wish.of in identity.inn_ids
            return None if keeps else identity.tenant_id
        case "office" | "enterprise":
            return identity.tenant_id
        case _:
            raise Forbidden
