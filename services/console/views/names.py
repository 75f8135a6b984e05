"""Names of the organisations and things that an event or a task speaks of by their ids."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of ids: tenants and inns by name, things (`drive/<id>`) by their newest whole.

    Names of organisations, drives, sites and inns are facts that whoever sees the id may see.
    """

    tenants: Mapping[str, str]
    inns: Mapping[str, str]
    things: Mapping[str, Mapping[str, Any]]

    def thing(self, noun: str, of: object) -> Mapping[str, Any]:
        """Give the newest whole of a thing; empty when nothing was heard of it."""
        return self.things.get(f"{noun}/{of}", {})


_TENANTS: Final = "SELECT tenant_id, name FROM tenant WHERE tenant_id = ANY ($1::uuid[])"
_INNS: Final = """
SELECT i.inn_id, t.name FROM tenant t CROSS JOIN LATERAL unnest(t.inn_ids) AS i (inn_id)
WHERE t.kind = 'inn' AND i.inn_id = ANY ($1::uuid[])
"""
_THINGS: Final = "SELECT subject, state, data FROM thing WHERE subject = ANY ($1::text[])"


async def load_names(tx: Tx, ids: Collection[UUID], subjects: Collection[str]) -> Names:
    """Load the names of ids that the caller has seen; goes on with the service's rights."""
    await tx.as_worker()
    wanted = list(ids)
    tenants = await tx.fetch(_TENANTS, wanted)
    inns = await tx.fetch(_INNS, wanted)
    things = await tx.fetch(_THINGS, list(subjects))
    return Names(
        {str(r["tenant_id"]): r["name"] for r in tenants},
        {str(r["inn_id"]): r["name"] for r in inns},
        {r["subject"]: {**r["data"], "state": r["state"]} for r in things},
    )


_FACTS: Final = """
SELECT subject, source, state, since, data FROM fact WHERE subject = ANY ($1::text[])
"""


async def load_facts_of(tx: Tx, subjects: Collection[str]) -> dict[str, dict[str, Any]]:
    """Load the newest state of things whose tasks the caller has seen, by subject."""
    await tx.as_worker()
    rows = await tx.fetch(_FACTS, list(subjects))
    return {r["subject"]: {**r["data"], "state": r["state"]} for r in rows}


_TENANTS_OF_KINDS: Final = """
SELECT tenant_id, kind, name FROM tenant WHERE active AND kind = ANY ($1::text[])
ORDER BY kind, name
"""


async def list_tenant_names(tx: Tx, kinds: Collection[str]) -> list[Any]:
    """List the tenants of these kinds that the caller may see."""
    return await tx.fetch(_TENANTS_OF_KINDS, list(kinds))
