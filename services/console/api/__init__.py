"""The console's routes."""

from fastapi import APIRouter

from services.console.api import accounts, events, journeys, letters, tokens

ROUTER = APIRouter()
for part in (tokens, accounts, journeys, events, letters):
    ROUTER.include_router(part.router)
