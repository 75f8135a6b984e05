"""The registry's routes."""

from fastapi import APIRouter

from services.registry.api import (
    batches,
    nominations,
    receipts,
    reveals,
    statistics,
    templates,
    workers,
)

router = APIRouter()
for part in (batches, receipts, templates, nominations, workers, reveals, statistics):
    router.include_router(part.router)

__all__ = ["router"]
