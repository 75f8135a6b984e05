"""Persons on pages: masked by the registry, or by a mark of four characters; never by name here."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from services.console.pages.visit import Visit
from shared.problem import Problem

SHOWN_MAX: Final = 40
_REVEALED: Final = ("name", "phone")
_MAY_SEE: Final = frozenset({"office", "enterprise", "bureau", "auditor"})


def mark(worker_id: object) -> str:
    """Give the mark by which a person without a name is told from others."""
    return str(worker_id).replace("-", "")[:6].upper()


async def masked_names(visit: Visit, worker_ids: Iterable[UUID]) -> dict[str, str]:
    """Ask the registry for masked names of at most `SHOWN_MAX` persons; others are left out."""
    if visit.kind not in _MAY_SEE:
        return {}
    wanted = list(dict.fromkeys(worker_ids))[:SHOWN_MAX]
    found = await asyncio.gather(*(_masked_name(visit, w) for w in wanted))
    return {str(w): name for w, name in zip(wanted, found, strict=True) if name}


async def _masked_name(visit: Visit, worker_id: UUID) -> str | None:
    try:
        found = await visit.ask("registry", f"/v1/workers/{worker_id}")
    except Problem:
        return None
    name: str | None = found.get("name_masked")
    return name


async def revealed(
    visit: Visit,
    worker_ids: Iterable[UUID],
    purpose: str,
    scope: Mapping[str, str],
    fields: Sequence[str] = _REVEALED,
) -> dict[str, dict[str, str]]:
    """Ask the registry to show persons for a purpose; it decides about each, and keeps a record.

    What it shows is for this one page, or for a list that a phone takes along sealed: it is stored
    nowhere here.
    """
    wanted = [str(w) for w in dict.fromkeys(worker_ids)]
    if not wanted:
        return {}
    body = {"worker_ids": wanted, "fields": list(fields), "purpose": purpose, "scope": scope}
    found = await visit.desk.tell("registry", visit.identity, "/v1/reveals", body)
    return {str(item["worker_id"]): item for item in found["items"]}
