"""An enterprise's credit: what lowers it, what raises it again, and which holds fall with it."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from contracts.lodging import EnterpriseCreditChanged
from services.lodging.domain.eligibility import Rule
from services.lodging.domain.programme import NO_SHOWS_PER_LEVEL, lowered, steps_down
from services.lodging.handlers.desk import Desk
from services.lodging.store import credit
from services.lodging.store import stays as store
from services.lodging.store.credit import Breach, KeyEntry, LevelChange, Standing
from shared.transaction import Tx

LISTED: Final = "listed"
CORRECTED: Final = "corrected"


async def put_key_enterprise(tx: Tx, entry: KeyEntry) -> None:
    """Set an entry of the key list; decisions made from now on see it, those made before stay."""
    await store.lock_allocation(tx)
    before = await credit.put_key_enterprise(tx, entry)
    if before == entry.credit_level:
        return
    reason = LISTED if before is None else CORRECTED
    tenants: Sequence[UUID | None] = await credit.list_enterprises(tx, entry.uscc) or [None]
    changes = [
        LevelChange(entry.uscc, tenant_id, before, entry.credit_level, reason)
        for tenant_id in tenants
    ]
    await _tell(tx, changes)


async def breach(tx: Tx, kind: str, breaches: Sequence[Breach]) -> None:
    """Note breaches (`no_show`, `overstay`) and lower the levels that they bring down."""
    await credit.insert_breaches(tx, kind, breaches)
    standings = await credit.load_standings(tx, sorted({b.enterprise_id for b in breaches}))
    sinking = [s for s in standings if steps_down(s.no_show_count, s.overstay_count)]
    if not sinking:
        return
    await credit.spend_breaches(
        tx,
        [s.enterprise_id for s in sinking],
        [s.no_show_count - s.no_show_count % NO_SHOWS_PER_LEVEL for s in sinking],
    )
    changes = [c for s in sinking if (c := _sunk(s)).level != c.before]
    await credit.update_levels(tx, changes)
    await _tell(tx, changes)


def _sunk(standing: Standing) -> LevelChange:
    steps = steps_down(standing.no_show_count, standing.overstay_count)
    level = lowered(standing.level, steps)
    reason = "overstay" if standing.overstay_count else "no_shows"
    return LevelChange(standing.uscc, standing.enterprise_id, standing.level, level, reason)


async def _tell(tx: Tx, changes: Iterable[LevelChange]) -> None:
    made = list(changes)
    await credit.insert_level_changes(tx, made)
    revoked = []
    for change in made:
        if change.enterprise_id is None:
            continue
        event = EnterpriseCreditChanged(
            enterprise_id=change.enterprise_id,
            level=change.level,
            from_level=change.before,
            reason=change.reason,
        )
        tx.say(event, tenant_id=change.enterprise_id)
        if change.level == "revoked":
            revoked.append(change.enterprise_id)
    if revoked:
        await _fail_holds(tx, revoked)


async def _fail_holds(tx: Tx, enterprise_ids: Sequence[UUID]) -> None:
    """Fail holds with a revocation; guests in house and confirmed arrivals keep their beds."""
    desk = Desk(tx)
    for stay in await store.list_held_by(tx, enterprise_ids):
        desk.release(stay, Rule.CREDIT_REVOKED.value, Rule.CREDIT_REVOKED.value)
    await desk.flush()
