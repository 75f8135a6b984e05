"""Opens sealed fields, for a moment and in memory only."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.registry.handlers.sealing import field_place
from services.registry.roster.masks import mask_id, mask_name, mask_phone
from services.registry.store.people import SEALED
from services.registry.vault import Vault, open_sealed

_MASKS = {"name": mask_name, "resident_id": mask_id, "phone": mask_phone}


async def open_fields(
    vault: Vault, relations: Sequence[Mapping[str, Any]], fields: Sequence[str]
) -> dict[UUID, dict[str, str | None]]:
    """Open fields of relations: by relation id; a relation whose key is destroyed is absent."""
    ids = [r["relation_id"] for r in relations if r["relation_id"]]
    keys = await vault.load_keys(ids) if ids else {}
    return {
        r["relation_id"]: {f: _opened(keys[r["relation_id"]], r, f) for f in fields}
        for r in relations
        if r["relation_id"] in keys
    }


def _opened(key: bytes, relation: Mapping[str, Any], field: str) -> str | None:
    sealed = relation[SEALED[field]]
    if sealed is None:
        return None
    return open_sealed(key, sealed, field_place(relation["relation_id"], field)).decode()


async def masked(
    vault: Vault, relations: Sequence[Mapping[str, Any]], fields: Sequence[str]
) -> dict[UUID, dict[str, str | None]]:
    """Give `<field>_masked` of relations, by relation id."""
    opened = await open_fields(vault, relations, fields)
    return {
        relation_id: {f"{f}_masked": _MASKS[f](text) if text else None for f, text in found.items()}
        for relation_id, found in opened.items()
    }


async def open_rows(vault: Vault, rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, list[str]]]:
    """Open rows that were left out: (row number, texts by column); destroyed ones are absent."""
    keys = await vault.load_keys([r["rejected_row_id"] for r in rows]) if rows else {}
    return [
        (r["row_number"], json.loads(open_sealed(keys[i], r["sealed"], i.bytes)))
        for r in rows
        if (i := r["rejected_row_id"]) in keys
    ]
