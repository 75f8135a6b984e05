"""Stay requests as enterprises made them."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from shared.transaction import Tx

_REQUEST: Final = {
    "stay_request_id": "uuid", "enterprise_id": "uuid", "programme": "text", "check_in_on": "date",
    "nights": "integer", "together": "boolean", "wait": "boolean", "inn_id": "uuid",
    "requested_at": "timestamptz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A stay request; the guests are its stays."""

    stay_request_id: UUID
    enterprise_id: UUID
    programme: str
    check_in_on: date
    nights: int
    together: bool
    wait: bool
    inn_id: UUID | None
    requested_at: datetime


async def insert_requests(tx: Tx, rows: Iterable[RequestRow]) -> None:
    """Insert requests."""
    await tx.insert("stay_request", _REQUEST, (astuple(row) for row in rows))
