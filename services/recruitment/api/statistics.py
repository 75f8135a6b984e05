"""Route of the figures that offices report about drives: how many were held, what was offered."""

from datetime import date

from fastapi import APIRouter, Response

from services.recruitment import views
from services.recruitment.api.calls import Caller
from shared.problem import Fault, Problem
from shared.transaction import Tx

router = APIRouter(tags=["statistics"])


@router.get("/v1/statistics")
async def statistics(
    caller: Caller, as_of: date | None = None, since: date | None = None
) -> Response:
    """Count drives and posts as of a day (default: today), from `since` on if it is given.

    An office counts the drives of its origins; bureau and auditor count all. Corrections show:
    what was withdrawn later is no post that was offered. Who moved is the registry's to count.
    """
    caller.require(tenant_kinds={"office", "bureau", "auditor"})

    async def view(tx: Tx) -> object:
        day = as_of or tx.today
        if since and since > day:
            detail = "起始日期晚于截止日期。It begins after its end."
            raise Problem(422, "invalid", detail, [Fault("/since", "date_invalid", detail)])
        return {"as_of": day, "since": since, **await views.count_drives(tx, day, since)}

    return await caller.query(view)
