"""Stay requests as enterprises made them."""

from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from shared.transaction import Tx

_INSERT: Final = """
INSERT INTO stay_request (stay_request_id, enterprise_id, programme, check_in_on, nights, together,
    wait, inn_id, requested_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


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


async def insert_request(tx: Tx, row: RequestRow) -> None:
    """Insert a request."""
    await tx.execute(_INSERT, *astuple(row))
