"""Scans as they came, with the answer that each one got."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.transport.domain.boarding import ScanResult
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class KeptScan:
    """A scan with its result."""

    scan_id: UUID
    trip_id: UUID
    booking_id: UUID
    scanned_at: datetime
    stop: str
    result: ScanResult


async def load_scans(tx: Tx, trip_id: UUID, scan_ids: Sequence[UUID]) -> dict[UUID, KeptScan]:
    """Load scans of a trip that came before."""
    rows = await tx.fetch(_LOAD, trip_id, scan_ids)
    return {r["scan_id"]: KeptScan(**{**r, "result": ScanResult(r["result"])}) for r in rows}


_LOAD: Final = """
SELECT scan_id, trip_id, booking_id, scanned_at, stop, result
FROM boarding_scan WHERE trip_id = $1 AND scan_id = ANY ($2::uuid[])
"""


async def insert_scans(tx: Tx, scans: Sequence[KeptScan]) -> None:
    """Keep scans; one that came before only has another result now."""
    await tx.execute(
        _INSERT,
        [s.scan_id for s in scans],
        [s.trip_id for s in scans],
        [s.booking_id for s in scans],
        [s.scanned_at for s in scans],
        [s.stop for s in scans],
        [s.result.value for s in scans],
    )


_INSERT: Final = """
INSERT INTO boarding_scan (scan_id, trip_id, booking_id, scanned_at, stop, result)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[])
ON CONFLICT (trip_id, scan_id) DO UPDATE SET result = excluded.result
"""
