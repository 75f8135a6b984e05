"""Route of the statistics that offices report, counted from what the registry itself has heard."""

from datetime import date

from fastapi import APIRouter, Response

from services.registry.api.caller import Caller, invalid
from services.registry.domain import transfers_shown
from services.registry.views.statistics import count_transfers
from shared.transaction import Tx

router = APIRouter(tags=["statistics"])


@router.get("/v1/statistics")
async def statistics(
    caller: Caller, as_of: date | None = None, since: date | None = None
) -> Response:
    """Count transfer employment as of a day (default: today), from `since` on if it is given.

    An office gets its own exact figures; bureau and auditor get every office's, without groups
    under five. Later corrections show: figures are counted anew from all that was heard.
    """
    caller.require(tenant_kinds={"office", "bureau", "auditor"})
    if since and as_of and since > as_of:
        raise invalid("/since", "起始日期晚于截止日期。It begins after its end.", "date_invalid")
    own = caller.identity.tenant_id if caller.identity.tenant_kind == "office" else None

    async def view(tx: Tx) -> object:
        day = as_of or tx.today
        counted = await count_transfers(tx, day, since)
        if own:
            counted.setdefault(own, {})
        items = [
            {"office_id": office_id, **transfers_shown(groups, exact=office_id == own)}
            for office_id, groups in counted.items()
        ]
        return {"as_of": day, "since": since, "items": items, "next_cursor": None}

    return await caller.query(view)
