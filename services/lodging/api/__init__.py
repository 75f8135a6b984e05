"""What people and programs ask lodging over HTTP."""

from fastapi import APIRouter

from services.lodging.api import inns, programmes, requests, stays

router = APIRouter()
for part in (programmes, inns, requests, stays):
    router.include_router(part.router)
