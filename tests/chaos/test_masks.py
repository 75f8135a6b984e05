"""Without the mask, names are on the screen: what is hidden is hidden by it alone."""

import json

import pytest

from services.registry.handlers import opening
from shared.identity import Identity
from tests.integration.registry.conftest import office, registry, settings
from tests.integration.registry.world import Registry
from tests.support.rosters import a_table, persons, xlsx

__all__ = ["office", "registry", "settings"]


async def shown(registry: Registry, office: Identity) -> tuple[str, dict[str, str]]:
    """Give what an office is shown of its one worker, and the row it sent."""
    (row,) = persons(1)
    batch = await registry.imported(office, xlsx(a_table(row)))
    path = f"/v1/worker-batches/{batch['batch_id']}/workers"
    return json.dumps(await registry.items(office, path), ensure_ascii=False), row


async def test_a_name_is_shown_masked(registry: Registry, office: Identity) -> None:
    text, row = await shown(registry, office)
    assert row["姓名"][0] in text
    assert row["姓名"] not in text
    assert row["身份证号"] not in text


async def test_with_the_mask_off_the_same_list_names_them(
    registry: Registry, office: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    for field in opening._MASKS:
        monkeypatch.setitem(opening._MASKS, field, str)
    text, row = await shown(registry, office)
    assert row["姓名"] in text
    assert row["身份证号"] in text
