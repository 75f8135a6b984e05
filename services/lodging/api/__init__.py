"""What people and programs ask lodging over HTTP."""

from fastapi import APIRouter

from services.lodging.api import inns, programmes, requests, stay_sheets, stays

router = APIRouter()
for part in (programmes, inns, requests, stay_sheets, stays):
    router.include_router(part.router)
