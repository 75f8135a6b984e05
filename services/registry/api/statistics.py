"""Route of the statistics that offices report, counted from what the registry itself has heard."""

from datetime import date

from fastapi import APIRouter, Response

from services.registry.api.caller import Caller, invalid
from services.registry.domain import kept_shown, transfers_shown
from services.registry.views.statistics import count_kept, count_transfers
from shared.transaction import Tx

router = APIRouter(tags=["statistics"])


@router.get("/v1/statistics")
async def statistics(
    caller: Caller, as_of: date | None = None, since: date | None = None
) -> Response:
    """Count who started to work elsewhere, and who is still there after 3 and 6 months.

    As of a day (default: today), from `since` on if it is given; a month or a quarter is a period.

    An office gets its own exact figures; bureau and auditor get every office's, without groups
    under five. Later corrections show: figures are counted anew from all that was heard, and how
    many answers are younger than the day of the report is told beside them.
    """
    caller.require(tenant_kinds={"office", "bureau", "auditor"})
    if since and as_of and since > as_of:
        raise invalid("/since", "起始日期晚于截止日期。It begins after its end.", "date_invalid")
    own = caller.identity.tenant_id if caller.identity.tenant_kind == "office" else None

    async def view(tx: Tx) -> object:
        day = as_of or tx.today
        moved = await count_transfers(tx, day, since)
        kept = await count_kept(tx, day, since)
        items = [
            {
                "office_id": office_id,
                **transfers_shown(moved.get(office_id, {}), exact=office_id == own),
                "retained_after_months": kept_shown(
                    kept.get(office_id, {}), exact=office_id == own
                ),
            }
            for office_id in sorted({*moved, *kept, *([own] if own else [])})
        ]
        return {"as_of": day, "since": since, "items": items, "next_cursor": None}

    return await caller.query(view)
