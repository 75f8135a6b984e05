"""What people and programs ask transport over HTTP."""

from fastapi import APIRouter

from services.transport.api import boarding, bookings, manifests, plans, trips, vehicles

router = APIRouter()
for part in (vehicles, trips, bookings, boarding, manifests, plans):
    router.include_router(part.router)
