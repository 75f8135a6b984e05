"""The console's routes."""

from fastapi import APIRouter

from services.console.api import accounts, events, journeys, tokens

ROUTER = APIRouter()
for part in (tokens, accounts, journeys, events):
    ROUTER.include_router(part.router)
