"""Figures for pictures: what is to be done, where people come from and go, when they arrive."""

from datetime import date
from typing import Any, Final

from shared.transaction import Tx


async def count_tasks(tx: Tx) -> dict[str, int]:
    """Count the caller's open tasks by kind."""
    rows = await tx.fetch(
        "SELECT kind, count(*) AS n FROM task WHERE closed_at IS NULL GROUP BY kind ORDER BY kind"
    )
    return {r["kind"]: r["n"] for r in rows}


_WAITING: Final = """
SELECT waiting_for, service, count(*) AS n, min(since) AS since FROM journey
WHERE state = 'waiting' GROUP BY waiting_for, service ORDER BY n DESC
"""


async def count_waiting(tx: Tx) -> list[dict[str, Any]]:
    """Count the caller's journeys that wait, by what for, with the oldest one's moment."""
    return [dict(r) for r in await tx.fetch(_WAITING)]


_FLOWS: Final = """
SELECT left(data->>'origin_division_code', 4) || '00' AS origin,
    data->'site'->>'division_code' AS destination, count(*) AS n
FROM fact WHERE noun = 'placement' AND state IN ('confirmed', 'started', 'ended')
GROUP BY 1, 2 ORDER BY n DESC LIMIT $1
"""
FLOWS_MAX: Final = 24


async def list_flows(tx: Tx) -> list[dict[str, Any]]:
    """Count placed people by origin prefecture and destination district; of all tenants."""
    await tx.as_worker()
    return [dict(r) for r in await tx.fetch(_FLOWS, FLOWS_MAX)]


# A stay's facts are those of the console; beds are what lodging says is in service tonight.
_TOWNS: Final = """
WITH inn AS (
    SELECT split_part(subject, '/', 2)::uuid AS inn_id, data->>'town' AS town,
        (data->>'beds')::int AS beds FROM thing WHERE noun = 'inn'
), taken AS (
    SELECT (data->>'inn_id')::uuid AS inn_id, count(*) AS n FROM fact
    WHERE noun = 'stay' AND state IN ('held', 'confirmed', 'checked_in')
        AND (data->>'check_in_on')::date <= $1 AND (data->>'check_out_on')::date > $1
    GROUP BY 1
)
SELECT town, sum(beds)::int AS beds, COALESCE(sum(n), 0)::int AS taken
FROM inn LEFT JOIN taken USING (inn_id) GROUP BY town ORDER BY town
"""


async def list_towns(tx: Tx, on: date) -> list[dict[str, Any]]:
    """Count beds and guests by town on a night; of all tenants."""
    await tx.as_worker()
    return [dict(r) for r in await tx.fetch(_TOWNS, on)]


_ARRIVALS: Final = """
SELECT ((data->>'arrives_at')::timestamptz AT TIME ZONE 'Asia/Shanghai')::date AS on, count(*) AS n
FROM fact WHERE noun = 'booking' AND state IN ('booked', 'boarded', 'handed_over')
    AND data->>'arrives_at' IS NOT NULL
    AND ((data->>'arrives_at')::timestamptz AT TIME ZONE 'Asia/Shanghai')::date
        BETWEEN $1 AND $2
GROUP BY 1 ORDER BY 1
"""


async def list_arrivals(tx: Tx, first: date, last: date) -> dict[date, int]:
    """Count people with a seat by the day of their arrival; of all tenants."""
    await tx.as_worker()
    return {r["on"]: r["n"] for r in await tx.fetch(_ARRIVALS, first, last)}
