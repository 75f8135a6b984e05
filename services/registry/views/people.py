"""Shows nominations and persons, masked, under the caller's row security."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.registry.views.batches import Page
from shared.paging import page
from shared.transaction import Tx

_NOMINATION: Final = """
SELECT nomination_id, worker_id, office_id, batch_id, drive_id, state, reason, available_from,
    boarding_place_code, group_id, group_size, needs_bed, nominated_at, ended_at
FROM nomination
"""
_LIST: Final = f"""{_NOMINATION}
WHERE ($1::uuid IS NULL OR nomination_id < $1) AND ($2::uuid IS NULL OR worker_id = $2)
    AND ($3::uuid IS NULL OR drive_id = $3) AND ($4::text IS NULL OR state = $4)
    AND ($5::uuid IS NULL OR batch_id = $5)
ORDER BY nomination_id DESC LIMIT $6
"""
_OPTIONAL: Final = (
    "drive_id", "reason", "boarding_place_code", "group_id", "group_size", "ended_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NominationFilter:
    """Which nominations are wanted; None is any."""

    worker_id: UUID | None = None
    drive_id: UUID | None = None
    state: str | None = None
    batch_id: UUID | None = None


async def list_nominations(tx: Tx, wanted: Page, only: NominationFilter) -> dict[str, object]:
    """List nominations, newest first."""
    rows = await tx.fetch(
        _LIST,
        wanted.after,
        only.worker_id,
        only.drive_id,
        only.state,
        only.batch_id,
        wanted.limit + 1,
    )
    return page([_told(r) for r in rows], wanted.limit, "nomination_id")


async def find_nomination(tx: Tx, nomination_id: UUID) -> dict[str, Any] | None:
    """Show a nomination."""
    row = await tx.fetchrow(f"{_NOMINATION} WHERE nomination_id = $1", nomination_id)
    return _told(row) if row else None


def _told(row: Any) -> dict[str, Any]:  # noqa: ANN401 (asyncpg's record)
    return {k: v for k, v in row.items() if v is not None or k not in _OPTIONAL}


# The newest copy that the caller may see: a tenant its own, the bureau and the auditor any.
_WORKER: Final = """
SELECT * FROM relation WHERE worker_id = $1 ORDER BY updated_at DESC, relation_id DESC LIMIT 1
"""


async def find_worker(tx: Tx, worker_id: UUID) -> Any:  # noqa: ANN401 (asyncpg's record)
    """Give a copy of a person that the caller may see, still sealed; None: there is none."""
    return await tx.fetchrow(_WORKER, worker_id)


async def list_relations(tx: Tx, worker_id: UUID) -> list[Any]:
    """List all copies of a person that the caller may see, still sealed."""
    return await tx.fetch(
        "SELECT * FROM relation WHERE worker_id = $1 ORDER BY created_at", worker_id
    )


_HISTORY: Final = {
    "nominations": f"{_NOMINATION} WHERE worker_id = $1 ORDER BY nominated_at",
    "hires": "SELECT hire_id, enterprise_id, batch_id, hired_on, site, state, hired_at FROM hire"
    " WHERE worker_id = $1 ORDER BY hired_at",
    "rosters": "SELECT batch_id, row_number FROM batch_worker WHERE worker_id = $1"
    " ORDER BY batch_id",
    "reveals": "SELECT tenant_id, purpose, scope, fields, revealed_at FROM reveal_audit"
    " WHERE $1 = ANY (revealed) ORDER BY revealed_at",
    "erasures": "SELECT tenant_id, requested_at, done_at FROM erasure WHERE worker_id = $1",
}


async def find_history(tx: Tx, worker_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Give what was done with a person, as far as the caller may see."""
    return {
        name: [dict(r) for r in await tx.fetch(sql, worker_id)] for name, sql in _HISTORY.items()
    }
