"""Where journeys stand, for lists of people that another service gave."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from services.console.views.journeys import STATE
from shared.transaction import Tx

_STANDINGS: Final = f"""
SELECT journey_id, {STATE} AS state, waiting_for FROM journey WHERE journey_id = ANY ($1::uuid[])
"""


async def load_standings(tx: Tx, journey_ids: Collection[UUID]) -> dict[str, dict[str, Any]]:
    """Give state and what is waited for of these journeys, as far as the caller sees them."""
    rows = await tx.fetch(_STANDINGS, list(journey_ids))
    return {str(r["journey_id"]): dict(r) for r in rows}


_DRIVES: Final = """
SELECT split_part(subject, '/', 2) AS drive_id, state, data FROM thing
WHERE noun = 'drive' AND state <> 'closed' ORDER BY subject DESC LIMIT 100
"""


async def list_drives(tx: Tx) -> list[dict[str, Any]]:
    """List the drives that the caller takes part in and that are not over."""
    return [{**r["data"], "state": r["state"]} for r in await tx.fetch(_DRIVES)]
