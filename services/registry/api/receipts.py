"""Routes of a batch's receipt: a workbook to work on, a PDF to file away."""

import asyncio
from uuid import UUID

from fastapi import APIRouter, Response

from services.registry.api.caller import Caller, workbook
from services.registry.handlers.intake import Intake
from services.registry.receipt import (
    PAPER_FAULTS_MAX,
    SHEET_FAULTS_MAX,
    Receipt,
    as_pdf,
    receipt_of,
)
from services.registry.settings import RegistrySettings
from services.registry.views.receipts import find_receipt
from shared.http import Call
from shared.problem import NotFound, Problem

router = APIRouter(tags=["worker batches"])


@router.get("/v1/worker-batches/{batch_id}/receipt.xlsx")
async def receipt_xlsx(batch_id: UUID, caller: Caller) -> Response:
    """Give the receipt as a workbook."""
    receipt = await _receipt(batch_id, caller, SHEET_FAULTS_MAX)
    content = await caller.resource(Intake).writer.receipt(receipt)
    return workbook(content, f"receipt-{batch_id}.xlsx")


@router.get("/v1/worker-batches/{batch_id}/receipt.pdf")
async def receipt_pdf(batch_id: UUID, caller: Caller) -> Response:
    """Give the receipt on A4."""
    receipt = await _receipt(batch_id, caller, PAPER_FAULTS_MAX)
    settings = caller.house.settings
    fonts = settings.font_dir if isinstance(settings, RegistrySettings) else None
    content = await asyncio.to_thread(as_pdf, receipt, fonts)
    disposition = {"Content-Disposition": f'attachment; filename="receipt-{batch_id}.pdf"'}
    return Response(content, media_type="application/pdf", headers=disposition)


async def _receipt(batch_id: UUID, caller: Call, faults_max: int) -> Receipt:
    """Put a receipt together; no transaction is open while it is set."""
    db = caller.house.db
    async with db.transaction(role="api", identity=caller.identity, read_only=True) as tx:
        found = await find_receipt(tx, batch_id, faults_max)
    if found is None:
        raise NotFound
    if found.batch["finished_at"] is None:
        detail = "批次仍在核验，完成后才有回执。There is no receipt before all rows are checked."
        raise Problem(409, "not_finished", detail)
    return receipt_of(found.batch, found.issues_by_code, found.errors)
