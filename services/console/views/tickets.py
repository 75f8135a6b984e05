"""Which coach tickets belong to which guests, as far as the console has heard of both."""

from collections import defaultdict
from collections.abc import Collection
from typing import Final
from uuid import UUID

from shared.transaction import Tx

_TICKETS: Final = """
SELECT split_part(s.subject, '/', 2) AS stay_id, split_part(b.subject, '/', 2) AS booking_id
FROM fact s JOIN fact b ON b.journey_id = s.journey_id AND b.noun = 'booking'
WHERE s.subject = ANY ($1::text[]) AND s.noun = 'stay'
"""


async def load_tickets(tx: Tx, stay_ids: Collection[UUID]) -> dict[str, list[str]]:
    """Give the bookings of the guests of stays that the caller has seen, by stay."""
    await tx.as_worker()
    found: dict[str, list[str]] = defaultdict(list)
    for row in await tx.fetch(_TICKETS, [f"stay/{i}" for i in stay_ids]):
        found[row["stay_id"]].append(row["booking_id"])
    return found
