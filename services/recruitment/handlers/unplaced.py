"""Says for whom there is no vacancy for now, and why; only when that has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts.recruitment import NominationUnplaced
from services.recruitment.handlers.speech import SYSTEM, Because, say_of_nomination
from services.recruitment.store import unplaced
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Why a nomination has no place; the nearest miss is `{vacancy_id, rules}`."""

    nomination_id: UUID
    reason: str
    nearest_miss: dict[str, Any] | None = None


async def tell(
    tx: Tx, found: Sequence[Unplaced], round_number: int, because: Because = SYSTEM
) -> int:
    """Keep the reasons of locked nominations, and say those that are new; give how many."""
    told = [(u.nomination_id, u.reason, u.nearest_miss) for u in found]
    rows = await unplaced.update_reasons(tx, told) if told else []
    for row in rows:
        event = NominationUnplaced.model_validate(
            {**row, "round": round_number, "reason": row["unplaced_reason"]}
        )
        say_of_nomination(tx, event, (row["office_id"], row["nomination_id"]), because)
    return len(rows)
