"""The registry's routes."""

from fastapi import APIRouter

from services.registry.api import batches, nominations, reveals, templates, workers

router = APIRouter()
for part in (batches, templates, nominations, workers, reveals):
    router.include_router(part.router)

__all__ = ["router"]
