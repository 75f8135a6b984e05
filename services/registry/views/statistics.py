"""Counts transfer employment from what the registry has heard; under the caller's row security."""

from datetime import date
from typing import Final
from uuid import UUID

from services.registry.domain import Destination, Group, Kept
from shared.transaction import Tx


async def count_transfers(
    tx: Tx, as_of: date, since: date | None
) -> dict[UUID, dict[Destination, Group]]:
    """Count persons by office and destination who had started by `as_of` (from `since` on).

    A person who started more than once counts once, where the last start was.
    """
    counted: dict[UUID, dict[Destination, Group]] = {}
    for row in await tx.fetch(_TRANSFERS, as_of, since):
        group = Group(row["total"], row["poverty_lifted"])
        counted.setdefault(row["office_id"], {})[row["destination"]] = group
    return counted


# GB/T 2260 codes are of two digits each: province, prefecture, county.
_TRANSFERS: Final = """
WITH started AS (
    SELECT DISTINCT ON (office_id, worker_id) office_id, worker_id,
        origin_division_code AS origin, site_division_code AS site
    FROM heard_placement
    WHERE started_on <= $1 AND ($2::date IS NULL OR started_on >= $2)
    ORDER BY office_id, worker_id, started_on DESC, placement_id DESC
)
SELECT s.office_id, CASE
        WHEN left(s.site, 2) <> left(s.origin, 2) THEN 'outside_province'
        WHEN left(s.site, 4) <> left(s.origin, 4) THEN 'other_prefecture'
        WHEN s.site <> s.origin THEN 'other_county'
        ELSE 'same_county' END AS destination,
    count(*) AS total, count(*) FILTER (WHERE r.poverty_lifted) AS poverty_lifted
FROM started s LEFT JOIN relation r ON r.worker_id = s.worker_id AND r.tenant_id = s.office_id
GROUP BY 1, 2 ORDER BY 1, 2
"""


async def count_kept(tx: Tx, as_of: date, since: date | None) -> dict[UUID, dict[int, Kept]]:
    """Count, by office and months, the persons whose question was due by `as_of` and has an answer.

    The last answer counts, whenever it was given; of two questions about a person the later one.
    """
    counted: dict[UUID, dict[int, Kept]] = {}
    for row in await tx.fetch(_KEPT, as_of, since):
        kept = Kept(row["checked"], row["retained"], row["corrected_since"])
        counted.setdefault(row["office_id"], {})[row["months"]] = kept
    return counted


_KEPT: Final = """
WITH answered AS (
    SELECT DISTINCT ON (p.office_id, r.worker_id, r.milestone_months)
        p.office_id, r.milestone_months AS months, r.result, r.answered_on
    FROM heard_retention r JOIN heard_placement p USING (placement_id)
    WHERE r.due_on <= $1 AND ($2::date IS NULL OR r.due_on >= $2) AND p.office_id IS NOT NULL
    ORDER BY p.office_id, r.worker_id, r.milestone_months, r.due_on DESC, placement_id DESC
)
SELECT office_id, months, count(*) AS checked, count(*) FILTER (WHERE result = 'retained')
    AS retained, count(*) FILTER (WHERE answered_on > $1) AS corrected_since
FROM answered GROUP BY 1, 2 ORDER BY 1, 2
"""
